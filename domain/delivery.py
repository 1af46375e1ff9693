"""How a letter gets to its recipient: its states, when it is tried again, and when a person must look (decision 35).

```
pending → sending → delivered
             ├────→ failed (tried again, ever more slowly) → sending → …
             └────→ undeliverable (refused for good, or deferred for days; waits for a person) → pending by resend
```

A mail server that is away is nobody's fault but ours: its letters stay `failed`, however long it takes. The instants
here are the delivery's own: a letter carries its case's clock, which may be ahead on a local server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.case import Case
from domain.commands import ResendLetters
from domain.judging import judge
from domain.records import LettersResent, Transition
from domain.refusals import Refusal, RefusalKind
from domain.setting import Setting, step

SHORTEST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
PATIENCE = timedelta(days=5)
"""How long a letter a mail server puts off is tried; RFC 5321 (4.5.4.1) asks for four to five days at least."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDELIVERABLE = "undeliverable"


_STUCK = frozenset({DeliveryState.FAILED, DeliveryState.UNDELIVERABLE})
_UNDER_WAY = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


@dataclass(frozen=True)
class StoredLetter:
    """A letter of a case by its place (`7.1` is the first of the case's 7th entry), and how far it has got."""

    place: str
    state: DeliveryState


class Batch(BaseModel):
    """Letters claimed for sending, by id, under a claim.

    `full` says that more may be due, `pause_seconds` how long to rest when nothing is, `undeliverable` how many
    letters a person must look at.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    claim: str
    letters: tuple[str, ...] = ()
    full: bool = False
    pause_seconds: int = 60
    undeliverable: int = 0


class Delivery(BaseModel):
    """What became of a batch, by letter id. `server_away` says that the mail server took nothing at all."""

    model_config = ConfigDict(extra="allow", frozen=True)

    delivered: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()
    server_away: bool = False


def letter_id(case_number: str, place: str) -> str:
    """`LB-2026-000001/7.1`."""
    return f"{case_number}/{place}"


def message_id(letter: str, edition: int, domain: str) -> str:
    """A letter's Message-ID: the same for every try, so that a second arrival is recognised as the first.

    A letter that had arrived and is sent again by a person's wish is a new edition, or mail servers would drop it.
    """
    again = f".r{edition}" if edition else ""
    return f"<{letter.replace('/', '.')}{again}@{domain}>"


def next_try(put_off_since: datetime, now: datetime) -> datetime | None:
    """When a letter the mail server put off is tried again: after as long as it has waited already, within bounds.

    `put_off_since` is when that happened first. None when it has waited long enough: a person must look.
    """
    waited = now - put_off_since
    if waited >= PATIENCE:
        return None
    return now + min(max(waited, SHORTEST_PAUSE), LONGEST_PAUSE)


def resend(case: Case, command: ResendLetters, letters: Sequence[StoredLetter], setting: Setting) -> Transition:
    """Send again what has not arrived, or the one letter named, even if it had.

    Refuses (3) a letter that is not there, and (5) when there is nothing to send again.
    """
    judge(case, command)
    if command.letter is None:
        chosen = [letter for letter in letters if letter.state in _STUCK]
        if not chosen:
            raise Refusal(
                RefusalKind.NOTHING_TO_RESEND,
                f"Every letter of case {case.case_number} has arrived or is on its way.",
                f"To send one again that has arrived: livebase notices resend {case.case_number} --letter LETTER",
            )
    else:
        chosen = [letter for letter in letters if letter.place == command.letter]
        if not chosen:
            raise unknown_letter(case, command.letter)
        if chosen[0].state in _UNDER_WAY:
            raise Refusal(
                RefusalKind.NOTHING_TO_RESEND,
                f"Letter {command.letter} is on its way ({chosen[0].state}).",
                f"See it with: livebase notices list {case.case_number}",
            )
    places = tuple(letter.place for letter in chosen)
    return step(case, setting, "letters_resent", command.actor, LettersResent(places), detail={"letters": list(places)})


def unknown_letter(case: Case, place: str) -> Refusal:
    """The refusal (3) of a letter the case has not written."""
    return Refusal(
        RefusalKind.NOT_FOUND,
        f"Case {case.case_number} has no letter {place}.",
        f"See its letters with: livebase notices list {case.case_number}",
    )
