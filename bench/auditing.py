"""How fast the audit log is proven: from an export, and from the database with every row the log tells of."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, text

from audit.files import export
from audit.report import Report
from audit.signatures import Keys, Signatures
from audit.verifier import verify
from audit.whole_file import verify_file
from domain.commands import ReceiveDeposit
from starter.audit_export import json_lines
from starter.output import print_table
from starter.proving import prove_database
from store.auditing import AuditReader
from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import migrate
from store.sealing import SealStore
from store.signatures import key_id, new_key, public_key, sign
from tests.documents import pseudonym
from tests.office import FINANCE
from tests.postgres import PostgresServer
from tests.store.first_year import OPENED, Enterprise

CASES = 2_000
SIGNATURES = 5_000
GOAL = "50,000/s"
_TRIES = 5


async def verify_speed() -> None:
    """Print how many entries a second are proven. Raises AssertionError when something is not."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="livebase-bench-") as folder, PostgresServer() as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/livebase.db"), ("PostgreSQL", postgres.url("audit"))):
            file = Path(folder) / f"{name}.jsonl"
            entries = _written(url, file)
            engine = open_engine(url, read_only=True)
            everything = partial(prove_database, engine)
            rows.append(_measured(f"{name}: every entry, row and case", entries, everything))
            engine.dispose()
        rows.append(_measured("an export: every entry, one process", entries, lambda: verify(export(file, []))))
        rows.append(_measured("an export: every entry", entries, lambda: verify_file(file, (), [])))
    title = f"The audit log proven: {entries:,} entries of {CASES} first years"
    print_table(("", "entries", "took", "goal"), rows, title=title)
    print(f"{_signature_speed():,.0f} signatures a second are proven by one process.")


def _signature_speed() -> float:
    """Signatures a second, the best of some tries: one key's, each of another command for another case."""
    private = new_key()
    public = public_key(private)
    keys = Keys()
    keys.take({"detail": {"name": FINANCE.name, "keys": {key_id(public): public}}, "observed_at": OPENED.isoformat()})
    entries = []
    for number in range(SIGNATURES):
        workflow = f"base:{number}:1"
        command = ReceiveDeposit(
            request_id=str(number), workflow_id=workflow, actor=FINANCE, amount=1, reference=str(number), payer="p"
        )
        signed = {"signed": sign(command, private, OPENED, "bench")}
        case = {"case_number": str(number), "sequence": 1}
        entries.append({"kind": "entry", "event": "e", "actor": str(FINANCE), "detail": signed, **case})
    best = float("inf")
    for _ in range(_TRIES):
        found = Signatures(keys)
        begun = time.perf_counter()
        found.take(entries)
        best = min(best, time.perf_counter() - begun)
        report = found.report()
        assert (report.signed, report.broken) == (SIGNATURES, []), report.broken[:3]
    return SIGNATURES / best


def _written(url: str, file: Path) -> int:
    """First years written and sealed; how many entries they are."""
    migrate(url, local_server=True)
    engine = open_engine(url)
    cases, entries = CaseStore(engine, pseudonym), 0
    for number in range(CASES):
        enterprise = Enterprise(number=f"LB-2026-{number:06d}")
        with cases.transaction(enterprise.workflow_id) as tx:
            for transition in enterprise.first_year():
                tx.write(transition)
                entries += 1
    seals = SealStore(engine)
    while seals.seal(OPENED):
        pass
    with file.open("w", encoding="utf-8") as lines:
        json_lines(AuditReader(engine, rows=False).log(), lines)
    engine.dispose()
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM"))  # which a database in service has behind it
        connection.execute(text("ANALYZE"))
    return entries


def _measured(what: str, entries: int, prove: Callable[[], Report]) -> tuple[str, str, str, str]:
    """The quickest of some tries: what else the machine does only ever adds."""
    best = float("inf")
    for _ in range(_TRIES):
        begun = time.perf_counter()
        report = prove()
        best = min(best, time.perf_counter() - begun)
        assert report.ok and report.entries == entries, report.broken[:3]
    return what, f"{entries / best:,.0f}/s", f"{best:.2f} s", GOAL
