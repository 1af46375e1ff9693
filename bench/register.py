"""How fast the official list answers with 100,000 bases on it, at 200 requests a second, on PostgreSQL.

Beside it the same server answering a page that asks nothing: what the machine, the server and this client take anyway.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from starter.output import print_table
from store.cases import CaseStore
from store.engine import open_engine
from store.migrate import migrate
from tests.documents import pseudonym
from tests.postgres import PostgresServer
from tests.register.bases import Base

BASES = 100_000
A_SECOND = 200
SECONDS = 10
PLACES = ("浙江省金华市义乌市", "广东省深圳市", "山东省临沂市", "江苏省南通市", "四川省成都市")
_LIVEBASE = Path(sys.executable).with_name("livebase")


async def register_speed() -> None:
    """Print what a visitor waits. Raises AssertionError when an answer is none."""
    with tempfile.TemporaryDirectory(prefix="livebase-bench-") as folder, PostgresServer() as postgres:
        url = postgres.url("register")
        numbers = _listed(url)
        gc.freeze()  # our own pauses are not the site's
        chance = random.Random(8)
        site, address = _serving(url, Path(folder))
        try:
            rows = []
            for what, path, goal in (
                ("a page that asks nothing", lambda: "/livez", "-"),
                ("a certificate's page, by number", lambda: f"/c/{chance.choice(numbers)}", "p99 under 10 ms"),
                ("the same for machines", lambda: f"/c/{chance.choice(numbers)}.json", "p99 under 10 ms"),
                ("the first page of the list", lambda: "/", "p99 under 30 ms"),
                ("a search by number", lambda: f"/?q={chance.choice(numbers)}", "-"),
            ):
                await _asked(address, path, 2)
                took = await _asked(address, path, SECONDS)
                cuts = statistics.quantiles(took, n=1000)
                rows.append((what, f"{cuts[499]:.1f} ms", f"{cuts[989]:.1f} ms", f"{max(took):.0f} ms", goal))
            rows.append(await _papers(address, chance.sample(numbers, 20)))
            title = f"{BASES:,} bases listed, {A_SECOND} requests a second, PostgreSQL"
            print_table(("", "p50", "p99", "longest", "goal"), rows, title=title)
        finally:
            site.terminate()
            site.wait(20)


def _listed(url: str) -> list[str]:
    """So many bases on the list, copies of one that the rules put there; their certificate numbers."""
    migrate(url, local_server=False)
    engine = open_engine(url)
    base = Base(CaseStore(engine, pseudonym), 1)
    engine.dispose()
    with create_engine(url).begin() as connection:
        for table, named in (("cases", "workflow_id"), ("list_revisions", "certificate_number")):
            columns = list(
                connection.scalars(
                    text("SELECT column_name FROM information_schema.columns WHERE table_name = :t"), {"t": table}
                )
            )
            changed = {
                "case_number": "'LB-2026-' || lpad(n::text, 6, '0')",
                "certificate_number": "'LBC-2026-' || lpad(n::text, 6, '0')",
                "credit_code": "'91' || lpad(n::text, 16, '0')",
                "workflow_id": "'base:' || n",
                "name": "'义乌第' || n || '直播基地'",
                "facts": "'{}'::json",  # ten kilobytes each, which no page reads
                "place": f"(ARRAY{list(PLACES)!r})[1 + n % {len(PLACES)}]",
                "valid_from": f"now() - interval '1 day' * (n % 300) - interval '{SECONDS} minutes'",
                "valid_until": "now() + interval '1 day' * (30 + n % 300)",
                "effective_from": "now() - interval '1 day' * (n % 300)",
            }
            selected = ", ".join(changed.get(column, f"o.{column}") for column in columns)
            assert named in columns
            connection.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {selected} "
                    f"FROM {table} o, generate_series(2, {BASES}) n WHERE o.case_number = :first"
                ),
                {"first": base.case.case_number},
            )
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return [f"LBC-2026-{n:06d}" for n in range(2, BASES + 1)]


def _serving(url: str, folder: Path) -> tuple[subprocess.Popen[str], str]:
    own = {"LIVEBASE_DATABASE_URL": url, "LIVEBASE_REGISTER_PER_MINUTE": "0", "LIVEBASE_DATA_DIR": str(folder)}
    site = subprocess.Popen(
        [_LIVEBASE, "register", "serve", "--port", "0", "-o", "json"],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert site.stdout is not None
    said = ""
    while not said.rstrip().endswith("}"):
        line = site.stdout.readline()
        assert line, "the site did not come up"
        said += line
    return site, json.loads(said)["url"]


async def _papers(address: str, numbers: list[str]) -> tuple[str, str, str, str, str]:
    """A certificate's PDF, one after the other, each made anew."""
    took = []
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        for number in numbers:
            begun = time.perf_counter()
            answer = await client.get(f"/c/{number}.pdf")
            assert answer.status_code == 200 and answer.content.startswith(b"%PDF"), answer
            took.append((time.perf_counter() - begun) * 1000)
    longest = max(took)
    return "a certificate's PDF, alone", f"{statistics.median(took):.0f} ms", "", f"{longest:.0f} ms", "under 1 s"


async def _asked(address: str, path: Callable[[], str], seconds: int) -> list[float]:
    """Milliseconds from when each question was due, however late the one before was answered."""
    took: list[float] = []
    async with httpx.AsyncClient(base_url=address, limits=httpx.Limits(max_connections=32)) as client:

        async def ask(due: float) -> None:
            answer = await client.get(path())
            assert answer.status_code == 200, answer
            took.append((time.perf_counter() - due) * 1000)

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as asking:
            for number in range(A_SECOND * seconds):
                due = begun + number / A_SECOND
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                asking.create_task(ask(due))
    return took
