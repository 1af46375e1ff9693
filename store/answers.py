"""Commands done and their answers, for good: the same request id is one effect (decision 32)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from store.tables import CommandRow, Table

if TYPE_CHECKING:
    from domain.commands import Answer, Command


def answered(session: Session, request_id: str) -> tuple[str, Answer | None] | None:
    """The parameters' hash and the answer given for a request id, whichever case it was for; None for no case's."""
    from domain.commands import Answer  # reads of the command line need no command

    row = session.get(CommandRow, request_id)
    if row is None:
        return None
    return row.params_hash, Answer.model_validate(row.answer) if row.case_number else None


def kept(session: Session, request_id: str) -> tuple[str, dict[str, Any]] | None:
    """The parameters' hash and the answer of a done request, as data: it may be any command's."""
    row = session.get(CommandRow, request_id)
    return (row.params_hash, row.answer) if row else None


def remember(
    session: Session,
    command: Command,
    case_number: str | None,
    answer: BaseModel,
    at: datetime,
    rows: Sequence[Table] = (),
) -> None:
    """Keep the answer of a done command; one that is no case's (a calendar notice) has no case number.

    `rows` are what such a one has added that an audit is to prove.
    """
    session.add(
        CommandRow(
            request_id=command.request_id,
            params_hash=command.params_hash(),
            case_number=case_number,
            action=command.action,
            actor=str(command.actor),
            answer=answer.model_dump(mode="json"),
            at=at,
        )
    )
    if case_number is None:
        from store.office import record_command

        record_command(session, command, answer, at, rows)
