"""The same path with PostgreSQL, the production database, under it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from store.audit import verify_chain
from store.queries import Reader
from tests.office import Office, working_office
from tests.path.test_first_year import live_through_the_first_year
from tests.postgres import PostgresServer


@pytest.fixture
async def office_on_postgres(client: Client, tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Office]:
    async with working_office(client, tmp_path, database_url=postgres.url("path")) as working:
        yield working
        working.engine.dispose()


async def test_a_base_lives_through_its_first_year_on_postgresql(office_on_postgres: Office) -> None:
    office = office_on_postgres
    assert office.engine.dialect.name == "postgresql"
    base = await live_through_the_first_year(office)
    entries = Reader(office.engine).timeline(base.case.case_number)
    assert [entries[0]["event"], entries[-1]["event"]] == ["application_received", "marks_confirmed"]
    with office.engine.connect() as connection:
        report = verify_chain(connection, base.case.case_number)
    assert report.ok, report.why
    assert report.entries == len(entries) == base.case.sequence
