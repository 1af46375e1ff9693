"""register, as it is typed: on the records alone, with no server of ours but the one it starts itself."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pypdf import PdfReader, PdfWriter
from sqlalchemy import Engine, text

from connection.private_file import write_private
from domain.listed import Seen
from register import formats
from register.certificate import CertificateMaker
from register.proof import ATTACHMENT, canonical, new_key_set, proven, read_keys, sign
from register.settings import FONTS
from register.words import Words
from store.cases import CaseStore
from store.engine import open_engine
from store.register import ListReader
from tests.databases import migrated_sqlite
from tests.documents import pseudonym
from tests.register.bases import Base
from tests.starter.conftest import certify
from tests.starter.in_process import InProcess
from tests.starter.livebase import Running

KEYS = new_key_set("k1")
NOBODY = "LBC-2026-999999"
READABLE = Path(__file__)
"""A file that others may read."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "livebase.db").write_bytes(migrated_sqlite())
    engine = open_engine(f"sqlite:///{tmp_path / 'livebase.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def office(tmp_path: Path, engine: Engine) -> InProcess:
    write_private(tmp_path / "register-keys.json", KEYS)
    return InProcess(tmp_path)


@pytest.fixture
def bases(engine: Engine) -> tuple[Base, Base, Base]:
    """Certified, suspended and revoked by the clock of the machine, in these days."""
    store, opened = CaseStore(engine, pseudonym), datetime.now(UTC) - timedelta(days=1)
    return (
        Base(store, 1, opened=opened),
        Base(store, 2, opened=opened).suspended(),
        Base(store, 3, opened=opened).revoked(),
    )


def verdict(office: InProcess, code: int, *words: str | Path) -> str:
    done = office("register", "verify", *words, "--seen", office.folder / "seen.json", "-o", "json")
    assert done.code == code, done.out + done.err
    found = done.json
    return str(found["error"]["kind"] if "error" in found else found["verdict"])


def exported(office: InProcess, name: str = "list.json") -> Path:
    done = office("register", "export", "-o", "json")
    assert done.code == 0, done.err
    file = office.folder / name
    file.write_text(done.out, "utf-8")
    return file


def test_by_a_signed_list_alone(office: InProcess, engine: Engine, bases: tuple[Base, Base, Base]) -> None:
    file = exported(office)
    document, _ = proven(file.read_bytes(), read_keys(KEYS))
    assert [one["status"] for one in document["certificates"]] == ["certified", "suspended"]
    engine.dispose()
    (office.folder / "livebase.db").unlink()  # offline
    one, two, three = (base.number for base in bases)
    assert verdict(office, 0, file) == "whole"
    assert verdict(office, 1, two, "--list", file) == "suspended"
    assert verdict(office, 3, three, "--list", file) == verdict(office, 3, NOBODY, "--list", file) == "unknown"
    assert verdict(office, 6, one) == "unreachable"
    changed = office.folder / "changed.json"
    changed.write_text(file.read_text("utf-8").replace("suspended", "certified"), "utf-8")
    assert verdict(office, 1, two, "--list", changed) == "tampered"
    other = office.folder / "other.json"
    other.write_text(new_key_set("k1"), "utf-8")
    assert verdict(office, 1, file, "--keys", other) == "tampered"


def test_one_that_is_older_than_the_newest_seen(office: InProcess, engine: Engine, bases: tuple[Base, ...]) -> None:
    old = exported(office, "old.json")
    bases[0].revoked(bases[0].case.terms[0].from_ + timedelta(hours=9))
    new = exported(office, "new.json")
    assert verdict(office, 0, old) == "whole"
    assert verdict(office, 0, new) == "whole"
    assert verdict(office, 1, old) == "older"
    assert verdict(office, 1, bases[0].number, "--list", old) == "older"
    assert verdict(office, 3, bases[0].number, "--list", new) == "unknown"
    (office.folder / "seen.json").write_text("[]", "utf-8")
    assert verdict(office, 2, new) == "usage"


def test_by_the_records_now_and_then(office: InProcess, bases: tuple[Base, Base, Base]) -> None:
    one, two, three = bases
    assert [verdict(office, code, base.number) for base, code in ((one, 0), (two, 1), (three, 1))] == [
        "certified", "suspended", "ended",
    ]  # fmt: skip
    assert verdict(office, 3, NOBODY) == "unknown"
    begin, end = three.case.terms[0].from_, one.case.terms[0].until
    for at, code, expected in (
        (begin, 3, "unknown"),
        (begin + timedelta(hours=3), 0, "certified"),
        (begin + timedelta(hours=5), 1, "ended"),
    ):
        assert verdict(office, code, three.number, "--at", at.isoformat()) == expected, at
    assert verdict(office, 0, one.number, "--at", (end - timedelta(seconds=1)).isoformat()) == "certified"
    assert verdict(office, 1, one.number, "--at", end.isoformat()) == "ended"
    assert verdict(office, 2, one.number, "--at", "yesterday") == "usage"


def printed(office: InProcess, engine: Engine, base: Base, *, signed: bool = True) -> Path:
    """A base's certificate, as somebody has saved it once."""
    keys, reader = read_keys(KEYS, to_sign=True), ListReader(engine)
    found = reader.certificate(base.number, datetime.now(UTC))
    assert found is not None
    document = formats.term_document(found[0], reader.installation()[0], f"https://list.example.cn/c/{base.number}")
    file = office.folder / f"{base.number}.pdf"
    file.write_bytes(CertificateMaker(FONTS).made(document, canonical(sign(document, keys)) if signed else None))
    return file


def test_a_certificate_s_pdf_shows_what_was_issued_and_a_list_how_it_stands(
    office: InProcess, engine: Engine, bases: tuple[Base, Base, Base]
) -> None:
    files = [printed(office, engine, base) for base in bases]
    one, two, three = files
    lists = exported(office)
    unsigned = printed(office, engine, bases[0], signed=False).rename(office.folder / "unsigned.pdf")
    printed(office, engine, bases[0])
    engine.dispose()
    (office.folder / "livebase.db").unlink()  # offline
    assert {verdict(office, 1, file) for file in files} == {"issued"}, "it never says that it is in force"
    said = office("register", "verify", one, "--lang", "zh").out
    for fact in (
        bases[0].number,
        bases[0].credit_code,
        "义乌北苑直播基地",
        "https://list.example.cn/c/",
        "以网页或签名名单为准",
    ):
        assert fact in said
    assert verdict(office, 0, one, "--list", lists) == "certified"
    assert verdict(office, 1, two, "--list", lists) == "suspended"
    assert verdict(office, 3, three, "--list", lists) == "unknown"
    assert verdict(office, 1, unsigned) == verdict(office, 1, unsigned, "--list", lists) == "tampered"
    writer = PdfWriter(clone_from=one)
    for attached in list(writer.attachment_list):
        attached.delete()
    writer.add_attachment(ATTACHMENT, next(iter(PdfReader(two).attachments[ATTACHMENT])))
    forged = office.folder / "forged.pdf"
    writer.write(forged)
    assert verdict(office, 1, forged, "--list", lists) == "tampered"
    assert "another certificate" in office("register", "verify", forged).err
    other = office.folder / "other.json"
    other.write_text(new_key_set("k1"), "utf-8")
    assert verdict(office, 1, one, "--keys", other) == "tampered"
    assert verdict(office, 2, office.folder / "nowhere.pdf", "--list", lists) == "usage"
    assert verdict(office, 2, bases[0].number, "--list", two) == "usage", "the number is not dropped"
    record = office.folder / ATTACHMENT
    record.write_bytes(next(iter(PdfReader(one).attachments[ATTACHMENT])))
    assert verdict(office, 1, record) == "issued"
    assert verdict(office, 1, bases[0].number, "--list", record) == "tampered", "it says nothing of how it stands"


class Dripping(BaseHTTPRequestHandler):
    """Answers for ever, and as fast as `wait` lets it."""

    wait = 0.0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.wfile.closed:
                self.wfile.write(b"x" * (1 if self.wait else 4096))
                time.sleep(self.wait)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        return


def test_an_answer_without_end_is_not_waited_for(office: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/c/{NOBODY}"
            monkeypatch.setattr("starter.list_reading._MOST", 100_000)
            assert verdict(office, 1, url) == "tampered", "read as far as a list may be long"
            monkeypatch.setattr(Dripping, "wait", 0.05)
            monkeypatch.setattr("starter.list_reading._SECONDS", 0.5)
            assert verdict(office, 6, url) == "unreachable"
        finally:
            server.shutdown()


def test_snapshots_follow_each_other(office: InProcess, bases: tuple[Base, ...]) -> None:
    folder = office.folder / "snapshots"
    for number in (1, 2, 3):
        done = office("register", "export", "--to", folder, "-o", "json")
        assert (done.code, done.json["snapshot"], done.json["count"]) == (0, number, 2)
    assert verdict(office, 0, folder) == "whole"
    assert verdict(office, 0, folder / "list-000003.json") == "whole"
    bases[0].revoked(bases[0].case.terms[0].from_ + timedelta(hours=9))
    assert office("register", "export", "--to", folder).code == 0
    assert verdict(office, 0, folder) == "whole"
    (folder / "list-000004.json").unlink()
    assert verdict(office, 1, folder) == "older", "its end is missing, as who has seen it knows"
    (folder / "list-000002.json").unlink()
    assert verdict(office, 1, folder) == "tampered"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere.json",), 2, "nowhere.json"),
        (("{folder}",), 2, "no snapshots"),
        (("http://127.0.0.1:1/c/LBC-2026-000001",), 6, "does not answer"),
        (("x", "--list", "y"), 2, "no certificate number"),
        (("x", "--at", "2026-03-02"), 2, "--at"),
        (("{folder}/livebase.db",), 1, "not proven"),
        (("{folder}/livebase.db", "--keys", "{folder}/livebase.db"), 2, "JSON Web Key Set"),
    ],
)
def test_what_can_t_be_says_why_and_what_to_do(office: InProcess, words: tuple[str, ...], code: int, said: str) -> None:
    done = office("register", "verify", *(word.format(folder=office.folder) for word in words))
    assert done.code == code and said in done.err and "→" in done.err, done.err


def test_without_keys_nothing_is_signed_or_proven(office: InProcess, bases: tuple[Base, ...]) -> None:
    file = exported(office)
    (office.folder / "register-keys.json").unlink()
    assert office("register", "export").code == 2
    done = office("register", "verify", file)
    assert done.code == 2 and "livebase-keys.json" in done.err
    assert office("register", "export", env={"LIVEBASE_REGISTER_KEYS": str(office.folder / "livebase.db")}).code == 2


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--port", "70000"), {}),
        (("--host", "0.0.0.0"), {}),
        ((), {"LIVEBASE_REGISTER_URL": "list.example.cn"}),
        ((), {"LIVEBASE_REGISTER_CACHE_SECONDS": "61"}),
        ((), {"LIVEBASE_REGISTER_PROXIES": "everybody"}),
        ((), {"LIVEBASE_REGISTER_KEYS": "/nowhere"}),
        ((), {"LIVEBASE_REGISTER_KEYS": str(READABLE)}),
        (("--dry-run",), {}),
    ],
)
def test_it_does_not_serve_with_settings_that_can_t_be(
    office: InProcess, words: tuple[str, ...], env: dict[str, str]
) -> None:
    assert office("register", "serve", *words, env=env).code == 2


def test_a_port_that_is_taken_and_a_schema_that_is_old_are_said(office: InProcess, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = office("register", "serve", "--port", str(taken.getsockname()[1]))
    assert done.code == 2 and "--port" in done.err
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'x'"))
    assert office("register", "serve", "--port", "0").code == 6


def test_served_with_nobody_else_running_until_it_is_told_to_end(
    office: InProcess, bases: tuple[Base, Base, Base]
) -> None:
    keys = {"LIVEBASE_REGISTER_KEYS": str(office.folder / "register-keys.json")}
    process = office.start("register", "serve", "--port", "0", "-o", "json", env=keys)
    try:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        url = json.loads(said)["url"]
        assert verdict(office, 0, f"{url}/c/{bases[0].number}") == "certified"
        assert verdict(office, 0, f"{url}/c/{bases[0].number}.pdf") == "certified", "asked of its page"
        lists = "--list", f"{url}/list.json"
        assert verdict(office, 0, f"{url}/c/{bases[0].number}.pdf", *lists) == "certified", "the PDF itself"
        assert verdict(office, 6, f"{url}/c/{bases[2].number}.pdf", *lists) == "unreachable", "not handed out"
        assert verdict(office, 3, f"{url}/c/{NOBODY}.pdf", *lists) == "unknown"
        assert verdict(office, 1, f"{url}/en/c/{bases[1].number}") == "suspended"
        assert verdict(office, 1, f"{url}/c/{bases[2].number}.json") == "ended"
        assert verdict(office, 3, f"{url}/c/{NOBODY}") == "unknown"
        assert verdict(office, 2, bases[0].number, "--list", f"{url}/about", "--at", "x") == "usage"
        assert verdict(office, 1, bases[1].number, "--list", f"{url}/list.json") == "suspended"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.communicate()


def test_page_certificate_and_verifier_agree_from_certified_to_revoked(
    dev: Running, applied: str, tmp_path: Path
) -> None:
    """What a newcomer does: certify, find it on the site, keep the certificate, prove it, revoke."""
    number = certify(dev, applied)["term"]["certificate_number"]
    page, paper = f"{dev.state['register_url']}/c/{number}", tmp_path / "certificate.pdf"
    with urllib.request.urlopen(f"{dev.state['register_url']}/?q={number}", timeout=10) as answer:
        assert f'href="/c/{number}"' in answer.read().decode()
    with urllib.request.urlopen(f"{page}.pdf", timeout=30) as answer:
        paper.write_bytes(answer.read())

    def verdicts() -> list[tuple[int, str]]:
        told = [dev("register", "verify", one, "-o", "json") for one in (number, page, f"{page}.pdf", paper)]
        return [(done.code, done.json["verdict"]) for done in told]

    assert verdicts() == [(0, "certified"), (0, "certified"), (0, "certified"), (1, "issued")]
    proposed = dev("revoke", applied, "--reason", "organised fake orders", "--yes", "--as", "compliance:he")
    (proposal,) = re.findall(r"approvals show (LB-\S+)", proposed.err)
    dev.ok("approvals", "approve", proposal, "--yes", "--as", "compliance:feng")
    assert verdicts() == [(1, "ended"), (1, "ended"), (1, "ended"), (1, "issued")]
    with urllib.request.urlopen(page, timeout=10) as answer:
        assert Words("zh").status(Seen.ENDED) in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="410"):
        urllib.request.urlopen(f"{page}.pdf", timeout=10)


def test_dev_shows_it_and_tells_where(dev: Running) -> None:
    url = dev.state["register_url"]
    with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
        assert answer.status == 200
    assert url in dev("dev", "--detach").out
    key = dev.folder / "register-keys.json"
    assert key.stat().st_mode & 0o777 == 0o600
    with urllib.request.urlopen(f"{url}/list.json", timeout=10) as answer:
        assert proven(answer.read(), read_keys(key.read_text("utf-8")))
