"""What a cluster needs before its first worker: `python -m workers.prepare`, safe to repeat with every release.

Brings the database to the present schema and the roles of `store/roles.py` to their rights, appoints the first
administrators, then waits for Temporal and registers the namespace and the search attributes of `domain/tracing.py`.
Ends with 0 when both can be used, 2 when a setting can't be, 6 when one of them did not answer in time, 1 when it holds
what can't be changed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import OperationalError
from temporalio.client import Client

from connection.client import connect
from connection.errors import BadConfiguration, ConnectionProblem, Unreachable
from connection.namespace import prepare
from connection.profile import Target, resolve
from domain.actors import ADMINISTRATOR
from store.actors import ActorStore
from store.engine import open_engine
from store.migrate import migrate
from store.roles import ROLES
from store.signatures import key_id
from workers.settings import PREFIX, read_settings

_PAUSE = 1.0  # seconds


class PreparationSettings(BaseSettings):
    """`database_url` is a SQLAlchemy URL. Temporal is found as everywhere, by TEMPORAL_ADDRESS or a profile."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    database_url: str
    administrators: str = ""
    """Who may first say who may act: `NAME=ed25519:…`, several parted by commas; whoever is known stays as they are."""
    patience_seconds: int = 300
    """How long database and Temporal together may take to come up."""


def main() -> int:
    """Prepare what the environment names; the exit code."""
    try:
        settings = read_settings(PreparationSettings)
        deadline = time.monotonic() + settings.patience_seconds
        administrators = _named(settings.administrators)
        prepare_database(settings.database_url, deadline)
        appoint(settings.database_url, administrators)
        asyncio.run(prepare_temporal(resolve(), deadline))
    except ConnectionProblem as problem:
        _say(f"failed: {problem.message}\n→ {problem.hint}")
        return 2 if isinstance(problem, BadConfiguration) else 6
    except ValueError as error:
        _say(f"failed: {error}\n→ Use another database or namespace; what is there can't be changed.")
        return 1
    return 0


def prepare_database(url: str, deadline: float) -> None:
    """Bring the database to the present schema and its roles to their rights, as one whose clocks are never moved.

    `deadline` is on `time.monotonic()`. Raises Unreachable when it does not answer by then, ValueError when it
    is a local server's.
    """
    while True:
        try:
            missing = migrate(url, local_server=False)
        except OperationalError as error:
            if time.monotonic() > deadline:
                why = str(error.orig).partition("\n")[0]
                raise Unreachable(f"The database can't be used: {why}.", "Check LIVEBASE_DATABASE_URL.") from error
            _say("waiting for the database")
            time.sleep(_PAUSE)
        else:
            _say("the database has the present schema")
            for role in missing:
                _say(f"role {role} is missing ({ROLES[role]})\n→ CREATE ROLE {role} NOLOGIN; then prepare again.")
            return


def appoint(url: str, administrators: dict[str, str]) -> None:
    """Put the first administrators on record, name → public key; from then on they say who may act."""
    engine = open_engine(url)
    try:
        store = ActorStore(engine)
        for name, key in administrators.items():
            if store.appoint(name, key, datetime.now(UTC)):
                _say(f"{name} is an administrator")
        if not any(ADMINISTRATOR in person.roles for person in store.people()):
            _say("nobody may say who may act yet\n→ livebase login NAME; then prepare with LIVEBASE_ADMINISTRATORS.")
    finally:
        engine.dispose()


def _named(text: str) -> dict[str, str]:
    found = {}
    for one in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = (part.strip() for part in one.partition("="))
        try:
            if not name:
                raise ValueError("has nobody's name")
            key_id(key)
        except ValueError as error:
            raise BadConfiguration(
                f"LIVEBASE_ADMINISTRATORS: the key of {name[:60]!r} {error}.", "Write NAME=ed25519:…, parted by commas."
            ) from None
        found[name] = key
    return found


async def prepare_temporal(target: Target, deadline: float) -> None:
    """Register namespace and search attributes, and return when both can be used. Raises as `prepare_database`."""
    client = await _connected(target, deadline)
    try:
        await prepare(client, deadline=deadline, check_alive=lambda: None)
    except TimeoutError as error:
        raise Unreachable(f"Temporal at {target.address} is not ready: {error}.", target.hint) from error
    _say(f"namespace {target.namespace} and its search attributes can be used")


async def _connected(target: Target, deadline: float) -> Client:
    while True:
        try:
            return await connect(target, identity="livebase:prepare")
        except Unreachable as problem:
            if time.monotonic() > deadline:
                raise
            _say(f"waiting: {problem.message}")
            await asyncio.sleep(_PAUSE)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    ended = main()
    sys.stderr.flush()
    # Threads of the Temporal client may still be at work; Python's own way out aborts on them now and again.
    os._exit(ended)
