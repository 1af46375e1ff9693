"""Delivering letters: claiming what is due, handing it to the mail server, recording at once what became of each.

What people's names and addresses are stays here and in the store: ids and states are all that goes into histories.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from activities.message import NoAddress, compose
from domain.delivery import Batch, Delivery
from domain.letters import seen
from domain.stages import Role
from domain.written import UNREADABLE, filled_in
from store.documents import DocumentMissing, DocumentsErased, DocumentStore
from store.letters import LetterStore, OutgoingLetter

LEASE = timedelta(hours=1)
"""How long a batch is its claimer's. Longer than sending it may take with all its attempts, so that no two send it."""
_BATCH_SECONDS = 120.0
_LETTER_SECONDS = 660.0
"""More than a mail server may take for its last answer (`activities.smtp`)."""
_HEARTBEAT_SECONDS = 3.0
_RECORD_PAUSES = (0.2, 1.0, 3.0, 10.0, *[15.0] * 10)
"""Nearly three minutes: a database that fails over comes back in less."""


class MailServerAway(Exception):
    """The mail server takes nothing now: it can't be reached, or refuses us altogether."""


class PutOff(Exception):
    """The mail server does not take this letter now."""


class NotReady(Exception):
    """Something on our side is lacking: the letter waits for it, however long."""


class Refused(Exception):
    """The mail server will never take this letter."""


class MailSession(Protocol):
    async def hand_over(self, message: EmailMessage) -> None:
        """Return when the mail server has taken it. Raises MailServerAway, PutOff, Refused, each with the reason."""
        ...


class MailServer(Protocol):
    """Where letters are handed over, an outside party."""

    def session(self) -> AbstractAsyncContextManager[MailSession]:
        """For a number of letters in a row. Entering it raises MailServerAway."""
        ...


@dataclass(frozen=True)
class MailRoom:
    """The mail server, whom letters come from, and where each role of the staff gets its own.

    `batch` letters at most are claimed at once; `pause_seconds` is the rest when nothing is due.
    """

    server: MailServer
    sender: str
    staff: Mapping[Role, str]
    batch: int = 50
    pause_seconds: int = 60


class LetterActivities:
    """`now` is the delivery's clock."""

    def __init__(self, letters: LetterStore, documents: DocumentStore, room: MailRoom) -> None:
        self._letters = letters
        self._documents = documents
        self._room = room

    @activity.defn
    def claim_letters(self, claim: str, now: datetime) -> Batch:
        """Claim letters that are due. The same claim asked for twice is one."""
        letters = self._letters.claim(claim, now, now + LEASE, self._room.batch)
        return Batch(
            claim=claim,
            letters=tuple(letters),
            full=len(letters) == self._room.batch,
            pause_seconds=self._room.pause_seconds,
            undeliverable=self._letters.undeliverable(),
        )

    @activity.defn
    async def send_letters(self, claim: str, now: datetime) -> Delivery:
        """Send the letters of a claim, one after the other; what there is no time for goes back, due at once."""
        holder = f"{claim}#{activity.info().attempt}"
        letters = await asyncio.to_thread(self._letters.take_over, claim, holder)
        done: dict[str, list[str]] = {"delivered": [], "deferred": [], "refused": [], "untried": []}
        away = ""
        async with _alive() as time_is_up:
            try:
                async with self._room.server.session() as session:
                    for letter in letters:
                        if time_is_up() or activity.is_worker_shutdown():
                            break
                        done[await self._send(session, letter, holder, now)].append(letter)
            except MailServerAway as error:
                away = str(error)
            await _surely(self._letters.give_back, holder, away)
        done["untried"] += letters[sum(map(len, done.values())) :]
        return Delivery.model_validate(done | {"server_away": bool(away) and not done["delivered"]})

    async def _send(self, session: MailSession, letter_id: str, holder: str, now: datetime) -> str:
        """Send one letter and record its outcome, which is returned; `untried` when it is another's by now."""
        letter = await asyncio.to_thread(self._letters.begin, letter_id, holder)
        if letter is None:
            return "untried"
        try:
            async with asyncio.timeout(_LETTER_SECONDS):
                address = await asyncio.to_thread(self._address, letter)
                told = await asyncio.to_thread(self._filled_in, letter)
                await session.hand_over(compose(told, self._room.sender, address, now))
        except MailServerAway:
            raise
        except (Refused, NoAddress) as error:
            await _surely(self._letters.refused, letter, holder, str(error))
            return "refused"
        except NotReady as error:
            await _surely(self._letters.wait, letter, holder, str(error), now)
            return "deferred"
        except Exception as error:  # whatever it is, one letter must not keep the others waiting
            await _surely(self._letters.put_off, letter, holder, _why(error), now)
            return "deferred"
        await _surely(self._letters.arrived, letter, now)
        return "delivered"

    def _filled_in(self, letter: OutgoingLetter) -> OutgoingLetter:
        """The letter with the words it refers to; of its own case alone."""

        def read(case: str, sha256: str, _: str) -> bytes | None:
            try:
                return self._documents.of(case).get(sha256) if case == letter.workflow_id else UNREADABLE
            except DocumentsErased:
                return None
            except DocumentMissing:
                return UNREADABLE
            except Exception as error:  # obstore has an error for each kind of store
                raise NotReady(f"what it tells can't be read ({type(error).__name__})") from None

        return replace(letter, body=filled_in(letter.body, read, seen))

    def _address(self, letter: OutgoingLetter) -> str:
        """Where the letter goes, as of now: the contact of the newest revision, or the role's address."""
        if letter.recipient is not Role.APPLICANT:
            if (address := self._room.staff.get(letter.recipient)) is None:
                variable = f"LIVEBASE_MAIL_{letter.recipient.upper()}"
                raise NotReady(f"no address is set for the {letter.recipient}: set {variable} for the workers")
            return address
        try:
            submission = self._documents.of(letter.workflow_id).get(letter.submission)
        except DocumentsErased:
            raise NoAddress("the documents of the case were erased, the address with them") from None
        except Exception as error:  # obstore has an error for each kind of store
            raise NotReady(f"the application can't be read ({type(error).__name__})") from None
        try:
            return str(json.loads(submission)["application"]["contact"]["email"])
        except (ValueError, KeyError, TypeError):
            raise NoAddress("the application names no contact address") from None


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    return str(error) if isinstance(error, PutOff) else f"it could not be sent ({type(error).__name__})"


@asynccontextmanager
async def _alive() -> AsyncIterator[Callable[[], bool]]:
    """Heartbeats within the block; yields what tells whether the time for a batch is over."""
    over = asyncio.Event()
    timer = asyncio.get_running_loop().call_later(_BATCH_SECONDS, over.set)

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat())
    try:
        yield over.is_set
    finally:
        timer.cancel()
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _surely(record: Callable[..., None], *arguments: Any) -> None:
    """Record an outcome, though the store be busy for a while: what is not on record would be sent again."""
    for pause in _RECORD_PAUSES:
        try:
            return await asyncio.to_thread(record, *arguments)
        except SQLAlchemyError:
            await asyncio.sleep(pause)
    await asyncio.to_thread(record, *arguments)
