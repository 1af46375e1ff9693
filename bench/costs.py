"""What a stretch of work cost: processor time by process, transactions and write-ahead log of PostgreSQL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil
from sqlalchemy import Connection, text

from bench.reading import reading

_STATISTICS_LAG = 1.5  # seconds until every session's counts are in


@dataclass(frozen=True)
class Costs:
    """`cpu` in seconds by process, transactions committed by database, bytes of write-ahead log."""

    cpu: Mapping[str, float]
    commits: Mapping[str, int]
    wal: int

    def since(self, earlier: Costs) -> Costs:
        return Costs(
            {name: now - earlier.cpu[name] for name, now in self.cpu.items()},
            {name: now - earlier.commits[name] for name, now in self.commits.items()},
            self.wal - earlier.wal,
        )


def costs(url: str, databases: Iterable[str], pids: Mapping[str, Sequence[int]]) -> Costs:
    """The costs so far. `url` is a database on the server; `pids` are processes by name."""
    time.sleep(_STATISTICS_LAG)
    cpu = {name: sum(map(_cpu, ids)) for name, ids in pids.items()}
    with reading(url) as connection:
        commits = {name: _commits(connection, name) for name in databases}
        wal = connection.execute(text("SELECT pg_current_wal_lsn() - '0/0'")).scalar_one()
    return Costs(cpu, commits, int(wal))


def _commits(connection: Connection, name: str) -> int:
    rows = text("SELECT xact_commit FROM pg_stat_database WHERE datname = :name")
    return int(connection.execute(rows, {"name": name}).scalar_one())


def _cpu(pid: int) -> float:
    """Of a process with all it has started, ended ones included."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system
    if pid == os.getpid():
        return float(total)  # what we started is counted by itself
    total += own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return float(total)
