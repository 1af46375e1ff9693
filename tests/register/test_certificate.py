"""A certificate to keep and print: what it says, to whom it is handed out, and what its record proves."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
import typst
import zxingcpp
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from sqlalchemy import Engine, insert

from register.attached import proven_record as proven_apart
from register.certificate import CertificateMaker, NotMade, certificate_pdf
from register.fonts import read_fonts
from register.paper import paper_of, text_of
from register.proof import ATTACHMENT, Keys, NotProven, canonical, new_key_set, proven, read_keys, sign
from register.reading import Read, is_pdf, read_apart, read_here
from register.settings import FONTS
from register.verdict import Verdict, judge, judge_issued, judge_issued_by
from register.words import Words
from store.cases import CaseStore
from store.tables import ListRow
from tests.register.bases import LISTED, NAME, PLACE, URL, Base, Clock, site_on
from tests.store.first_year import HOUR

ONLY_ON = "sqlite"
"""What the databases answer differs nowhere: tests/store/test_register.py."""
SEED = json.dumps(
    {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": "k1",
                "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }
        ]
    }
)
"""The key of RFC 8037, appendix A: what it signs is the same in every process."""
KEYS = read_keys(SEED, to_sign=True)
NUMBER, CODE = "LBC-2026-000001", "91330782MA2K7P3R1U"
TERM = {
    "type": "term",
    "version": 1,
    "issuer": "i",
    "page": f"{URL}/c/{NUMBER}",
    "certificate": {
        "number": NUMBER,
        "name": NAME,
        "holder": "义乌市北苑电子商务有限公司",
        "credit_code": CODE,
        "place": PLACE,
        "valid_from": "2026-03-02T16:00:00+08:00",
        "valid_until": "2027-03-02T00:00:00+08:00",
        "last_day": "2027-03-01",
        "benefits": ["P1", "P2", "P3", "P4", "P5", "P6"],
    },
}
MARKUP = "#emoji.face *b* _x_ <script>alert('\u4e49')</script> $x$ @y \\ `r` // /* */ {{7*7}} \"q\" =cmd"
UNSEEN = "a\u202eb\u200bc\u0007d\U0001f600e\u05e9f\U00020000g\u3164h\U000e0100"
LONG = "名字很长的直播基地" * 11 + "尾"
SPACELESS = "Averylongnamewithoutanyspaces" * 3 + "A"


def term(**changes: str) -> dict[str, Any]:
    return {**TERM, "certificate": {**TERM["certificate"], **changes}}  # type: ignore[dict-item]


def pdf(document: dict[str, Any], keys: Keys = KEYS) -> bytes:
    return _pdf(json.dumps(document), canonical(sign(document, keys)))


@cache
def _pdf(document: str, record: bytes) -> bytes:
    return certificate_pdf(json.loads(document), record, read_fonts(FONTS))


def proven_record(content: bytes, keys: Keys) -> tuple[dict[str, Any], str]:
    """As it is proven of a stranger's, without a process of its own for each."""
    return proven_apart(content, keys, read_here)


def said(content: bytes) -> str:
    """Whatever the pages say, without space."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def codes(content: bytes) -> list[str]:
    """What a phone reads of the first page."""
    bitmap = pypdfium2.PdfDocument(content)[0].render(scale=2, grayscale=True)
    rows = memoryview(bitmap.buffer).cast("B", shape=[bitmap.height, bitmap.stride])
    return [one.text for one in zxingcpp.read_barcodes(rows)]


def overflowing(content: bytes) -> list[str]:
    """The characters set outside the frame of the first page; points, from below on the left."""
    page = pypdfium2.PdfDocument(content)[0].get_textpage()
    boxes = [(page.get_charbox(place), page.get_text_range(place, 1)) for place in range(page.count_chars())]
    return [char for (left, below, right, above), char in boxes if char.strip() and (
        left < 38 or right > 595 - 38 or below < 38 or above > 842 - 38)]  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(engine: Engine, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with site_on(engine, clock, keys=KEYS) as client:
        yield client


@pytest.fixture
def base(store: CaseStore) -> Base:
    return Base(store)


class TestPaper:
    def test_it_is_the_same_in_another_process_at_another_time_and_place(self) -> None:
        program = (
            "import hashlib, json, sys; from pathlib import Path; from register.certificate import certificate_pdf;"
            "from register.fonts import read_fonts; from register.proof import canonical, read_keys, sign;"
            "document, keys, fonts = json.loads(sys.stdin.read()); keys = read_keys(keys, to_sign=True);"
            "made = certificate_pdf(document, canonical(sign(document, keys)), read_fonts(Path(fonts)));"
            "sys.stdout.buffer.write(made)"
        )
        told = json.dumps([TERM, SEED, str(FONTS)]).encode()
        elsewhere = {**os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
        done = subprocess.run(
            [sys.executable, "-c", program], input=told, capture_output=True, env=elsewhere, check=True, timeout=60
        )
        assert done.stdout == pdf(TERM)
        assert pdf(term(name="另一家直播基地")) != pdf(TERM)

    def test_it_says_all_of_it_in_two_languages(self) -> None:
        made = pdf(TERM)
        text = said(made)
        for one in (
            "淘宝直播基地认证证书", "Certificate of a Taobao Live Base", NUMBER, NAME, "义乌市北苑电子商务有限公司",
            CODE,
            PLACE, "2026年3月2日至2027年3月1日", "2 March 2026 to 1 March 2027", "首日16:00起", "末日24:00止",
            "官方授权：名称、标识和商标", "基地管理后台", "主播孵化与培训", "官方专属对接人", "频道流量扶持",
            "定制主题活动",
            "Anchor incubation and training", "仅在网页显示“认证有效”时，本证书有效", "Valid only while its page says",
            "独立第三方机构", "不为其提供担保", "independent third party", f"{URL}/c/{NUMBER}",
        ):  # fmt: skip
            assert "".join(one.split()) in text, one
        reader = PdfReader(io.BytesIO(made))
        assert len(reader.pages) == 1
        assert reader.metadata is not None and NUMBER in (reader.metadata.title or "")
        began = datetime.fromisoformat(TERM["certificate"]["valid_from"])  # type: ignore[index]
        assert reader.metadata.creation_date == reader.metadata.modification_date == began, "no clock"
        assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
        assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842], "A4"

    def test_a_term_may_begin_within_a_second(self) -> None:
        document = term(valid_from="2026-03-02T16:00:00.123456+08:00")
        made = pdf(document)
        (record,) = PdfReader(io.BytesIO(made)).attachments[ATTACHMENT]
        assert proven(record, KEYS) == (document, "k1")
        about = PdfReader(io.BytesIO(made)).metadata
        assert about is not None and about.creation_date == datetime.fromisoformat("2026-03-02T16:00:00+08:00")

    def test_its_code_leads_to_its_page(self) -> None:
        assert codes(pdf(TERM)) == [f"{URL}/c/{NUMBER}"]

    def test_it_is_for_archives_with_its_record_and_every_font_in_it(self) -> None:
        reader = PdfReader(io.BytesIO(pdf(TERM)))
        about = reader.trailer["/Root"]["/Metadata"].get_data().decode()
        assert "<pdfaid:part>3<" in about and "<pdfaid:conformance>A<" in about and "<pdfuaid:part>1<" in about
        (record,) = reader.attachments[ATTACHMENT]
        assert proven(record, KEYS) == (TERM, "k1")
        fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
        names = {re.sub(r"^/[A-Z]{6}\+", "", font["/BaseFont"]) for font in fonts}
        assert names and all(re.match(r"Noto(Serif|Sans)CJKsc-", name) for name in names), "Simplified Chinese forms"
        descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts]
        assert all({"/FontFile2", "/FontFile3"} & set(one) for one in descriptors)

    def test_what_a_base_is_called_is_never_markup(self) -> None:
        made = pdf(term(name=MARKUP, holder=f"{MARKUP}#pdf.attach", place=MARKUP))
        assert said(made).count("".join(MARKUP.split())) == 3
        assert list(PdfReader(io.BytesIO(made)).attachments) == [ATTACHMENT]
        assert codes(made) == [f"{URL}/c/{NUMBER}"]

    def test_what_can_t_be_seen_leaves_a_trace(self) -> None:
        text = said(pdf(term(name=f"基地{UNSEEN}")))
        signs = "a[U+202E]b[U+200B]c[U+0007]d[U+1F600]e[U+05E9]f[U+20000]g[U+3164]h[U+E0100]"
        assert f"基地{signs}" in text and "表示字库没有或者不可见的字符" in text
        assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf")]
        assert "表示字库没有" not in said(pdf(TERM))

    @pytest.mark.parametrize(
        ("name", "holder", "place"),
        [(LONG, LONG, "地" * 200), (SPACELESS, SPACELESS, SPACELESS * 2), ("W" * 100, "\u3400" * 100, "—" * 200)],
        ids=["Chinese", "without a space", "broad"],
    )
    def test_a_long_name_is_wrapped_within_the_frame(self, name: str, holder: str, place: str) -> None:
        made = pdf(term(name=name, holder=holder, place=place))
        assert len(PdfReader(io.BytesIO(made)).pages) == 1
        text = said(made)
        assert name in text and holder in text and place in text
        assert overflowing(made) == []
        assert codes(made) == [f"{URL}/c/{NUMBER}"]

    def test_without_a_key_it_has_no_record_and_says_nothing_of_one(self) -> None:
        made = certificate_pdf(TERM, None, read_fonts(FONTS))
        assert not PdfReader(io.BytesIO(made)).attachments and "签名" not in said(made)


class TestMaker:
    def test_it_is_made_once_and_only_the_last_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[str] = []

        def counted(document: Any, record: Any, fonts: Any) -> bytes:
            made.append(document["certificate"]["number"])
            return made[-1].encode()

        monkeypatch.setattr("register.certificate.certificate_pdf", counted)
        monkeypatch.setattr("register.certificate._KEPT", 2)
        maker = CertificateMaker(FONTS)
        for number in ("1", "2", "1", "3", "1", "2"):
            assert maker.made(term(number=number), None) == number.encode()
        assert made == ["1", "2", "3", "2"]
        maker.made(term(number="2"), b"signed")
        maker.made(term(number="2", name="又名"), None)
        assert made[4:] == ["2", "2"], "another record, another name: another certificate"

    def test_fonts_that_come_later_are_found(self, tmp_path: Path) -> None:
        folder = tmp_path / "fonts"
        maker = CertificateMaker(folder)
        with pytest.raises(NotMade, match="apt-get install fonts-noto-cjk"):
            maker.ready()
        folder.symlink_to(FONTS)
        maker.ready()

    def test_what_would_not_be_proven_is_not_handed_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record = canonical(sign(TERM, KEYS))
        for wrong in (Read(record, "淘宝直播基地官方名单"), Read(None, read_here(pdf(TERM)).text)):
            monkeypatch.setattr("register.certificate.read_here", lambda _, wrong=wrong: wrong)
            with pytest.raises(NotMade, match=f"{NUMBER} would not be proven"):
                CertificateMaker(FONTS).made(TERM, record)

    def test_what_can_t_be_set_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> bytes:
            raise typst.TypstError("no such glyph", "", [], [])

        monkeypatch.setattr("typst.compile", broken)
        with pytest.raises(NotMade, match=f"{NUMBER} can't be set"):
            CertificateMaker(FONTS).made(TERM, None)


class TestHandedOut:
    async def test_from_the_page_while_it_is_in_force(self, base: Base, site: httpx.AsyncClient) -> None:
        path = f"/c/{base.number}.pdf"
        for page in (f"/c/{base.number}", f"/en/c/{base.number}"):
            assert f'href="{path}"' in (await site.get(page)).text
        answer = await site.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.headers["content-disposition"] == f'attachment; filename="{base.number}.pdf"'
        assert answer.headers["cache-control"] == "public, max-age=30, must-revalidate"
        assert answer.headers["x-robots-tag"] == "noindex, noarchive", "a search engine's copy would outlive it"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "vary" not in answer.headers and "set-cookie" not in answer.headers
        text, (first,) = said(answer.content), base.case.terms
        for one in (base.number, base.credit_code, NAME, PLACE, Words("zh").term(first.from_, first.until)):
            assert "".join(one.split()) in text, one
        assert codes(answer.content) == [f"{URL}/c/{base.number}"]
        document, _ = proven_record(answer.content, KEYS)
        assert document["page"] == f"{URL}/c/{base.number}"

    async def test_it_has_no_moving_time_in_it(self, base: Base, site: httpx.AsyncClient, clock: Clock) -> None:
        path = f"/c/{base.number}.pdf"
        first = await site.get(path)
        clock.passes(40 * 86_400)
        later = await site.get(path)
        assert later.content == first.content and later.headers["etag"] == first.headers["etag"]
        asked = await site.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (asked.status_code, asked.content) == (304, b"")
        head = await site.head(path)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
        poisoned = {"x-forwarded-host": "evil.example", "accept-language": "fr", "cookie": "a=b"}
        assert (await site.get(f"{path}?number=LBC-2026-000002", headers=poisoned)).content == first.content

    @pytest.mark.parametrize("how", ["suspended", "revoked", "over", "ended on record"])
    async def test_not_while_it_could_pass_for_one_in_force(
        self, base: Base, engine: Engine, site: httpx.AsyncClient, clock: Clock, how: str
    ) -> None:
        path = f"/c/{base.number}.pdf"
        tag = (await site.get(path)).headers["etag"]
        if how == "suspended":
            base.suspended()
        elif how == "revoked":
            base.revoked()
        elif how == "over":
            clock.now = base.case.terms[0].until
        else:
            with engine.begin() as connection:
                connection.exec_driver_sql("UPDATE cases SET ended = 1")
        answer = await site.get(path, headers={"if-none-match": tag})
        chinese, english = ("认证暂停", "suspended") if how == "suspended" else ("认证终止", "ended")
        assert answer.status_code == (403 if how == "suspended" else 410)
        assert answer.headers["content-type"].startswith("text/html") and b"%PDF" not in answer.content
        assert f'class="stamp">{chinese}<' in answer.text and english in answer.text
        assert f'href="/c/{base.number}"' in answer.text and f'href="/en/c/{base.number}"' in answer.text
        assert answer.headers["cache-control"] == "public, max-age=30, must-revalidate"
        assert "content-disposition" not in answer.headers
        assert ".pdf" not in (await site.get(f"/c/{base.number}")).text, "the page does not offer it either"

    async def test_again_when_a_suspension_is_over_and_it_is_the_same(
        self, base: Base, engine: Engine, site: httpx.AsyncClient
    ) -> None:
        first = await site.get(f"/c/{base.number}.pdf")
        base.suspended()
        with engine.begin() as connection:
            row = connection.execute(ListRow.__table__.select()).mappings().first()
            assert row is not None
            connection.execute(insert(ListRow), {**row, "revision": 3, "effective_from": LISTED + 2 * HOUR})
        again = await site.get(f"/c/{base.number}.pdf")
        assert (again.status_code, again.content) == (200, first.content)

    async def test_what_is_not_public_is_answered_as_what_never_was(
        self, base: Base, engine: Engine, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        coming = "LBC-2027-000009"
        end = base.case.terms[0].until
        with engine.begin() as connection:
            row = connection.execute(ListRow.__table__.select()).mappings().first()
            assert row is not None
            following = {
                "revision": 2,
                "certificate_number": coming,
                "valid_from": end,
                "valid_until": end + timedelta(days=365),
                "effective_from": end,
            }
            connection.execute(insert(ListRow), {**row, **following})
        paths = (
            coming,
            "LBC-2026-999999",
            "x",
            "lbc-2026-000001",
            "%00",
            "..%2f..%2fetc%2fpasswd",
            f"{base.number}.pdf",
        )
        never = await site.get("/c/LBC-2026-999999")
        for path in paths:
            answer = await site.get(f"/c/{path}.pdf")
            assert (answer.status_code, answer.content) == (404, never.content), path
            assert answer.headers["cache-control"] == never.headers["cache-control"]
        clock.now = LISTED - 2 * HOUR
        answer = await site.get(f"/c/{base.number}.pdf")
        assert (answer.status_code, answer.content) == (404, never.content), "certified, and not made public yet"
        clock.now = end
        assert (await site.get(f"/c/{coming}.pdf")).status_code == 200
        assert (await site.get(f"/c/{base.number}.pdf")).status_code == 410

    async def test_it_is_never_kept_past_what_changes_it(
        self, base: Base, site: httpx.AsyncClient, clock: Clock
    ) -> None:
        for left, expected in ((3600, 30), (29.5, 29), (0.4, 0)):
            clock.now = base.case.terms[0].until - timedelta(seconds=left)
            kept = (await site.get(f"/c/{base.number}.pdf")).headers["cache-control"]
            assert kept == f"public, max-age={expected}, must-revalidate"

    async def test_a_corrected_name_is_another_certificate(
        self, base: Base, engine: Engine, site: httpx.AsyncClient
    ) -> None:
        first = await site.get(f"/c/{base.number}.pdf")
        with engine.begin() as connection:
            row = connection.execute(ListRow.__table__.select()).mappings().first()
            assert row is not None
            changes = {"revision": 2, "name": "义乌北苑新直播基地", "effective_from": LISTED + HOUR}
            connection.execute(insert(ListRow), {**row, **changes})
        second = await site.get(f"/c/{base.number}.pdf", headers={"if-none-match": first.headers["etag"]})
        assert second.status_code == 200 and "义乌北苑新直播基地" in said(second.content)

    async def test_hostile_names(self, store: CaseStore, site: httpx.AsyncClient) -> None:
        base = Base(store, 1, name=MARKUP, holder=UNSEEN.replace("\u0007", ""), place=f"</p>{MARKUP}")
        answer = await site.get(f"/c/{base.number}.pdf")
        assert answer.status_code == 200 and "".join(MARKUP.split()) in said(answer.content)
        assert proven_record(answer.content, KEYS)[0]["certificate"]["name"] == MARKUP
        base.revoked()
        assert "<script" not in (await site.get(f"/c/{base.number}.pdf")).text


class TestBearing:
    async def test_without_fonts_the_rest_of_the_site_is_as_ever(
        self, engine: Engine, base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with site_on(engine, Clock(), keys=KEYS, fonts=tmp_path) as site:
            with caplog.at_level(logging.ERROR, "livebase.register"):
                answer = await site.get(f"/c/{base.number}.pdf")
            assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
            assert answer.headers["retry-after"] and "暂时无法下载证书" in answer.text
            assert "fonts" not in answer.text and str(tmp_path) not in answer.text
            (line,) = caplog.messages
            assert "Noto Serif CJK SC" in line and "apt-get install fonts-noto-cjk" in line
            for path in ("/", f"/c/{base.number}", f"/c/{base.number}.json", "/readyz"):
                assert (await site.get(path)).status_code == 200, path

    async def test_who_waits_for_one_keeps_nobody_from_looking_up(
        self, engine: Engine, store: CaseStore, base: Base, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lately = Base(store, 2).number
        done = threading.Event()
        at_work: list[int] = []
        most = 0

        def slow(document: Any, *_: Any) -> bytes:
            nonlocal most
            if document["certificate"]["number"] == lately:
                return b"%PDF-"
            at_work.append(1)
            most = max(most, len(at_work))
            assert done.wait(20)
            at_work.pop()
            return b"%PDF-"

        monkeypatch.setattr("register.certificate.certificate_pdf", slow)
        async with site_on(engine, Clock(), keys=KEYS) as site:
            assert (await site.get(f"/c/{lately}.pdf")).status_code == 200
            waiting = [asyncio.create_task(site.get(f"/c/{base.number}.pdf")) for _ in range(60)]
            try:
                while not at_work:
                    await asyncio.sleep(0.01)
                page = await asyncio.wait_for(site.get(f"/c/{base.number}"), 10)
                assert page.status_code == 200
                kept = await asyncio.wait_for(site.get(f"/c/{lately}.pdf"), 10)
                assert kept.status_code == 200, "one that is made already waits for none"
                async with asyncio.timeout(10):
                    while sum(one.done() for one in waiting) < 10:
                        await asyncio.sleep(0.01)
            finally:
                done.set()
                answers = await asyncio.gather(*waiting)
            assert sorted(answer.status_code for answer in answers) == [200] * 50 + [503] * 10 and most <= 2
            assert {answer.headers.get("retry-after") for answer in answers} == {None, "10"}

    async def test_one_that_is_revoked_while_it_is_made_is_not_handed_out(
        self, engine: Engine, base: Base, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(*_: Any) -> bytes:
            base.revoked()
            return b"%PDF-"

        monkeypatch.setattr("register.certificate.certificate_pdf", slow)
        async with site_on(engine, clock, keys=KEYS) as site:
            answer = await site.get(f"/c/{base.number}.pdf")
        assert answer.status_code == 410 and b"%PDF" not in answer.content

    async def test_what_it_waited_is_not_kept_longer(
        self, engine: Engine, base: Base, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A term's last seconds pass while its certificate is made."""
        clock.now = base.case.terms[0].until - timedelta(seconds=20)

        def slow(*_: Any) -> bytes:
            clock.passes(15)
            return b"%PDF-"

        monkeypatch.setattr("register.certificate.certificate_pdf", slow)
        async with site_on(engine, clock, keys=KEYS) as site:
            answer = await site.get(f"/c/{base.number}.pdf")
        assert answer.headers["cache-control"] == "public, max-age=5, must-revalidate"

    async def test_it_counts_as_several_lookups(self, engine: Engine, base: Base, clock: Clock) -> None:
        async with site_on(engine, clock, keys=KEYS, per_minute=20) as site:
            paths = [f"/c/{base.number}.pdf"] * 3 + [f"/c/{base.number}"] * 5
            assert [(await site.get(path)).status_code for path in paths] == [200, 200, 429, *[200] * 4, 429]
        async with site_on(engine, clock, keys=KEYS, per_minute=1) as site:
            assert (await site.get(f"/c/{base.number}.pdf")).status_code == 200, "a small limit does not shut it out"


def rewritten(content: bytes, change: Callable[[PdfWriter], None]) -> bytes:
    """A PDF as somebody else would save it."""
    writer = PdfWriter(clone_from=io.BytesIO(content))
    change(writer)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def attached(*records: bytes) -> Callable[[PdfWriter], None]:
    def change(writer: PdfWriter) -> None:
        for one in list(writer.attachment_list):
            one.delete()
        for record in records:
            writer.add_attachment(ATTACHMENT, record)

    return change


WORDS_OF_VERSION_1 = "411babe4207639621670cc767ccb2a8e979335f6729ed4cb2ea59fdcbb2717d9"
OTHER = term(number="LBC-2026-000002", name="广州十三行直播电商基地")
AFTER = datetime.fromisoformat("2027-03-02T00:00:00+08:00")
WITHIN = AFTER - timedelta(seconds=1)


class TestRecord:
    def test_it_is_proven_and_shows_that_it_was_issued_never_that_it_is_in_force(self) -> None:
        document, key = proven_record(pdf(TERM), KEYS)
        assert (document, key) == (TERM, "k1")
        assert judge_issued(document, WITHIN).verdict is Verdict.ISSUED
        assert judge_issued(document, AFTER).verdict is Verdict.ENDED
        with pytest.raises(NotProven):
            judge(document, WITHIN)  # never taken for a document that says how it stands

    def test_saved_anew_by_another_program_it_is_still_proven(self) -> None:
        assert proven_record(rewritten(pdf(TERM), lambda writer: None), KEYS) == (TERM, "k1")

    def test_every_hostile_name_is_read_back(self) -> None:
        for changes in (
            {"name": MARKUP, "holder": UNSEEN, "place": LONG},
            {"name": LONG, "holder": SPACELESS, "place": "\u3000全角\uff21 [U+4E49] \u00a0"},
            {"holder": ""},
        ):
            assert proven_record(pdf(term(**changes)), KEYS)[0] == term(**changes), changes

    @pytest.mark.parametrize("how", ["missing", "altered", "of another", "twice", "of a stranger", "no record", "cut"])
    def test_one_that_was_tampered_with_is_not(self, how: str) -> None:
        made, good = pdf(TERM), canonical(sign(TERM, KEYS))
        changed = {
            "missing": lambda: rewritten(made, attached()),
            "altered": lambda: rewritten(made, attached(good.replace("北苑".encode(), "南苑".encode()))),
            "of another": lambda: rewritten(made, attached(canonical(sign(OTHER, KEYS)))),
            "twice": lambda: rewritten(made, attached(good, good)),
            "of a stranger": lambda: pdf(TERM, read_keys(new_key_set("k1"), to_sign=True)),
            "no record": lambda: rewritten(made, attached(b"{}")),
            "cut": lambda: made[: len(made) // 2],
        }[how]()
        with pytest.raises(NotProven):
            proven_record(changed, KEYS)

    @pytest.mark.parametrize(
        ("of", "printed"),
        [
            (TERM, term(name="别家直播基地")),
            (TERM, term(credit_code="91330782MA2K7P3R1X")),
            (TERM, term(number="LBC-2026-000009")),
            (TERM, term(valid_until="2099-03-02T00:00:00+08:00")),
            (TERM, term(valid_from="2020-03-02T16:00:00+08:00")),
            (TERM, {**TERM, "page": "https://list.example.cn.evil.example/c/LBC-2026-000001"}),
            (term(name="甲基地"), term(name="甲基地旗舰总部")),
            (term(holder="", place=""), TERM),
            (term(name="甲1基地"), term(name="甲①基地")),
            (term(name="甲[U+4E59]基地"), term(name="甲乙基地")),
        ],
    )
    def test_a_page_that_says_something_else_than_its_record_is_noticed(
        self, of: dict[str, Any], printed: dict[str, Any]
    ) -> None:
        """A forged page around the record of a certificate that is real."""
        found = replace(read_here(pdf(printed)), record=canonical(sign(of, KEYS)))
        with pytest.raises(NotProven, match="its (record is of another|page says something else)"):
            proven_apart(b"%PDF-", KEYS, lambda _: found)

    @pytest.mark.parametrize(
        ("name", "holder", "place"),
        [
            ("甲•乙‧丙基地", "a–b‒c基地", "甲-乙‑丙基地"),
            ("甲…⋯基地", "兀⺎基地", "幺⺓基地"),
            ("甲\u302a\u302e基地", "\uff9e\uff9f基地", "\u1112\u1161\u11ab〳〴〵e\u0301"),
            ("LBC-2025-000009 基地", "…", "⋯"),
        ],
    )
    def test_characters_of_one_glyph_are_told_apart(self, name: str, holder: str, place: str) -> None:
        document = term(name=name, holder=holder, place=place)
        assert proven_record(pdf(document), KEYS)[0] == document

    def test_the_words_of_a_certificate_stay(self) -> None:
        """What was handed out is known again by them: others need another version of the record."""
        text = text_of(paper_of(TERM, signed=True, signs=True))
        assert hashlib.sha256(text.encode()).hexdigest() == WORDS_OF_VERSION_1

    def test_forms_in_forms_keep_nobody_waiting(self) -> None:
        def nested(writer: PdfWriter) -> None:
            form: Any = None
            for _ in range(40):
                inner = DecodedStreamObject()
                inner.update({NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form")})
                if form is not None:
                    forms = DictionaryObject({NameObject("/F"): form})
                    inner[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): forms})
                    inner.set_data(b"/F Do " * 9)
                form = writer._add_object(inner)
            page: Any = writer.pages[0]
            page["/Resources"][NameObject("/XObject")] = DictionaryObject({NameObject("/F"): form})
            contents = DecodedStreamObject()
            contents.set_data(b"/F Do")
            page[NameObject("/Contents")] = writer._add_object(contents)

        with pytest.raises(NotProven, match="more on its pages"):
            proven_record(rewritten(pdf(TERM), nested), KEYS)

    @pytest.mark.parametrize("how", ["record", "another file", "page"])
    def test_what_unpacks_to_much_is_not_unpacked(self, how: str) -> None:
        much = bytes(24 << 20)

        def page(writer: PdfWriter) -> None:
            contents = DecodedStreamObject()
            contents.set_data(much)
            first: Any = writer.pages[0]
            first[NameObject("/Contents")] = writer._add_object(contents.flate_encode())

        def another(writer: PdfWriter) -> None:
            writer.add_attachment("other.bin", b"other")

        def record(writer: PdfWriter) -> None:
            attached(much)(writer)
            for one in writer.attachment_list:
                files: Any = one.pdf_object["/EF"]
                writer._replace_object(files.raw_get("/F"), files["/F"].flate_encode())

        change = {"record": record, "another file": another, "page": page}[how]
        bomb = rewritten(pdf(TERM), change)
        assert len(bomb) < 1 << 20
        with pytest.raises(NotProven, match="LimitReachedError|more attached"):
            proven_record(bomb, KEYS)

    def test_a_stranger_s_file_is_read_for_so_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert proven_apart(pdf(TERM), KEYS) == (TERM, "k1")
        with pytest.raises(NotProven, match=r"can't be read as a PDF"):
            read_apart(b"%PDF-")
        with pytest.raises(NotProven, match="too long"):
            read_apart(b"%PDF-" + bytes(5 << 20))
        monkeypatch.setattr("register.reading._SECONDS", 0.01)
        with pytest.raises(NotProven, match="takes too long"):
            read_apart(pdf(TERM))

    @pytest.mark.parametrize("content", [b"%PDF-", b"%PDF-1.7\n" + b"\x00" * 99, b"%PDF-1.7" + b"[" * 9999])
    def test_what_is_none_is_said_to_be_none(self, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
        assert is_pdf(content)
        with pytest.raises(NotProven):
            proven_record(content, KEYS)

    @pytest.mark.parametrize(
        "document",
        [
            {**TERM, "type": "certificate"},
            {**TERM, "version": 2},
            {**TERM, "page": None},
            {**TERM, "certificate": []},
            term(valid_until="2027-03-02"),
            {name: value for name, value in TERM.items() if name != "issuer"},
        ],
    )
    def test_a_signed_document_of_another_kind_is_no_record(self, document: dict[str, Any]) -> None:
        with pytest.raises(NotProven):
            judge_issued(document, WITHIN)

    def test_how_it_stands_is_told_by_a_list_that_says_the_same_of_it(self) -> None:
        issued = judge_issued(TERM, WITHIN)
        about = {"version": 1, "issuer": "i", "list_revision": 1, "as_of": "2026-12-01T08:00:00+08:00"}
        about["good_until"] = "2026-12-02T08:00:00+08:00"
        now = datetime.fromisoformat("2026-12-01T09:00:00+08:00")

        def by(*listed: dict[str, Any], **changes: Any) -> Verdict:
            whole = {"type": "list", **about, "count": len(listed), "certificates": list(listed), **changes}
            return judge_issued_by(issued, judge(whole, now, number=NUMBER)).verdict

        own = {**term()["certificate"], "status": "certified"}
        assert by(own) is Verdict.CERTIFIED
        assert by({**own, "status": "suspended"}) is Verdict.SUSPENDED
        assert by() is Verdict.UNKNOWN
        assert by({**own, "name": "义乌北苑新直播基地"}) is Verdict.OUTDATED
        assert by(own, good_until="2026-12-01T08:30:00+08:00") is Verdict.OUTDATED
        with pytest.raises(NotProven):
            by(own, issuer="j")
