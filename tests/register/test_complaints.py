"""Complaints as the public sends them: taken in bounds, sealed, and answered alike whatever is on record."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import Engine, text

from register.complaining import MOST_BYTES, Complaints
from register.words import WORDS
from store.cases import CaseStore
from store.complaints import ComplaintBox, complaints_about
from tests.documents import pseudonym
from tests.register.bases import URL, Base, Clock, site_on

ONLY_ON = "sqlite"
"""What the databases allow is tested in tests/store/test_complaints.py."""
PRIVATE = bytes(range(32))
TOLD = "2026-11-30 直播间有人索要开通费 500 元\r\n转给了 yunji-base"
HOSTILE = "<script>alert(1)</script>\"'&amp;{{7*7}}\u4e49=cmd"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def base(engine: Engine) -> Base:
    return Base(CaseStore(engine, pseudonym, lambda _: PRIVATE))


def complaints(engine: Engine, clock: Clock, **limits: int) -> Complaints:
    return Complaints(ComplaintBox(engine), seconds=lambda: clock.seconds, secret=b"s" * 32, **limits)


@pytest.fixture
async def site(engine: Engine, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with site_on(engine, clock, complaints=complaints(engine, clock)) as client:
        yield client


async def send(site: httpx.AsyncClient, number: str, *, there: str = "", **fields: str) -> httpx.Response:
    """A form as a browser sends it."""
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": URL, "sec-fetch-site": "same-origin"}
    given = {"text": TOLD, "contact": "", "link": "", "website": ""} | fields
    return await site.post(f"{there}/c/{number}/complaint", content=urlencode(given), headers=headers)


def kept(engine: Engine) -> list[dict[str, Any]]:
    """All that is on record, opened with the case's key."""
    return complaints_about(engine, lambda _: PRIVATE)


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM complaints")) or 0


async def test_from_the_certificate_s_page_to_a_reference(
    engine: Engine, base: Base, site: httpx.AsyncClient, clock: Clock
) -> None:
    for there in ("", "/en"):
        page = await site.get(f"{there}/c/{base.number}")
        assert f'href="{there}/c/{base.number}/complaint"' in page.text
        form = await site.get(f"{there}/c/{base.number}/complaint")
        assert form.status_code == 200 and f'action="{there}/c/{base.number}/complaint"' in form.text
        assert form.headers["referrer-policy"] == "same-origin", "else its origin is sent as null"
    sent = await send(site, base.number, contact="陈先生 13800000000", link="https://v.example/1")
    assert (sent.status_code, sent.headers["cache-control"], sent.text) == (303, "no-store", "")
    reference = sent.headers["location"].rpartition("/")[2]
    assert sent.headers["location"] == f"/c/{base.number}/complaint/{reference}"
    received = await site.get(sent.headers["location"])
    assert received.status_code == 200 and reference in received.text
    assert received.headers["cache-control"] == "no-store" and "noindex" in received.text
    assert "索要" not in received.text and "13800000000" not in received.text
    (one,) = kept(engine)
    assert (one["reference"], one["certificate_number"], one["readable"]) == (reference, base.number, True)
    assert (one["text"], one["contact"], one["link"]) == (
        TOLD.replace("\r\n", "\n"), "陈先生 13800000000", "https://v.example/1",
    )  # fmt: skip
    in_english = await send(site, base.number, there="/en", text="They charge for permissions.")
    assert in_english.headers["location"].startswith(f"/en/c/{base.number}/complaint/TS-")


async def test_nothing_of_it_lies_in_the_database_to_be_read(
    engine: Engine, base: Base, site: httpx.AsyncClient
) -> None:
    await send(site, base.number, contact="陈先生 13800000000")
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM complaints")).all()
    assert "13800000000" not in str(row) and "索要" not in str(row)
    assert [one["readable"] for one in complaints_about(engine, lambda _: bytes(32))] == [False], "another case's key"
    assert [one["text"] for one in complaints_about(engine, lambda _: None)] == [None], "an erased case"


async def test_a_complaint_that_was_moved_to_another_reference_is_not_read(
    engine: Engine, base: Base, site: httpx.AsyncClient
) -> None:
    await send(site, base.number)
    with engine.begin() as connection:
        copied = "SELECT 'TS-AAAAAAAAAAAAAAAA', certificate_number, sealed, at FROM complaints"
        connection.execute(text(f"INSERT INTO complaints (reference, certificate_number, sealed, at) {copied}"))
    assert sorted(one["readable"] for one in kept(engine)) == [False, True]


async def test_the_same_words_again_are_one_complaint_and_take_nothing_from_the_limits(
    engine: Engine, base: Base, clock: Clock
) -> None:
    async with site_on(engine, clock, complaints=complaints(engine, clock, per_address=2)) as site:
        first = [(await send(site, base.number)).headers["location"] for _ in range(4)]
        assert len(set(first)) == 1 and rows(engine) == 1
        assert (await send(site, base.number, text="another")).headers["location"] != first[0]
    async with site_on(engine, clock, complaints=complaints(engine, clock)) as again:  # the site was started again
        assert (await send(again, base.number)).headers["location"] == first[0]
    assert rows(engine) == 2


async def test_what_is_wrong_is_said_field_by_field_and_nothing_typed_is_lost(
    engine: Engine, base: Base, site: httpx.AsyncClient
) -> None:
    answer = await send(site, base.number, text=" ", link="javascript:alert(1)", contact=f"a\nb{HOSTILE}")
    assert (answer.status_code, answer.headers["cache-control"]) == (422, "no-store")
    for name in ("text", "link", "contact"):
        assert f'<a href="#{name}">' in answer.text and f'id="{name}-error"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert "<script>" not in answer.text and "&lt;script&gt;" in answer.text and 'value="javascript:' in answer.text
    for fields in (
        {"text": "x" * 2001},
        {"text": "\u202e"},
        {"text": "\x00"},
        {"contact": "y" * 201},
        {"link": "ftp://x"},
    ):
        assert (await send(site, base.number, **fields)).status_code == 422, fields
    assert rows(engine) == 0


async def test_hostile_words_are_words(engine: Engine, base: Base, site: httpx.AsyncClient) -> None:
    assert (await send(site, base.number, text=HOSTILE)).status_code == 303
    assert [one["text"] for one in kept(engine)] == [HOSTILE]


async def test_a_program_that_fills_in_everything_hears_the_same_and_leaves_nothing(
    engine: Engine, base: Base, site: httpx.AsyncClient
) -> None:
    caught = await send(site, base.number, website="https://spam.example")
    assert (caught.status_code, rows(engine)) == (303, 0)
    assert caught.headers["location"] == (await send(site, base.number)).headers["location"]


FORM = {"content-type": "application/x-www-form-urlencoded", "origin": URL, "sec-fetch-site": "same-origin"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": None, "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": None, "origin": "null"}, 403),
        ({"sec-fetch-site": None, "origin": None}, 403),
        ({"origin": "https://list.example.cn.evil.example"}, 403),
        ({"sec-fetch-site": None}, 303),
        ({"origin": None}, 303),
        ({"content-type": "application/json"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}, 303),
        ({"content-length": str(MOST_BYTES + 1)}, 413),
        ({"content-length": "-1"}, 411),
        ({"content-length": None, "transfer-encoding": "chunked"}, 411),
    ],
)
async def test_only_the_site_s_own_form_is_taken(
    engine: Engine, base: Base, site: httpx.AsyncClient, headers: dict[str, str | None], status: int
) -> None:
    body = urlencode({"text": TOLD}).encode()
    given = {**FORM, "content-length": str(len(body)), **headers}
    request = site.build_request("POST", f"/c/{base.number}/complaint", content=body)
    request.headers = httpx.Headers({"host": "list.example.cn"} | {k: v for k, v in given.items() if v is not None})
    answer = await site.send(request)
    assert (answer.status_code, rows(engine)) == (status, int(status == 303))


@pytest.mark.parametrize("body", [b"text=%E4%B8", b"text=\xff", b"&".join(b"a=1" for _ in range(20)), b"text"])
async def test_what_no_browser_writes(engine: Engine, base: Base, site: httpx.AsyncClient, body: bytes) -> None:
    answer = await site.post(f"/c/{base.number}/complaint", content=body, headers=FORM)
    assert answer.status_code == 400 and rows(engine) == 0


async def test_a_body_longer_than_it_says_is_not_read(engine: Engine, base: Base, site: httpx.AsyncClient) -> None:
    headers = {**FORM, "content-length": "10"}
    answer = await site.post(f"/c/{base.number}/complaint", content=b"text=" + b"x" * MOST_BYTES, headers=headers)
    assert answer.status_code == 413 and rows(engine) == 0


async def test_what_is_not_public_is_answered_as_what_never_was(engine: Engine, site: httpx.AsyncClient) -> None:
    there = await send(site, "LBC-2026-000001")
    nowhere = await send(site, "LBC-2099-999999")
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text) and there.status_code == 404
    for path in ("/c/LBC-2026-000001/complaint", "/c/LBC-2099-999999/complaint", "/c/x/complaint"):
        assert (await site.get(path)).status_code == 404


async def test_any_reference_is_received_and_what_is_none_is_nowhere(base: Base, site: httpx.AsyncClient) -> None:
    """Nobody finds out what is on record."""
    assert (await site.get(f"/c/{base.number}/complaint/TS-AAAAAAAAAAAAAAAA")).status_code == 200
    for wrong in ("TS-1", "<b>", "TS-AAAAAAAAAAAAAAA1", "x" * 500):
        assert (await site.get(f"/c/{base.number}/complaint/{wrong}")).status_code == 404


@pytest.mark.parametrize("limits", [{"per_address": 2}, {"per_certificate": 2}, {"per_day": 2}])
async def test_so_many_a_day_and_then_later(engine: Engine, base: Base, clock: Clock, limits: dict[str, int]) -> None:
    async with site_on(engine, clock, complaints=complaints(engine, clock, **limits)) as site:
        statuses = [(await send(site, base.number, text=f"{n} times")).status_code for n in range(3)]
        assert statuses == [303, 303, 429]
        late = await send(site, base.number, text="3 times")
        assert 0 < int(late.headers["retry-after"]) <= 24 * 60 * 60 and late.headers["cache-control"] == "no-store"
        assert (await send(site, base.number, text="0 times")).status_code == 303, "a repeat is none of them"
        clock.passes(12 * 60 * 60)
        assert (await send(site, base.number, text="3 times")).status_code == 303
    assert rows(engine) == 3


async def test_the_narrower_limits_take_nothing_from_others(engine: Engine, store: CaseStore, clock: Clock) -> None:
    other = CaseStore(engine, pseudonym, lambda _: PRIVATE)
    one, two = Base(other, 1), Base(other, 2)
    async with site_on(engine, clock, complaints=complaints(engine, clock, per_certificate=1, per_day=2)) as site:
        assert [(await send(site, one.number, text=f"{n} x")).status_code for n in range(3)] == [303, 429, 429]
        assert (await send(site, two.number)).status_code == 303


async def test_where_nothing_can_be_sealed_the_page_says_how_else(
    engine: Engine, store: CaseStore, site: httpx.AsyncClient
) -> None:
    base = Base(store)
    form = await site.get(f"/c/{base.number}/complaint")
    assert form.status_code == 200 and "<form" not in form.text and WORDS["complain_how_3"][0] in form.text
    assert (await send(site, base.number)).status_code == 404 and rows(engine) == 0


async def test_a_site_that_takes_none(engine: Engine, base: Base, clock: Clock) -> None:
    async with site_on(engine, clock) as site:
        assert 'complaint"' not in (await site.get(f"/c/{base.number}")).text
        assert (await send(site, base.number)).status_code == 405
        assert "<form" not in (await site.get(f"/c/{base.number}/complaint")).text


async def test_the_rest_of_the_site_takes_nothing(site: httpx.AsyncClient, base: Base) -> None:
    for path in ("/", f"/c/{base.number}", f"/c/{base.number}.json", "/complaints", f"/c/{base.number}/complaint/x"):
        answer = await site.post(path, content=b"text=x", headers=FORM)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD"), path
    answer = await site.request("DELETE", f"/c/{base.number}/complaint")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_database_that_takes_nothing_is_said(engine: Engine, base: Base, clock: Clock) -> None:
    async with site_on(engine, clock, complaints=complaints(engine, clock)) as site:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE complaints RENAME TO elsewhere"))
        try:
            answer = await send(site, base.number)
        finally:
            with engine.begin() as connection:
                connection.execute(text("ALTER TABLE elsewhere RENAME TO complaints"))
    assert answer.status_code == 503 and re.search(r"<h1>", answer.text)
