"""What Temporal Web shows of a case: enough to trace it, and nothing personal (R7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest

from domain import agenda, conduct_tracing
from domain.case import Case
from domain.conduct import conduct_workflow_id
from domain.planning import Event
from domain.tracing import SEARCH_ATTRIBUTES, current_details, search_attributes, unseen
from tests.domain import cases

APPLICATION = cases.submission().application
PERSONAL = (
    *(actor.name for actor in (cases.APPLICANT, cases.REVIEWER, cases.CERTIFIER, cases.FINANCE, cases.OPERATOR)),
    cases.payer(), APPLICATION.representative,
    APPLICATION.contact.name, APPLICATION.contact.phone, APPLICATION.contact.email,
)  # fmt: skip


@pytest.mark.parametrize("stage", cases.STAGES)
def test_a_case_is_traced_by_numbers_and_words_of_ours_and_by_nobodys_name(stage: str) -> None:
    case = cases.STAGES[stage]()
    if stage == "review":
        case = case.model_copy(update={"review_held_by": cases.REVIEWER.name})
    now = case.opened_at + timedelta(days=1)
    shown = search_attributes(case, now)
    assert shown.keys() == SEARCH_ATTRIBUTES.keys()
    assert (shown["CertStage"], shown["CertAwaiting"]) == (case.stage, case.awaiting)
    assert shown["CertNumber"] in (case.case_number, case.term.certificate_number if case.term else None)
    text = f"{shown} {current_details(case, now, 'default')}"
    assert case.case_number in text and case.credit_code in text
    words = set(text.replace("|", " ").replace(",", " ").replace("'", " ").split())
    assert [name for name in PERSONAL if name in (words if name.isascii() and name.isalpha() else text)] == []


def test_a_case_and_its_conduct_case_lead_to_each_other() -> None:
    case = cases.accused()
    (conduct,) = case.open_conduct
    workflow_id = conduct_workflow_id(case.workflow_id, conduct.id)
    there, back = (f"](/namespaces/ours/workflows/{quote(id, safe='')})" for id in (workflow_id, case.workflow_id))
    assert there in current_details(case, cases.OPENED, "ours")
    assert back in conduct_tracing.current_details(case, conduct, "ours")


def test_what_comes_next_may_come_in_a_conduct_case() -> None:
    case = cases.accused()
    (end,) = case.conduct[0].plan
    (next_row,) = [row for row in current_details(case, cases.OPENED, "ours").splitlines() if "Next" in row]
    assert f"{case.conduct[0].id}: {end.what}" in next_row
    assert [conduct for _, conduct in case.coming].count(case.conduct[0].id) == 1
    assert [planned.at for planned, _ in case.coming] == sorted(planned.at for planned in (*case.plan, end))


PASSES, FAILS = 100_000_000, 5


def passed() -> Case:
    return cases.told(cases.in_valid(), PASSES).case


def reminded() -> Case:
    case = cases.in_valid()
    planned = next(one for one in case.plan if one.event is Event.REMIND_FIGURES)
    return agenda.take(case, planned, cases.setting(planned.at, 2)).case


BESIDE: dict[str, tuple[Callable[[], Case], Callable[[Case], Case], bool]] = {
    "nothing": (cases.in_valid, lambda case: case, True),
    "a pass told": (cases.in_valid, lambda case: cases.told(case, PASSES).case, True),
    "a pass confirmed": (passed, lambda case: cases.confirmed(case, cases.FIGURES_TOLD).case, True),
    "a fail told": (cases.in_valid, lambda case: cases.told(case, FAILS).case, False),
    "a pass corrected to a fail": (passed, lambda case: cases.told(case, FAILS, revision=2).case, False),
    "a fail corrected to a pass": (cases.failing, lambda case: cases.told(case, PASSES, revision=2).case, False),
    "figures that were asked for": (reminded, lambda case: cases.told(case, PASSES, at=LATE).case, False),
    "reported for a violation": (cases.in_valid, lambda case: cases.accused(), False),
}
LATE = cases.FIGURES_TOLD + timedelta(days=14)


@pytest.mark.parametrize("change", BESIDE)
def test_a_run_sleeps_on_only_when_nothing_it_must_do_or_show_is_changed(change: str) -> None:
    known, happens, sleeps_on = BESIDE[change]
    before = known()
    assert unseen(before, happens(before), LATE) is sleeps_on


def test_a_run_is_woken_for_what_comes_earlier() -> None:
    case = cases.in_valid()
    first = case.next_event
    assert first is not None
    sooner, later = (first.model_copy(update={"at": first.at + timedelta(days=days)}) for days in (-1, 1))
    rest = case.plan_without(first)
    assert not unseen(case, case.model_copy(update={"plan": (sooner, *rest)}), cases.OPENED)
    assert first.event is Event.REMIND_FIGURES
    assert unseen(case, case.model_copy(update={"plan": (*rest, later)}), cases.OPENED)
