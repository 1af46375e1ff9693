"""The migrations make exactly the models' schema, on both databases, however often and however many run them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

from store.engine import open_engine
from store.migrate import is_current, migrate
from store.tables import Table
from tests.databases import only_on

ROOT = Path(__file__).parents[2]
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def differences(url: str) -> list[object]:
    """What autogenerate would still change."""
    engine = open_engine(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata)
    engine.dispose()
    return found


def test_migrations_and_models_agree(database_url: str) -> None:
    assert differences(database_url) == []


def test_the_comparison_sees_a_difference(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE evidence ADD COLUMN stray TEXT"))
        connection.execute(text("DROP INDEX uq_cases_live"))
    engine.dispose()
    assert len(differences(database_url)) == 2


def test_constraints_the_comparison_does_not_look_at(database_url: str) -> None:
    engine = open_engine(database_url)
    found = inspect(engine)
    for table in Table.metadata.sorted_tables:
        checks = {check["name"] for check in found.get_check_constraints(table.name)}
        assert checks == {c.name for c in table.constraints if isinstance(c, CheckConstraint)}, table.name
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [c.name for c in table.primary_key]
    live = next(index for index in found.get_indexes("cases") if index["name"] == "uq_cases_live")
    assert live["unique"]
    predicate = live["dialect_options"][f"{engine.dialect.name}_where"]
    assert re.sub(r"[()]", "", str(predicate)) == "NOT ended"
    with engine.connect() as connection:
        triggers = " ".join(connection.execute(text(TRIGGERS[engine.dialect.name])).scalars())
    assert "ledger_lines" in triggers
    assert "audit_entries" in triggers
    engine.dispose()


def test_a_database_says_whether_it_is_current(empty_url: str) -> None:
    engine = open_engine(empty_url)
    assert not is_current(engine)
    migrate(empty_url, local_server=True)
    assert is_current(engine)
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url, local_server=True)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM installation")).scalars().all() == [1]
    engine.dispose()


@pytest.mark.parametrize("local_server", [True, False])
def test_an_installation_never_changes_its_kind(empty_url: str, local_server: bool) -> None:
    migrate(empty_url, local_server=local_server)
    with pytest.raises(ValueError, match="another kind of server"):
        migrate(empty_url, local_server=not local_server)
    migrate(empty_url, local_server=local_server)


def test_processes_migrating_at_once_wait_for_each_other(empty_url: str) -> None:
    code = f"from store.migrate import migrate; migrate({empty_url!r}, local_server=True)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], "\n".join(errors)
    assert differences(empty_url) == []


@only_on("postgresql")
def test_a_migration_may_take_longer_than_a_statement_of_a_stage(empty_url: str) -> None:
    """Another migration under way is waited for, past the few seconds a stage's statement gets."""
    engine = open_engine(empty_url)
    with engine.begin() as first:
        first.exec_driver_sql("SELECT pg_advisory_xact_lock(5201314)")
        code = f"from store.migrate import migrate; migrate({empty_url!r}, local_server=True)"
        second = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=6)
    assert second.communicate(timeout=30)[1] == ""
    assert second.returncode == 0
    assert is_current(engine)
    engine.dispose()


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check", "--diff"]])
def test_migrations_are_clean_code(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--no-cache", "store/migrations"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
