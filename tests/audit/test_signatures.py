"""Signatures in a log, proven by who has the office's chain alone: nobody can write an act for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.report import Broken, Report
from audit.signatures import Keys, Signatures
from domain.commands import Actor, AddNote, Command, DecideConduct
from domain.stages import Role
from store.signatures import key_id, new_key, public_key, sign

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
LI, WANG = (Actor(role=Role.REVIEWER, name=name) for name in ("Li", "wang"))
PRIVATE = {actor.name: new_key() for actor in (LI, WANG)}
CASE = "base:91330782MA2K7P3R1U:1"
Entry = dict[str, Any]


def keys() -> Keys:
    """Both have a key; wang's is taken away an hour later."""
    known = Keys()
    for actor in (LI, WANG):
        public = public_key(PRIVATE[actor.name])
        known.take(office({"answer": {"name": actor.name, "keys": {key_id(public): public}, "roles": []}}, NOW))
    known.take(office({"parameters": "0", "answer": {"period": "2026Q4"}}, NOW))
    known.take(office({"answer": {"name": "wang", "keys": {}, "roles": []}}, NOW + timedelta(hours=1)))
    return known


def office(detail: Entry, at: datetime) -> Entry:
    return {"kind": "entry", "case_number": "office", "detail": detail, "observed_at": at.isoformat(), "sequence": 1}


def proven(records: list[Entry]) -> Report:
    signatures = Signatures(keys())
    signatures.take(records)
    return signatures.report()


def note(actor: Actor, **fields: Any) -> Command:
    return AddNote(**{"request_id": "r", "workflow_id": CASE, "actor": actor, "text": "t", **fields})


def entry(
    command: Command, *, by: str | None = None, at: datetime = NOW, sequence: int = 1, number: str = "LB-2026-000001"
) -> Entry:
    token = sign(command, PRIVATE[by or command.actor.name], at, "here")
    detail = {"signed": token}
    return {
        "kind": "entry", "case_number": number, "sequence": sequence, "actor": str(command.actor), "detail": detail,
        "event": "note_added",
    }  # fmt: skip


def test_what_people_signed_is_proven_and_what_is_nobodys_is_passed_over() -> None:
    of_conduct = DecideConduct(
        request_id="r",
        workflow_id=CASE,
        actor=Actor(role=Role.COMPLIANCE, name="LI "),
        conduct="C1",
        outcome="rectified",
        reason="r",
    )
    records: list[Entry] = [
        {"kind": "case", "case_number": "LB-2026-000001"},
        entry(note(LI)),
        entry(note(WANG.model_copy(update={"on_behalf": "hong"}), request_id="r2"), sequence=2),
        entry(of_conduct, by="Li", sequence=3),
        {**entry(note(LI), sequence=4), "detail": {"signed": None}},
        {**entry(note(LI), sequence=5), "detail": {}, "actor": "system"},
    ]
    report = proven(records)
    assert (report.ok, report.signed, report.unsigned) == (True, 3, 1)


def changed(place: int, value: str) -> Callable[[str], str]:
    def change(token: str) -> str:
        parts = token.split(".")
        parts[place] = value
        return ".".join(parts)

    return change


def with_token(made: Entry, change: Callable[[str], str]) -> Entry:
    return {**made, "detail": {"signed": change(made["detail"]["signed"])}}


FORGED: dict[str, tuple[Entry, str]] = {
    "said to be another's": ({**entry(note(LI)), "actor": "reviewer:wang"}, "signed_by_another"),
    "in another role": ({**entry(note(LI)), "actor": "certifier:Li"}, "signed_by_another"),
    "signed with another's key": (entry(note(LI), by="wang"), "signed_by_another"),
    "signed after the key was taken": (entry(note(WANG), at=NOW + timedelta(hours=2)), "signed_by_nobody"),
    "another signature": (with_token(entry(note(LI)), changed(2, "AAAA")), "signed_by_nobody"),
    "another payload": (with_token(entry(note(LI)), changed(1, "e30")), "signed_by_nobody"),
    "no key": (with_token(entry(note(LI)), changed(0, "e30")), "signed_by_nobody"),
    "no signature": (with_token(entry(note(LI)), lambda token: "x"), "signed_by_nobody"),
    "a number": ({**entry(note(LI)), "detail": {"signed": 1}}, "signed_by_nobody"),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_is_named(how: str) -> None:
    made, kind = FORGED[how]
    report = proven([made])
    assert report.broken == [Broken(kind, (1,), "LB-2026-000001", 1)] and report.signed == 0


def test_an_act_moved_to_another_case_is_named() -> None:
    moved = entry(note(LI, workflow_id="base:91330782MA2K7P3R1U:2"), sequence=2)
    report = proven([entry(note(LI)), moved])
    assert [(one.kind, one.sequence) for one in report.broken] == [("signed_elsewhere", 2)]


def test_a_command_that_changes_two_cases_is_signed_for_one_and_stands_in_both() -> None:
    sent = entry(note(LI, workflow_id="base:91330782MA2K7P3R1U:2"), number="LB-2026-000002", sequence=2)
    other = {**sent, "case_number": "LB-2026-000001", "sequence": 2, "event": "payment_moved_away"}
    first = entry(note(LI, request_id="first"))
    opening = entry(note(LI, workflow_id="base:91330782MA2K7P3R1U:2", request_id="second"), number="LB-2026-000002")
    assert proven([first, other, opening, sent]).ok
    assert not proven([first, other, opening]).ok, "in no case it was sent to"
    assert not proven([first, other, {**other, "sequence": 3}, opening, sent]).ok, "copied"
    assert not proven([first, {**other, "event": "note_added"}, opening, sent]).ok, "that is in one case alone"
