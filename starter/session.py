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
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from starter.errors import CommandError, not_found, unreachable, usage

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from temporalio.client import Client
    from temporalio.runtime import Runtime

    from connection.codec import KeyRing
    from connection.local_state import LocalState
    from connection.profile import Target
    from domain.case import Case
    from domain.commands import Actor, Answer, Command
    from domain.working_days import Calendar
    from starter.login import Login
    from store.calendar import CalendarStore
    from store.documents import Documents, DocumentStore
    from store.queries import FoundCase, Reader

Sent = TypeVar("Sent", bound="Command")
Output = Literal["table", "json", "jsonl"]


@dataclass
class Session:
    """The common options of one invocation. `wall` is the wall clock, read once (decision 6).

    `sending` marks what this invocation sends: its tries are one update.
    """

    output: Output = "table"
    acting_as: str | None = None
    on_behalf: str | None = None
    request_id: str | None = None
    lang: Literal["zh", "en"] = "en"
    dry_run: bool = False
    debug: bool = False
    yes: bool = False
    profile: str | None = None
    address: str | None = None
    namespace: str | None = None
    data_dir: str | None = None
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    sending: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def today(self) -> date:
        """The wall clock's Shanghai date."""
        from domain.shanghai import shanghai_date

        return shanghai_date(self.wall)

    def clock_date(self, found: FoundCase) -> date:
        """The Shanghai date on the case's own clock (decision 6)."""
        from domain.shanghai import shanghai_date

        return shanghai_date(found.clock(self.wall))

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

    @property
    def heads_root(self) -> Path:
        """Where copies of the audit log's seals are, if there are any."""
        return Path(os.environ.get("LIVEBASE_HEADS") or self.directory / "heads")

    @property
    def document_keys(self) -> Path:
        """The file of the keys that wrap the cases' own."""
        return Path(os.environ.get("LIVEBASE_DOCUMENT_KEYS") or self.directory / "document-keys.json")

    def documents_of(self, owner: str) -> Documents:
        """A case's documents, by its workflow id, or the office's. Raises CommandError (6) without usable keys."""
        return self._documents.of(owner)

    def letterbox(self, workflow_id: str) -> bytes | None:
        """What opens complaints about a case's base, None when it is gone. Raises CommandError (6) without keys."""
        from store.documents import KeyUnknown

        try:
            return self.documents_of(workflow_id).letterbox()
        except KeyUnknown as error:
            raise unreachable(f"{error}.", "Set LIVEBASE_DOCUMENT_KEYS to the file that the workers have") from None

    @cached_property
    def _documents(self) -> DocumentStore:
        from connection.errors import BadConfiguration
        from connection.key_file import read_keys
        from store.documents import DocumentStore

        try:
            keys = read_keys(self.document_keys, "The documents' keys")
        except BadConfiguration as error:
            hint = "livebase dev makes it; elsewhere set LIVEBASE_DOCUMENT_KEYS to the file that the workers have"
            raise unreachable(error.message, hint) from None
        return DocumentStore(self.documents_root, keys)

    @cached_property
    def engine(self) -> Engine:
        """The database, read only. Raises CommandError (6) when it can't be reached."""
        from sqlalchemy.exc import SQLAlchemyError

        from store.engine import open_engine

        url = self.database_url
        hint = "Start a local server with: livebase dev (or set LIVEBASE_DATABASE_URL)"
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
            raise unreachable(f"There is no database {url.removeprefix('sqlite:///')}.", hint)
        try:
            engine = open_engine(url, read_only=True)
            with engine.connect():
                pass
        except (SQLAlchemyError, ValueError, ImportError) as error:
            raise unreachable(f"The database can't be reached ({type(error).__name__}).", hint) from error
        return engine

    @cached_property
    def reader(self) -> Reader:
        """Reads on the database. Raises CommandError (6) when it can't be reached."""
        from store.queries import Reader

        return Reader(self.engine)

    @cached_property
    def notices(self) -> CalendarStore:
        """The imported calendar notices. Raises CommandError (6) when the database can't be reached."""
        from store.calendar import CalendarStore

        return CalendarStore(self.engine)

    @cached_property
    def calendar(self) -> Calendar:
        """The shipped notices and, where there is a database, the imported ones."""
        from store.reference import shipped_calendar

        calendar = self.recorded_calendar
        if calendar is not None:
            return calendar
        if "LIVEBASE_DATABASE_URL" in os.environ or (self.directory / "livebase.db").exists():
            print("The database did not answer: imported notices are left out.", file=sys.stderr)
        return shipped_calendar()

    @cached_property
    def recorded_calendar(self) -> Calendar | None:
        """The calendar with the imported notices; None when the database does not answer."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return self.notices.calendar()
        except (CommandError, SQLAlchemyError):
            return None

    @cached_property
    def actor(self) -> Actor:
        """Who acts. Raises CommandError (2) when nobody was named."""
        from pydantic import ValidationError

        from domain.commands import Actor
        from domain.stages import PEOPLE, Role

        if not self.acting_as:
            raise usage("Nobody is named as acting.", "Say who: --as ROLE:NAME, for example --as reviewer:li")
        role, colon, name = self.acting_as.partition(":")
        if not colon and self.login is not None:
            name = self.login.name
        roles = [role.value for role in PEOPLE]
        if role not in roles or not name.strip():
            raise usage(f"--as {self.acting_as[:120]!r} is not ROLE:NAME.", f"Roles: {', '.join(roles)}")
        if self.on_behalf is not None and role != Role.OPERATOR:
            raise usage("--on-behalf goes with an operator.", "For example: --as operator:chen --on-behalf wang")
        names = [name.strip(), *([] if self.on_behalf is None else [self.on_behalf.strip()])]
        try:
            if not all(one and one.isprintable() for one in names):
                raise ValueError
            return Actor(role=Role(role), name=names[0], on_behalf=names[1] if self.on_behalf is not None else None)
        except (ValidationError, ValueError):
            raise usage("A name has 1 to 100 printable characters.", "For example: --as reviewer:li") from None

    @cached_property
    def login(self) -> Login | None:
        """Whose key is on this machine; None without one. CommandError (2) for a key file that can't be used."""
        from starter.login import key_file, read

        return read(key_file())

    @cached_property
    def installation(self) -> str:
        """What signatures for this database name it by."""
        from store.actors import installation_name

        return installation_name(self.engine)

    @cached_property
    def installed_locally(self) -> bool:
        """Whether the database is a local server's: the one that believes `--as` and takes what is in clear."""
        from store.actors import is_local

        return is_local(self.engine)

    def signed(self, command: Sent) -> Sent:
        """The command with its signature of this moment, where who acts has their key here."""
        from domain.names import same_name

        if self.login is None or not same_name(self.login.name, command.actor.name):
            return command
        from store.signatures import sign

        signature = sign(command, self.login.private, datetime.now(UTC), self.installation)
        return command.model_copy(update={"signature": signature})

    def require_usable_options(self) -> None:
        """Refuse (2) what is wrong with the common options of a command that changes something."""

        _ = self.actor, self.login
        if self.request_id is not None and not (
            0 < len(self.request_id) <= 200 and self.request_id.isprintable() and self.request_id.strip()
        ):
            raise usage("--request-id has 1 to 200 printable characters.", "Leave it out to have one made.")
        if self.address is not None and "://" in self.address:
            raise usage("--address is no URL.", "Write it as HOST:PORT, for example 127.0.0.1:7233.")
        try:
            _ = self.target
        except CommandError as error:
            if error.code == 2:
                raise
            # No server: that is told once the store has been asked.

    @cached_property
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

    @cached_property
    def keys(self) -> KeyRing | None:
        """What is sent to Temporal is sealed with. CommandError (2) for a file that can't be used.

        Like TLS and API keys, none for the server `livebase dev` runs: its worker knows none.
        """
        from connection.errors import BadConfiguration
        from connection.payload_keys import key_ring

        try:
            return None if self.is_local else key_ring()
        except BadConfiguration as error:
            raise CommandError(2, "bad_configuration", error.message, error.hint) from error

    async def connect(self, identity: str, runtime: Runtime | None = None) -> Client:
        """A client of the Temporal server. Raises CommandError (6, or 2 for an address or keys that are none)."""
        from connection.client import connect
        from connection.errors import BadConfiguration, Unreachable

        try:
            return await connect(self.target, identity=identity, runtime=runtime, keys=self.keys)
        except BadConfiguration as error:
            raise CommandError(2, "bad_configuration", error.message, error.hint) from error
        except Unreachable as error:
            raise unreachable(error.message, error.hint) from error

    @property
    def is_local(self) -> bool:
        """Whether the server is the one `livebase dev` runs, by whatever way it was named."""
        if self.target.source == "local":
            return True
        here = self.target.address.replace("localhost:", "127.0.0.1:")
        return self.local is not None and self.local.address == here

    @cached_property
    def request(self) -> str:
        """The request id given, or a new one."""
        return self.request_id or f"cli-{uuid.uuid4()}"

    def announce_request(self) -> None:
        """Say the request id on stderr when it was made here; before anything is sent."""
        if self.request_id is None:
            print(f"request id: {self.request}", file=sys.stderr, flush=True)

    def answered_before(self) -> Answer | None:
        """The first answer of the request id given, when it is a done request."""
        done = self.reader.answered(self.request_id) if self.request_id else None
        return done[1] if done else None

    def found(self, base: str) -> FoundCase:
        """The case a person means by BASE. Raises CommandError: 6, 3, and 4 for an applicant's other case."""
        found = self.reader.find_case(base)
        if found is None:
            raise not_found(base)
        return found

    def meant(self, base: str) -> FoundCase | None:
        """The case a command is for; None when nothing goes by that name.

        A credit code is its newest case, but for a repeated request the case of its first answer.
        """
        found = self.reader.find_case(base)
        answer = self.answered_before()
        if found is None or answer is None or base.strip().upper().startswith("LB"):
            return found
        earlier = self.reader.find_case(answer.case_number)
        return earlier if earlier and earlier.case.credit_code == found.case.credit_code else found

    def readable(self, base: str) -> FoundCase:
        """`found`, for reading: with --as, an applicant sees only their own case (4)."""
        found = self.found(base)
        if not self.may_read(found.case):
            raise CommandError(
                4,
                "not_own_case",
                "This case was opened by another applicant.",
                "An applicant sees only their own case.",
            )
        return found

    def require_staff(self, message: str) -> None:
        """Refuse (4) an applicant, with what they may not do."""
        if self.only_applicant is not None:
            raise CommandError(4, "role_not_allowed", message, "It is for every staff role: --as ROLE:NAME.")

    def may_read(self, case: Case) -> bool:
        """Whether who acts may see the case: an applicant only their own."""
        from domain.names import same_name

        return self.only_applicant is None or same_name(self.only_applicant, case.applicant)

    @property
    def only_applicant(self) -> str | None:
        """The applicant whose cases alone may be read; None for everybody else. CommandError (2) for a bad --as."""
        from domain.stages import Role

        if not self.acting_as or self.actor.role is not Role.APPLICANT:
            return None
        return self.actor.name

    def web_link(self, workflow_id: str, run_id: str | None = None) -> str | None:
        """The case's page in Temporal Web, when one is known to run."""
        from urllib.parse import quote

        local = self.local
        if local is None or local.web_url is None or ("target" in self.__dict__ and not self.is_local):
            return None
        page = f"{local.web_url}/namespaces/{local.namespace}/workflows/{quote(workflow_id, safe='')}"
        return f"{page}/{run_id}/timeline" if run_id else page

    def show(self, data: Any, table: Any = None) -> None:
        """Print data on stdout, words filled in: JSON, or what `table` (a callable taking the data) makes of it."""
        from domain.written import filled_in
        from starter.output import show, speaking

        def read(workflow_id: str, sha256: str, place: str) -> bytes | None:
            from starter.handed_in import paper_told

            return paper_told(self, workflow_id, sha256, place)

        told = filled_in(data, read)
        if self.only_applicant is not None:
            from domain.look_alike import for_the_applicant

            told = for_the_applicant(told)
        with speaking(self.lang):
            show(self.output, told, table)
