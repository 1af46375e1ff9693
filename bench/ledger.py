"""How fast money comes on record: a payment's whole transaction, its ledger line, audit entry and letter with it."""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from activities.desk import CaseDesk
from activities.payments import PaymentActivities
from domain.commands import ReceiveDeposit, RecordUnplaced, payment_workflow_id
from starter.output import print_table
from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import migrate
from store.payments import PaymentStore
from store.reference import policy_book
from tests.documents import document_store, pseudonym
from tests.domain import cases
from tests.postgres import PostgresServer
from tests.store.first_year import HOUR, OPENED, Enterprise

PAYMENTS, CASES = 400, 20
_NOW = OPENED + 4 * HOUR


async def ledger_speed() -> None:
    """Print how many ledger entries a second are booked by one worker's thread, on either database."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="livebase-bench-") as folder, PostgresServer() as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/livebase.db"), ("PostgreSQL", postgres.url("ledger"))):
            migrate(url, local_server=True)
            rows += [(f"{name}: {what}", f"{speed:,.0f}/s") for what, speed in _booked(url, Path(folder) / name)]
    print_table(("a payment's transaction, one after the other", "ledger entries"), rows, title="Ledger throughput")


def _booked(url: str, folder: Path) -> list[tuple[str, float]]:
    engine = open_engine(url)
    store = CaseStore(engine, pseudonym)
    desk = CaseDesk(store, document_store(folder), policy_book())
    payments = PaymentActivities(PaymentStore(engine), policy_book())
    bases = [
        Enterprise(number=f"LB-2026-{number:06d}").stored(store, "application_approved").workflow_id
        for number in range(1, CASES + 1)
    ]
    begun = time.perf_counter()
    for number in range(PAYMENTS):
        command = ReceiveDeposit(
            request_id=f"r{number}", workflow_id=bases[number % CASES], actor=cases.FINANCE, amount=100,
            reference=f"B{number}", payer=cases.payer(),
        )  # fmt: skip
        assert desk.decide(command, _NOW).answer is not None
    of_cases = PAYMENTS / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for number in range(PAYMENTS):
        reference = f"S{number}"
        stray = RecordUnplaced(
            request_id=reference, workflow_id=payment_workflow_id(reference), actor=cases.FINANCE, amount=100,
            reference=reference, payer="p", paid_on=(_NOW - timedelta(days=1)).date(), why="w",
        )  # fmt: skip
        assert payments.record_unplaced(stray, _NOW).answer is not None
    of_nobody = PAYMENTS / (time.perf_counter() - begun)
    engine.dispose()
    return [("credited to a case, with audit entry and letter", of_cases), ("of no case", of_nobody)]
