"""The site as visitors reach it: what it shows, what it never tells, and how it bears what is thrown at it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from threading import Event
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from sqlalchemy import Engine, event, text

from register import formats
from register.proof import proven
from register.words import WORDS
from store.cases import CaseStore
from store.register import ListReader
from tests.register.bases import LISTED, Base, Clock, keys, site_on
from tests.store.first_year import HOUR

ONLY_ON = "sqlite"
"""What the databases answer differs nowhere: tests/store/test_register.py."""
KEYS = keys()
HOSTILE = "<script>alert('\u4e49')</script>\"'&amp;{{7*7}}\u202e\u0007=cmd"
FORMULA = '=HYPERLINK("http://evil","x")'
PAGES = ("/", "/?q=x", "/complaints", "/about", "/en/", "/en/complaints", "/en/about", "/nowhere", "/en/nowhere")
ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(engine: Engine, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with site_on(engine, clock, keys=KEYS) as client:
        yield client


def statements(engine: Engine) -> list[str]:
    """What the database is asked from now on."""
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    return asked


@pytest.fixture
def base(store: CaseStore) -> Base:
    return Base(store)


class TestPages:
    async def test_a_certificate_valid_suspended_and_ended(self, store: CaseStore, site: httpx.AsyncClient) -> None:
        one, two, three = Base(store, 1), Base(store, 2).suspended(), Base(store, 3).revoked()
        for base, chinese, english, more in (
            (one, "认证有效", "Certified", ()),
            (two, "认证暂停", "Suspended", ("合规核查", "2026年3月2日", "目前未获授权")),
            (three, "认证终止", "Ended", ("被撤销", "理由在申诉期满或者申诉有结论后公布")),
        ):
            page = (await site.get(f"/c/{base.number}")).text
            assert f'class="stamp">{chinese}<' in page
            for text_ in (base.number, base.credit_code, "义乌北苑直播基地", *more):
                assert text_ in page
            assert "内部核查" not in page and "组织刷单" not in page, "no details, no reasons yet"
            in_english = (await site.get(f"/en/c/{base.number}")).text
            assert f'class="stamp">{english}<' in in_english and '<html lang="en">' in in_english

    async def test_the_reason_is_there_when_the_appeals_are_over(
        self, store: CaseStore, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        base = Base(store).revoked()
        assert base.case.appeal_until is not None
        clock.now = base.case.appeal_until
        assert "组织刷单" in (await site.get(f"/c/{base.number}")).text

    async def test_what_is_unknown_unpublished_or_no_number_is_answered_alike(
        self, engine: Engine, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        clock.now = LISTED - 2 * HOUR
        answers = [
            await site.get(path)
            for path in (
                f"/c/{base.number}",
                "/c/LBC-2026-999999",
                "/c/x",
                "/c/%00",
                "/c/..%2f..%2fetc",
                "/nowhere",
                "/c/",
            )
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        data = [await site.get(f"/c/{number}.json") for number in (base.number, "LBC-2026-999999", "x")]
        assert {(answer.status_code, answer.content) for answer in data} == {(404, b'{"error": "unknown"}\n')}

    async def test_every_page_says_when_it_was_true(self, base: Base, site: httpx.AsyncClient) -> None:
        for path in ("/", f"/c/{base.number}", "/about", "/complaints"):
            assert "2026年3月2日 19:00:00" in (await site.get(path)).text

    async def test_every_page_says_that_a_base_stands_on_its_own(self, base: Base, site: httpx.AsyncClient) -> None:
        """R1 and R4: the platform vouches for no base, and permissions cost nothing."""
        for path in ("/", f"/c/{base.number}", "/about", "/complaints"):
            page = (await site.get(path)).text
            assert (
                "\u72ec\u7acb\u7b2c\u4e09\u65b9\u673a\u6784" in page
                and "\u4e0d\u4e3a\u5176\u63d0\u4f9b\u62c5\u4fdd" in page
            )
            assert "independent third party" in (await site.get(f"/en{path}")).text

    async def test_nothing_is_listed(self, site: httpx.AsyncClient) -> None:
        assert "名单上目前没有基地" in (await site.get("/")).text
        assert "未列入本名单的" in (await site.get("/", params={"q": "义乌"})).text

    def test_both_languages_say_everything(self) -> None:
        for name, (chinese, english) in WORDS.items():
            assert chinese and english and chinese.count("{") == english.count("{"), name
            assert not re.search(r"[\u4e00-\u9fff]", english) or name in ("other_language", "search_hint"), name

    async def test_what_it_links_to_is_there(self, base: Base, site: httpx.AsyncClient) -> None:
        seen, left = set(), {"/", "/en/"}
        while left:
            path = left.pop()
            seen.add(path)
            answer = await site.get(path)
            assert answer.status_code == 200, path
            if answer.headers["content-type"].startswith("text/html"):
                found = re.findall(r'(?:href|src)="([^"#]*)"', answer.text)
                assert all(one.startswith(("/", "https://list.example.cn/")) for one in found), path
                local = {one.removeprefix("https://list.example.cn").replace("&amp;", "&") for one in found}
                left |= local - seen
        assert {f"/c/{base.number}", f"/c/{base.number}.json", "/list.csv", "/changes.atom"} <= seen


class TestForMachines:
    async def test_json_is_signed_and_says_what_the_page_says(self, store: CaseStore, site: httpx.AsyncClient) -> None:
        one, two, _ = Base(store, 1), Base(store, 2).suspended(), Base(store, 3).revoked()
        answer = await site.get(f"/c/{two.number}.json")
        document, key = proven(answer.content, KEYS)
        assert (document["type"], document["list_revision"], key) == ("certificate", 5, "k1")
        certificate = document["certificate"]
        assert (certificate["status"], certificate["authorised"], certificate["category"]) == (
            "suspended",
            False,
            "compliance",
        )
        whole, _ = proven((await site.get("/list.json")).content, KEYS)
        assert [one["number"] for one in whole["certificates"]] == [one.number, two.number]
        assert whole["count"] == 2
        published = (await site.get("/.well-known/livebase-keys.json")).json()
        assert [key["kid"] for key in published["keys"]] == ["k1"] and "d" not in published["keys"][0]

    async def test_without_a_key_nothing_is_signed_and_nothing_says_so(self, engine: Engine, base: Base) -> None:
        async with site_on(engine, Clock()) as site:
            assert (await site.get(f"/c/{base.number}.json")).json()["signature"] is None
            assert (await site.get("/.well-known/livebase-keys.json")).status_code == 404
            assert "Ed25519" not in (await site.get("/about")).text

    async def test_a_document_is_good_until_something_changes(
        self, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        end = base.case.terms[0].until
        document, _ = proven((await site.get(f"/c/{base.number}.json")).content, KEYS)
        assert document["good_until"] == formats.shown(clock.now + timedelta(hours=24))
        clock.now = end - timedelta(seconds=90)
        document, _ = proven((await site.get("/list.json")).content, KEYS)
        assert document["good_until"] == formats.shown(end)

    async def test_the_whole_list_is_shared_and_never_older_than_it_may_be(
        self, store: CaseStore, engine: Engine, base: Base, clock: Clock
    ) -> None:
        async with site_on(engine, clock, cache_seconds=30) as site:
            first = await site.get("/list.json")
            assert first.headers["cache-control"] == "public, max-age=30, must-revalidate"
            clock.passes(20)
            base.revoked(clock.now)
            second = await site.get("/list.json")
            assert (second.content, second.headers["cache-control"]) == (
                first.content,
                "public, max-age=10, must-revalidate",
            )
            clock.passes(11)
            assert (await site.get("/list.json")).json()["document"]["count"] == 0


class TestHostileNames:
    @pytest.fixture
    def base(self, store: CaseStore) -> Base:
        clean = HOSTILE.replace("\u0007", "")
        base = Base(store, 1, name=clean, holder=FORMULA, place=f"-{clean}")
        return base

    async def test_in_pages(self, base: Base, site: httpx.AsyncClient) -> None:
        for path in ("/", "/?q=script", f"/c/{base.number}", f"/en/c/{base.number}"):
            page = (await site.get(path)).text
            assert "<script" not in page and "&lt;script&gt;alert(" in page, path
            assert "&amp;amp;" in page and "{{7*7}}" in page

    async def test_in_what_is_searched_for(self, site: httpx.AsyncClient) -> None:
        page = (await site.get("/", params={"q": '"><script>alert(1)</script>{{7*7}}'})).text
        assert "<script" not in page and "&#34;&gt;&lt;script&gt;" in page and "{{7*7}}" in page

    async def test_in_json(self, base: Base, site: httpx.AsyncClient) -> None:
        document, _ = proven((await site.get("/list.json")).content, KEYS)
        assert document["certificates"][0]["holder"] == FORMULA

    async def test_in_a_spreadsheet(self, base: Base, site: httpx.AsyncClient) -> None:
        answer = await site.get("/list.csv")
        assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
        heading, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
        cells = dict(zip(heading, row, strict=True))
        assert (cells["holder"], cells["place"][:2]) == (f"'{FORMULA}", "'-")
        assert cells["number"] == base.number
        assert not [cell for cell in row if re.match(r"[=+\-@\t\r\n]", cell)]

    @pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", " =1", "\u3000=1", "\uff1d1", "\uff0b1", "\n=1"])
    def test_no_cell_is_a_formula(self, cell: str) -> None:
        assert formats.defused(cell) == f"'{cell}"

    async def test_in_the_feed(self, base: Base, site: httpx.AsyncClient) -> None:
        feed = ElementTree.fromstring((await site.get("/changes.atom")).text)
        titles = [one.text or "" for one in feed.findall("a:entry/a:title", ATOM)]
        assert len(titles) == 1 and "<script>alert(" in titles[0]


class TestHeaders:
    @pytest.mark.parametrize("path", [*PAGES, "/list.json", "/changes.atom", "/livez", "/c/x.json"])
    async def test_on_every_answer(self, site: httpx.AsyncClient, path: str) -> None:
        headers = (await site.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["strict-transport-security"].startswith("max-age=")
        assert "server" not in headers and "set-cookie" not in headers and "vary" not in headers

    @pytest.mark.parametrize("path", PAGES)
    async def test_no_page_has_anything_the_policy_forbids(self, site: httpx.AsyncClient, path: str) -> None:
        page = (await site.get(path)).text
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:|<iframe|<base", page)

    async def test_the_style_sheet_may_be_kept_for_ever(self, site: httpx.AsyncClient) -> None:
        (href,) = re.findall(r'rel="stylesheet" href="([^"]+)"', (await site.get("/")).text)
        answer = await site.get(href)
        assert "immutable" in answer.headers["cache-control"] and answer.headers["content-type"].startswith("text/css")
        assert (await site.get("/static/register.css")).status_code == 404, "only under the name with its hash"

    async def test_an_answer_is_never_kept_past_what_changes_it(
        self, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        end = base.case.terms[0].until
        for left, expected in ((3600, 30), (29.5, 29), (1.2, 1), (0.4, 0)):
            clock.now = end - timedelta(seconds=left)
            for path in ("/", f"/c/{base.number}", f"/c/{base.number}.json", "/list.csv"):
                assert (await site.get(path)).headers[
                    "cache-control"
                ] == f"public, max-age={expected}, must-revalidate", (path, left)

    async def test_a_tag_stays_until_something_is_different(
        self, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        path = f"/c/{base.number}"
        tag = (await site.get(path)).headers["etag"]
        clock.passes(500)
        again = await site.get(path, headers={"if-none-match": f'"x", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        base.suspended(clock.now)
        changed = await site.get(path, headers={"if-none-match": tag})
        assert changed.status_code == 200 and changed.headers["etag"] != tag
        assert (await site.get(f"/en{path}")).headers["etag"] != changed.headers["etag"]


class TestKept:
    """What many look at at once is worked out once a second, so that a crowd keeps nobody waiting."""

    async def test_the_list_is_made_once_a_second_and_never_told_past_it(
        self, engine: Engine, store: CaseStore, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        link = f'href="/c/{base.number}"'
        first = await site.get("/")
        assert link in first.text
        asked = statements(engine)
        clock.passes(0.9)
        base.revoked(clock.now)
        del asked[:]
        again = await site.get("/")
        assert (again.content, asked) == (first.content, [])
        assert again.headers["cache-control"] == "public, max-age=29, must-revalidate", "from when it was made"
        assert link not in (await site.get(f"/?q={base.number}&show=listed")).text, "another question"
        assert 'class="stamp">认证终止<' in (await site.get(f"/c/{base.number}")).text, (
            "a certificate is always asked for"
        )
        clock.passes(0.2)
        assert link not in (await site.get("/")).text

    async def test_not_past_the_end_of_a_term(self, base: Base, site: httpx.AsyncClient, clock: Clock) -> None:
        link = f'href="/c/{base.number}"'
        clock.now = base.case.terms[0].until - timedelta(seconds=0.4)
        assert link in (await site.get("/")).text
        clock.passes(0.4)
        assert link not in (await site.get("/")).text

    async def test_a_list_that_is_being_made_keeps_nobody_waiting(
        self, engine: Engine, base: Base, site: httpx.AsyncClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = await site.get("/")
        clock.passes(1.5)
        begun, go_on, page = Event(), Event(), ListReader.page

        def slow(*given: Any) -> Any:
            begun.set()
            assert go_on.wait(20)
            return page(*given)

        monkeypatch.setattr(ListReader, "page", slow)
        making = asyncio.create_task(site.get("/"))
        assert await asyncio.to_thread(begun.wait, 20)
        assert (await site.get("/")).content == first.content, "the one before, which is two seconds old at most"
        go_on.set()
        assert (await making).content != first.content

    async def test_counted_once_until_the_list_changes(
        self, engine: Engine, store: CaseStore, site: httpx.AsyncClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("register.list_page.PER_PAGE", 1)
        Base(store, 1), Base(store, 2)
        counted = []
        count = ListReader.count
        monkeypatch.setattr(ListReader, "count", lambda *given: counted.append(given[1:]) or count(*given))
        for seconds, expected in ((0, 1), (1.5, 1), (1.5, 1)):
            clock.passes(seconds)
            assert "共 2 条" in (await site.get("/")).text
            assert len(counted) == expected
        Base(store, 3)
        clock.passes(1.5)
        assert "共 3 条" in (await site.get("/")).text
        assert len(counted) == 2


class TestTricks:
    async def test_nothing_of_what_a_request_says_of_itself_comes_back(
        self, base: Base, site: httpx.AsyncClient
    ) -> None:
        plain = await site.get(f"/c/{base.number}")
        poisoned = {
            "x-forwarded-host": "evil.example",
            "x-forwarded-proto": "http",
            "x-original-url": "/evil",
            "forwarded": "host=evil.example",
            "x-http-method-override": "POST",
            "accept-language": "fr",
            "cookie": "lang=en",
        }
        answer = await site.get(f"/c/{base.number}", headers=poisoned)
        assert answer.content == plain.content and answer.headers["etag"] == plain.headers["etag"]

    @pytest.mark.parametrize(
        "host", ["evil.example", "list.example.cn.evil.example", "list.example.cn:81", "", "127.0.0.1"]
    )
    async def test_a_host_that_is_not_its_own_is_refused(self, site: httpx.AsyncClient, host: str) -> None:
        answer = await site.get("/", headers={"host": host})
        assert answer.status_code == 400 and "evil" not in answer.text
        assert (await site.get("/livez", headers={"host": host})).status_code == 200, "a probe knows no name"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
    async def test_it_is_only_read(self, site: httpx.AsyncClient, method: str) -> None:
        answer = await site.request(method, "/")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")

    async def test_head_is_get_without_what_it_says(self, base: Base, site: httpx.AsyncClient) -> None:
        for path in ("/", f"/c/{base.number}", "/list.json"):
            head, get = await site.head(path), await site.get(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == get.headers["etag"]

    @pytest.mark.parametrize(
        "query",
        [
            "q=%00", "q=%00%01%02", "q=" + "a" * 1900, "q=%ff%fe", "q=%ed%a0%80", "q=a&q=b&q=c", "region=zj&region=xx",
            "show=everything", "after=zzz", "after=LBC-2026-000001&before=LBC-2026-000001", "q[]=1", "q", "&&&=&", "%",
            "q=%25", "q=' OR 1=1 --", "q=%E2%80%AE", "after=%00", "show=%00ended", "region=%00", "q=\\",
        ],
    )  # fmt: skip
    async def test_odd_questions_get_an_ordinary_answer(self, base: Base, site: httpx.AsyncClient, query: str) -> None:
        answer = await site.get(f"/?{query}")
        assert answer.status_code == 200 and "</html>" in answer.text
        assert "\x00" not in answer.text

    async def test_one_that_is_far_too_long_does_not(self, site: httpx.AsyncClient) -> None:
        assert (await site.get(f"/?q={'a' * 5000}")).status_code == 400

    async def test_of_a_parameter_given_twice_the_first_counts(self, base: Base, site: httpx.AsyncClient) -> None:
        assert base.credit_code in (await site.get("/?q=义乌&q=没有")).text
        assert base.credit_code not in (await site.get("/?q=没有&q=义乌")).text

    async def test_what_it_does_not_know_changes_nothing(self, base: Base, site: httpx.AsyncClient) -> None:
        one, other = await site.get("/"), await site.get("/?utm_source=x&cb=123")
        assert one.headers["etag"] == other.headers["etag"]


class TestLimit:
    async def test_who_asks_too_often_waits(self, engine: Engine, base: Base, clock: Clock) -> None:
        async with site_on(engine, clock, per_minute=6) as site:
            codes = [(await site.get(f"/c/{base.number}")).status_code for _ in range(7)]
            assert codes == [200] * 6 + [429]
            refused = await site.get("/")
            assert (refused.status_code, refused.headers["retry-after"], refused.headers["cache-control"]) == (
                429,
                "10",
                "no-store",
            )
            assert (await site.get("/livez")).status_code == 200
            clock.passes(10)
            assert (await site.get("/")).status_code == 200
            assert (await site.get("/")).status_code == 429

    async def test_behind_a_proxy_everybody_is_somebody(self, engine: Engine, clock: Clock) -> None:
        async with site_on(engine, clock, per_minute=1, proxies="127.0.0.0/8") as site:
            for who, code in (("198.51.100.1", 200), ("198.51.100.2", 200), ("198.51.100.1", 429)):
                assert (await site.get("/", headers={"x-forwarded-for": who})).status_code == code, who
            forged = await site.get("/", headers={"x-forwarded-for": "203.0.113.9, 198.51.100.1"})
            assert forged.status_code == 429, "what somebody wrote before the proxy counts for nothing"

    async def test_nobody_else_is_believed(self, engine: Engine, clock: Clock) -> None:
        async with site_on(engine, clock, per_minute=1) as site:
            codes = [
                (await site.get("/", headers={"x-forwarded-for": f"198.51.100.{n}"})).status_code for n in range(2)
            ]
            assert codes == [200, 429]


async def test_a_database_that_is_gone_is_said_and_nothing_is_certified(
    engine: Engine, base: Base, clock: Clock
) -> None:
    async with site_on(engine, clock) as site:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE list_revisions RENAME TO gone"))
        for path in ("/", f"/c/{base.number}", "/list.json"):
            answer = await site.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
            assert "请不要当作已认证" in answer.text and "gone" not in answer.text
        assert answer.headers["content-security-policy"]


async def test_what_nobody_expected_is_a_page_without_a_trace(
    site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("register.list_page.look_of", broken)
    answer = await site.get("/")
    assert answer.status_code == 500 and "secret" not in answer.text and "RuntimeError" not in answer.text
    assert answer.headers["content-security-policy"] and answer.headers["cache-control"] == "no-store"


async def test_ready_when_the_database_is(site: httpx.AsyncClient, engine: Engine) -> None:
    assert (await site.get("/readyz")).status_code == 200
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'x'"))
    assert (await site.get("/readyz")).status_code == 503


def test_json_has_no_half_characters() -> None:
    from register.answers import json_text

    assert json.loads(json_text({"name": "a\ud800b"}))["name"] == "a?b"
