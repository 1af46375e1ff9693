"""Publication: announcing a base on the official channel, and recording that it is on the official list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from temporalio import activity

from activities.desk import CaseDesk
from domain import publication
from domain.case import Case
from domain.planning import Planned
from store.cases import CaseStore


@dataclass(frozen=True)
class Announcement:
    """What is made public. `key` is the same for every attempt of a term; a channel publishes a key once.

    A base that was suspended before it was made public is announced as such.
    """

    key: str
    certificate_number: str
    credit_code: str
    name: str
    valid_until: datetime
    suspended: bool = False


class Announcer(Protocol):
    """Where certified bases are made public (R3), an outside party: `activities/channel.py`, or our own list."""

    def announce(self, announcement: Announcement) -> str:
        """Make it public and return what proves it. Raises when the channel did not take it."""
        ...


class OwnList:
    """Until an official channel exists, our own official list is the channel (R3): the record is the proof."""

    def announce(self, announcement: Announcement) -> str:
        return f"official list: {announcement.certificate_number}"


class PublicationActivities:
    """The way onto the official list. `now` is the case's clock."""

    def __init__(self, desk: CaseDesk, cases: CaseStore, announcer: Announcer) -> None:
        self._desk = desk
        self._cases = cases
        self._announcer = announcer

    @activity.defn
    def announce_base(self, workflow_id: str) -> str:
        """Ask the channel, again with the same key when the answer was lost; nothing that is not pending any more."""
        case = self._cases.case(workflow_id)
        if case is None:
            raise LookupError(f"{workflow_id} has no case in the store")
        term, publication = case.running_term, case.publication
        if term is None or case.ending is not None or publication is None or publication.state != "pending":
            return ""
        return self._announcer.announce(
            Announcement(
                key=f"{term.certificate_number}:publication",
                certificate_number=term.certificate_number,
                credit_code=case.credit_code,
                name=case.name,
                valid_until=term.until,
                suspended=bool(case.holds),
            )
        )

    @activity.defn
    def record_publication(self, workflow_id: str, planned: Planned, now: datetime, evidence: str) -> Case:
        return self._desk.follow(
            workflow_id,
            planned,
            now,
            lambda case, _, setting: publication.published(case, setting, evidence=evidence),
        )

    @activity.defn
    def record_publication_failure(self, workflow_id: str, planned: Planned, now: datetime, why: str) -> Case:
        return self._desk.follow(
            workflow_id,
            planned,
            now,
            lambda case, attempt, setting: publication.attempt_failed(case, attempt, why, setting),
        )
