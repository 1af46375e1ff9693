"""Sending what is no case's (a notice, a quarter's figures, people, money of no case) to a workflow of its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from starter.session import Session
from starter.updating import Ended, Start, attempt

if TYPE_CHECKING:
    from temporalio.client import Client

    from domain.commands import ActorAnswer, Command, ImportAnswer, PeriodAnswer, UnplacedAnswer

Given = TypeVar("Given", "ActorAnswer", "ImportAnswer", "PeriodAnswer", "UnplacedAnswer")


def done_before(session: Session, command: Command, kind: type[Given]) -> Given | None:
    """The first answer of a request done with the same parameters."""
    done = session.reader.kept(command.request_id)
    if done is None or done[0] != command.params_hash():
        return None
    return kind.model_validate(done[1]).model_copy(update={"repeated": True})


def send(session: Session, command: Command, kind: type[Given], start: Start, content: bytes | None = None) -> Given:
    """The answer of the workflow it is for, which starts if need be; `content` is what the command names by its hash.

    Raises CommandError.
    """
    from starter.sending import hand_over, reach, require_own_request_id
    from store.documents import OFFICE

    async def sent() -> Given:
        client = await reach(session)
        require_own_request_id(session, command, None)
        session.announce_request()
        if content is not None:
            hand_over(session.documents_of(OFFICE), {}, content)
        return await answer_of(session, client, command, kind, start)

    return asyncio.run(sent())


async def answer_of(session: Session, client: Client, command: Command, kind: type[Given], start: Start) -> Given:
    """The answer, asked for until it comes. Raises CommandError."""
    from starter.sending import until_answered

    async def once(patience: timedelta) -> Given:
        return await attempt(client, session.signed(command), session.sending, patience, kind, start)

    def when_ended(_: Ended) -> Given | None:
        return done_before(session, command, kind)

    return await until_answered(command.request_id, once, when_ended)
