"""The contract between callers and cases: names agree, and released schemas only ever grow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client

from activities import assessment, calendar, conduct
from domain import agenda, conduct_agenda
from domain.case import Case
from domain.census import Census
from domain.channel import Compared, Delivered, Waiting
from domain.commands import (
    ActorAnswer,
    ActorOutcome,
    Answer,
    ApproveProposal,
    AssessmentNews,
    ChangeActor,
    ConfirmPeriod,
    DenyProposal,
    ImportAnswer,
    ImportCalendar,
    ImportFigures,
    ImportOutcome,
    Outcome,
    PeriodAnswer,
    PeriodOutcome,
    PeriodView,
    RecordUnplaced,
    ReportRefund,
    ReturnPayment,
    UnplacedAnswer,
    UnplacedOutcome,
    UnplacedView,
)
from domain.deciding import RULES
from domain.delivery import Batch, Delivery
from domain.judging import STAGES
from domain.notices import NoticeReference, Progress, Told
from domain.permissions import ROLES
from domain.planning import Event
from domain.sealing import Sealed
from tests.office import Office
from workflows.actors import Actors
from workflows.assessment import AssessedPeriod
from workflows.calendar import CalendarNotice
from workflows.census import CensusOrders
from workflows.certification import Certification
from workflows.channel import ChannelOrders, ComparisonOrders
from workflows.conduct import Conduct
from workflows.letters import DeliveryOrders
from workflows.messages import COMMANDS, CONDUCT_COMMANDS
from workflows.payment import UnplacedPayment
from workflows.sealing import SealOrders
from workflows.state import (
    CaseOutcome,
    CertificationState,
    ConductOutcome,
    ConductState,
    ImportResult,
    ImportState,
    PeriodState,
    UnplacedResult,
    UnplacedState,
)

LOCK = Path(__file__).with_name("messages.lock.json")
CASES: tuple[type[BaseModel], ...] = (*COMMANDS, Answer, Outcome, Case, CertificationState, CaseOutcome)
NOTICES: tuple[type[BaseModel], ...] = (
    ImportCalendar, ImportAnswer, ImportOutcome, NoticeReference, Told, Progress, ImportState, ImportResult,
)  # fmt: skip
QUARTERS: tuple[type[BaseModel], ...] = (
    ImportFigures, ConfirmPeriod, PeriodAnswer, PeriodOutcome, PeriodView, PeriodState, AssessmentNews,
)  # fmt: skip
LETTERS: tuple[type[BaseModel], ...] = (DeliveryOrders, Batch, Delivery)
SEALS: tuple[type[BaseModel], ...] = (SealOrders, Sealed, CensusOrders, Census)
CONDUCT: tuple[type[BaseModel], ...] = (*CONDUCT_COMMANDS, ConductState, ConductOutcome)
ACTORS: tuple[type[BaseModel], ...] = (ChangeActor, ActorAnswer, ActorOutcome)
PAYMENTS: tuple[type[BaseModel], ...] = (
    RecordUnplaced, UnplacedAnswer, UnplacedOutcome, UnplacedView, UnplacedState, UnplacedResult,
)  # fmt: skip
CHANNEL: tuple[type[BaseModel], ...] = (ChannelOrders, Waiting, Delivered, ComparisonOrders, Compared)
MODELS = (*CHANNEL, *PAYMENTS, *CASES, *NOTICES, *QUARTERS, *LETTERS, *SEALS, *CONDUCT, *ACTORS)


def schemas() -> dict[str, Any]:
    return {model.__name__: model.model_json_schema() for model in MODELS}


def shrunk(locked: Any, present: Any, path: str = "") -> list[str]:
    """What of a locked schema is gone or different. Descriptions may change, properties may be added."""
    if isinstance(locked, dict) and isinstance(present, dict):
        found = []
        for key, value in locked.items():
            if key in ("description", "title"):
                continue
            if key not in present:
                found.append(f"{path}.{key} is gone")
            else:
                found += shrunk(value, present[key], f"{path}.{key}")
        if "required" in present:
            added = set(present["required"]) - set(locked.get("required", []))
            found += [f"{path}.{name} is newly required" for name in sorted(added)]
        return found
    if isinstance(locked, list) and isinstance(present, list):
        return [f"{path} lost {item}" for item in locked if item not in present]
    return [] if locked == present else [f"{path} was {locked!r}, is {present!r}"]


def test_released_messages_only_grow() -> None:
    present = schemas()
    if not LOCK.exists():
        LOCK.write_text(json.dumps(present, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
        pytest.fail(f"{LOCK.name} was missing and has been written: look at it, commit it, run again")
    locked = json.loads(LOCK.read_text("utf-8"))
    assert shrunk(locked, present) == [], (
        "A message or the state changed in a way running cases cannot bear. Add fields with defaults instead; "
        "if nothing was released with the old shape, delete messages.lock.json and run this test again."
    )
    assert present.keys() == locked.keys(), "a new message: delete messages.lock.json and run this test again"


@pytest.mark.parametrize(
    ("locked", "present"),
    [
        ({"properties": {"a": {"type": "string"}}}, {"properties": {}}),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "integer"}}}),
        ({"properties": {"a": {"default": 1}}}, {"properties": {"a": {"default": 2}}}),
        ({"required": ["a"], "properties": {}}, {"required": ["a", "b"], "properties": {}}),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    ],
)
def test_the_lock_notices(locked: Any, present: Any) -> None:
    assert shrunk(locked, present)


def test_a_command_has_one_name_everywhere(office_worker_activities: set[str]) -> None:
    actions = {command.action for command in COMMANDS}
    updates = set(workflow._Definition.must_from_class(Certification).updates)
    assert updates == actions
    of_conduct = {command.action for command in CONDUCT_COMMANDS}
    assert set(workflow._Definition.must_from_class(Conduct).updates) == of_conduct
    actions |= of_conduct
    assert actions == set(STAGES) | {"apply"} == set(RULES)
    others = set(workflow._Definition.must_from_class(CalendarNotice).updates)
    assert others == {ImportCalendar.action}
    quarters = set(workflow._Definition.must_from_class(AssessedPeriod).updates)
    assert quarters == {ImportFigures.action, ConfirmPeriod.action}
    changes = set(workflow._Definition.must_from_class(Actors).updates)
    assert changes == {ChangeActor.action}
    payments = set(workflow._Definition.must_from_class(UnplacedPayment).updates)
    about = {kind.action for kind in (RecordUnplaced, ReturnPayment, ApproveProposal, DenyProposal, ReportRefund)}
    assert payments == about
    others |= quarters | changes | payments
    assert actions | others == set(ROLES)
    assert actions | others <= office_worker_activities


def test_what_machines_tell_has_one_name_everywhere() -> None:
    signals = set(workflow._Definition.must_from_class(Certification).signals)
    assert signals == {calendar.SIGNAL, assessment.SIGNAL, "case_changed"}
    assert set(workflow._Definition.must_from_class(Conduct).signals) == {conduct.SIGNAL}
    assert workflow._Definition.must_from_class(Conduct).name == conduct.WORKFLOW


def test_every_planned_event_is_carried_out_by_an_activity_of_its_name(office_worker_activities: set[str]) -> None:
    events = {event.value for event in Event} - {"ask_verification", "attempt_publication", "send_refund"}
    assert not agenda.RULES.keys() & conduct_agenda.RULES.keys()
    assert events == {event.value for event in agenda.RULES.keys() | conduct_agenda.RULES.keys()}
    assert events <= office_worker_activities


@pytest.fixture
async def office_worker_activities(client: Client, tmp_path: Path) -> set[str]:
    """The names of all activities the workers offer."""
    activities = [one for worker in Office(client, tmp_path).worker().both for one in worker.config()["activities"]]
    return {str(activity._Definition.must_from_callable(one).name) for one in activities}
