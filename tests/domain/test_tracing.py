"""What Temporal Web shows of a case: enough to trace it, and nothing personal (R7)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from domain import conduct_tracing
from domain.conduct import conduct_workflow_id
from domain.tracing import SEARCH_ATTRIBUTES, current_details, search_attributes
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
