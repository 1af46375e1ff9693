"""One invocation: the common options, and what they lead to, opened only when a command needs it.

Everything heavy is imported inside, so that `livebase --help` stays quick.
"""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from starter.errors import CommandError, not_found, unreachable, usage

if TYPE_CHECKING:
    from connection.local_state import LocalState
    from connection.profile import Target
    from domain.commands import Actor
    from store.documents import DocumentStore
    from store.queries import FoundCase, Reader

Output = Literal["table", "json", "jsonl"]


@dataclass
class Session:
    """The common options of one invocation. `wall` is the wall clock, read once (decision 6)."""

    output: Output = "table"
    acting_as: str | None = None
    on_behalf: str | None = None
    request_id: str | None = None
    lang: str = "zh"
    dry_run: bool = False
    debug: bool = False
    yes: bool = False
    profile: str | None = None
    address: str | None = None
    namespace: str | None = None
    data_dir: str | None = None
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def today(self) -> date:
        """The wall clock's Shanghai date."""
        from domain.shanghai import shanghai_date

        return shanghai_date(self.wall)

    @property
    def directory(self) -> Path:
        """The data directory of `livebase dev`."""
        from connection.local_state import data_directory

        return data_directory(self.data_dir)

    @cached_property
    def local(self) -> LocalState | None:
        """What `livebase dev` runs, None when it does not."""
        from connection import local_state

        return local_state.read(self.directory)

    @property
    def database_url(self) -> str:
        return os.environ.get("LIVEBASE_DATABASE_URL") or f"sqlite:///{self.directory / 'livebase.db'}"

    @property
    def documents_root(self) -> str:
        return os.environ.get("LIVEBASE_DOCUMENTS") or str(self.directory / "documents")

    @cached_property
    def documents(self) -> DocumentStore:
        from store.documents import DocumentStore

        return DocumentStore(self.documents_root)

    @cached_property
    def reader(self) -> Reader:
        """Reads on the database. Raises CommandError (6) when it can't be reached."""
        from sqlalchemy.exc import SQLAlchemyError

        from store.engine import open_engine
        from store.queries import Reader

        url = self.database_url
        hint = "Start a local server with: livebase dev (or set LIVEBASE_DATABASE_URL)"
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
            raise unreachable(f"There is no database in {self.directory}.", hint)
        try:
            engine = open_engine(url, read_only=True)
            with engine.connect():
                pass
        except (SQLAlchemyError, ValueError) as error:
            raise unreachable(f"The database can't be reached ({type(error).__name__}).", hint) from error
        return Reader(engine)

    @cached_property
    def actor(self) -> Actor:
        """Who acts. Raises CommandError (2) when nobody was named."""
        from pydantic import ValidationError

        from domain.commands import Actor
        from domain.stages import Role

        if not self.acting_as:
            raise usage("Nobody is named as acting.", "Say who: --as ROLE:NAME, for example --as reviewer:li")
        role, _, name = self.acting_as.partition(":")
        roles = [role.value for role in Role if role is not Role.NOBODY]
        if role not in roles or not name.strip():
            raise usage(f"--as {self.acting_as!r} is not ROLE:NAME.", f"Roles: {', '.join(roles)}")
        try:
            return Actor(role=Role(role), name=name.strip(), on_behalf=self.on_behalf)
        except ValidationError:
            raise usage("A name has 1 to 100 characters.", "For example: --as reviewer:li") from None

    def target(self) -> Target:
        """The Temporal server to talk to. Raises CommandError (6, or 2 for a bad profile)."""
        from connection.errors import BadConfiguration, Unreachable
        from connection.profile import resolve

        try:
            return resolve(
                profile=self.profile, address=self.address, namespace=self.namespace, data_dir=self.directory
            )
        except BadConfiguration as error:
            raise CommandError(2, "bad_configuration", error.message, error.hint) from error
        except Unreachable as error:
            raise unreachable(error.message, error.hint) from error

    def new_request_id(self) -> str:
        """The request id given, or a new one, printed before anything is sent."""
        if self.request_id is None:
            self.request_id = f"cli-{uuid.uuid4()}"
            print(f"request id: {self.request_id}", file=sys.stderr)
        return self.request_id

    def found(self, base: str) -> FoundCase:
        """The case a person means by BASE. Raises CommandError: 6, 3, and 4 for an applicant's other case."""
        found = self.reader.find_case(base)
        if found is None:
            raise not_found(base)
        return found

    def readable(self, base: str) -> FoundCase:
        """`found`, for reading: with --as, an applicant sees only their own case (4)."""
        from domain.permissions import same_person
        from domain.stages import Role

        found = self.found(base)
        if (
            self.acting_as
            and self.actor.role is Role.APPLICANT
            and not same_person(self.actor.name, found.case.applicant)
        ):
            raise CommandError(
                4,
                "not_own_case",
                "This case was opened by another applicant.",
                "An applicant sees only their own case.",
            )
        return found

    def web_link(self, workflow_id: str, run_id: str | None = None) -> str | None:
        """The case's page in Temporal Web, when one is known to run."""
        from urllib.parse import quote

        if self.local is None or self.local.web_url is None:
            return None
        page = f"{self.local.web_url}/namespaces/{self.local.namespace}/workflows/{quote(workflow_id, safe='')}"
        return f"{page}/{run_id}/timeline" if run_id else page

    def show(self, data: Any, table: Any = None) -> None:
        """Print data on stdout: JSON, or what `table` (a callable taking the data) makes of it."""
        from starter.output import show

        show(self.output, data, table)
