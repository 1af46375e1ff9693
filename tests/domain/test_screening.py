"""Every condition below, at and above its limit, and with null where it needs something (A1 to A5, B1, B2, R8)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Finding, Outcome
from domain.policy import Policy
from domain.screening import screen
from domain.terms import age_reached
from store.reference import policy_book
from tests.domain.handed_in import CODE, INDIVIDUALS_CODE, RECOMMENDATION, TODAY, application

PASS, FAIL, PERSON, PENDING = Outcome.PASS, Outcome.FAIL, Outcome.PERSON, Outcome.PENDING

ORDER = [
    "A1", "A2.taxpayer", "A2.capital", "A2.age", "A3", "A4.live_rooms", "A4.area", "A4.cases", "A4.experience", "A5",
    "B1", "B2", "R8",
]  # fmt: skip


def policy() -> Policy:
    return policy_book().in_force(TODAY)


def found(condition: str, changes: dict[str, Any] | None = None, *, as_of: date = TODAY, **options: Any) -> Finding:
    findings = screen(application(changes, **options), policy(), as_of=as_of)
    return next(finding for finding in findings if finding.condition == condition)


CASE = "cooperation_cases.0"
POLICY = "government_policies.0"
OPERATOR = "operating_company"
NO_CASE: dict[str, Any] = {"cooperation_cases": []}
STATEMENT = {"entity.advantage_statement": "documents/advantages.pdf"}
ENTRUSTED = "entrusted_enterprise"

JUDGED: list[tuple[str, str, dict[str, Any], Outcome]] = [
    # what, condition, changes, outcome
    ("an enterprise, verified", "A1", {}, PASS),
    ("row 17: an individual", "A1", {"entity.kind": "individual"}, FAIL),
    ("an association", "A1", {"entity.kind": "social_organisation"}, FAIL),
    ("an institution", "A1", {"entity.kind": "public_institution"}, FAIL),
    ("no kind", "A1", {"entity.kind": None}, FAIL),
    ("a code of the individually owned", "A1", {"entity.credit_code": INDIVIDUALS_CODE}, FAIL),
    ("row 19: not verified", "A1", {"alipay_verification": None}, FAIL),
    ("verified without evidence", "A1", {"alipay_verification.evidence": None}, FAIL),
    ("verified at no time", "A1", {"alipay_verification.verified_on": None}, FAIL),
    ("general", "A2.taxpayer", {}, PASS),
    ("row 20: small scale", "A2.taxpayer", {"entity.taxpayer": "small_scale"}, FAIL),
    ("no status", "A2.taxpayer", {"entity.taxpayer": None}, FAIL),
    ("general without evidence", "A2.taxpayer", {"entity.taxpayer_evidence": None}, FAIL),
    ("a fen below", "A2.capital", {"entity.registered_capital": "499999.99"}, FAIL),
    ("at the limit", "A2.capital", {"entity.registered_capital": "500000.00"}, PASS),
    ("at the limit, no decimals", "A2.capital", {"entity.registered_capital": "500000"}, PASS),
    ("a fen above", "A2.capital", {"entity.registered_capital": "500000.01"}, PASS),
    ("no capital", "A2.capital", {"entity.registered_capital": None}, FAIL),
    ("row 22: a day short", "A2.age", {"entity.registered_on": "2025-11-25"}, FAIL),
    ("row 22: a day short, a statement", "A2.age", {"entity.registered_on": "2025-11-25", **STATEMENT}, PERSON),
    ("row 22: a year", "A2.age", {"entity.registered_on": "2025-11-24"}, PASS),
    ("a year, a statement", "A2.age", {"entity.registered_on": "2025-11-24", **STATEMENT}, PASS),
    ("registered today", "A2.age", {"entity.registered_on": "2026-11-24"}, FAIL),
    ("no date, a statement", "A2.age", {"entity.registered_on": None, **STATEMENT}, FAIL),
    ("not paid", "A3", {}, PENDING),
    ("row 24: 9 rooms", "A4.live_rooms", {"facilities.live_rooms": 9}, FAIL),
    ("row 24: 10 rooms", "A4.live_rooms", {"facilities.live_rooms": 10}, PASS),
    ("no number of rooms", "A4.live_rooms", {"facilities.live_rooms": None}, FAIL),
    ("rooms without evidence", "A4.live_rooms", {"facilities.evidence": []}, FAIL),
    ("no facilities", "A4.live_rooms", {"facilities": None}, FAIL),
    ("row 25: 299.99", "A4.area", {"facilities.area_m2": "299.99"}, FAIL),
    ("row 25: 299.999999", "A4.area", {"facilities.area_m2": "299.999999"}, FAIL),
    ("row 25: 300", "A4.area", {"facilities.area_m2": "300"}, PASS),
    ("row 25: 300.00", "A4.area", {"facilities.area_m2": "300.00"}, PASS),
    ("no area", "A4.area", {"facilities.area_m2": None}, FAIL),
    ("area without evidence", "A4.area", {"facilities.evidence": []}, FAIL),
    ("no facilities, no area", "A4.area", {"facilities": None}, FAIL),
    ("a case", "A4.cases", {}, PASS),
    ("row 26: no case", "A4.cases", NO_CASE, FAIL),
    ("row 26: a case without evidence", "A4.cases", {f"{CASE}.evidence": None}, FAIL),
    ("a case with nobody", "A4.cases", {f"{CASE}.partner": None}, FAIL),
    ("a recommendation alone", "A4.cases", {**NO_CASE, "recommendations": [RECOMMENDATION]}, PERSON),
    ("a bare case, a recommendation", "A4.cases", {f"{CASE}.kind": None, "recommendations": [RECOMMENDATION]}, PERSON),
    (
        "a recommendation without evidence",
        "A4.cases",
        {**NO_CASE, "recommendations": [{**RECOMMENDATION, "evidence": None}]},
        FAIL,
    ),
    ("ten months", "A4.experience", {"experience.since": "2026-01-24"}, PASS),
    ("ten months less a day", "A4.experience", {"experience.since": "2026-01-25"}, FAIL),
    ("no start", "A4.experience", {"experience.since": None}, FAIL),
    ("no kind of experience", "A4.experience", {"experience.kind": None}, FAIL),
    ("experience without evidence", "A4.experience", {"experience.evidence": None}, FAIL),
    ("no experience", "A4.experience", {"experience": None}, FAIL),
    ("a case is enough", "A5", {}, PASS),
    ("a recommendation is enough", "A5", {**NO_CASE, "recommendations": [RECOMMENDATION]}, PASS),
    ("neither", "A5", NO_CASE, FAIL),
    ("a case without evidence, no recommendation", "A5", {f"{CASE}.evidence": None}, FAIL),
    ("a subsidy", "B1", {}, PASS),
    ("a tax subsidy", "B1", {f"{POLICY}.kind": "tax_subsidy"}, PASS),
    ("a talent subsidy", "B1", {f"{POLICY}.kind": "talent_subsidy"}, PASS),
    ("only another kind", "B1", {f"{POLICY}.kind": "other"}, PERSON),
    ("no kind of policy", "B1", {f"{POLICY}.kind": None}, FAIL),
    ("its last day", "B1", {f"{POLICY}.valid_until": "2026-11-24"}, PASS),
    ("past", "B1", {f"{POLICY}.valid_until": "2026-11-23"}, FAIL),
    ("no evidence of the policy", "B1", {f"{POLICY}.evidence": None}, FAIL),
    ("no policy", "B1", {"government_policies": []}, FAIL),
    ("a company", "B2", {}, PASS),
    ("the entity itself", "B2", {f"{OPERATOR}.credit_code": CODE}, PASS),
    ("no company", "B2", {OPERATOR: None}, FAIL),
    ("a company without code", "B2", {f"{OPERATOR}.credit_code": None}, FAIL),
    ("a company without evidence", "B2", {f"{OPERATOR}.evidence": None}, FAIL),
    ("accepted", "R8", {}, PASS),
    ("not accepted", "R8", {"agreement": None}, FAIL),
    *((f"no {name}", "R8", {f"agreement.{name}": None}, FAIL) for name in ("version", "accepted_on", "signatory")),
    ("accepted without evidence", "R8", {"agreement.evidence": None}, FAIL),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "changes", "outcome"), [j[1:] for j in JUDGED], ids=[f"{j[1]}: {j[0]}" for j in JUDGED]
)
def test_judged(condition: str, changes: dict[str, Any], outcome: Outcome) -> None:
    finding = found(condition, changes)
    assert finding.outcome is outcome, finding.message
    assert finding.as_of == TODAY
    assert finding.message.endswith(".")


OVERSEAS: list[tuple[str, dict[str, Any], Outcome]] = [
    ("A1", {}, PASS),
    ("A1", {f"{ENTRUSTED}.entrustment": None}, FAIL),
    ("A1", {f"{ENTRUSTED}.credit_code": INDIVIDUALS_CODE}, FAIL),
    ("A1", {"entity.kind": "individual"}, FAIL),
    ("A2.taxpayer", {f"{ENTRUSTED}.taxpayer": "small_scale"}, FAIL),
    ("A2.capital", {f"{ENTRUSTED}.registered_capital": "499999.99"}, FAIL),
    ("A2.capital", {}, PASS),
    ("A2.age", {f"{ENTRUSTED}.registered_on": "2026-11-01"}, FAIL),
    (
        "A2.age",
        {f"{ENTRUSTED}.registered_on": "2026-11-01", f"{ENTRUSTED}.advantage_statement": "documents/a.pdf"},
        PERSON,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "changes", "outcome"), OVERSEAS)
def test_the_entrusted_enterprise_is_judged(condition: str, changes: dict[str, Any], outcome: Outcome) -> None:
    assert found(condition, changes, overseas=True).outcome is outcome


SAYS: list[tuple[str, dict[str, Any], str]] = [
    ("A1", {}, "through the mainland enterprise entrusted (documents/entrustment.pdf)"),
    ("A1", {f"{ENTRUSTED}.entrustment": None}, "gives no document entrusting"),
    ("A1", {f"{ENTRUSTED}.credit_code": INDIVIDUALS_CODE}, "The entrusted enterprise's credit code begins with 92"),
    *((condition, {}, "Judged on the entrusted enterprise.") for condition in ("A2.taxpayer", "A2.capital", "A2.age")),
    ("A2.capital", {f"{ENTRUSTED}.registered_capital": None}, "Judged on the entrusted enterprise."),
    ("B2", {f"{OPERATOR}.credit_code": CODE}, "The entrusted enterprise runs the base."),
    ("B2", {}, "A landed operating company runs the base."),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "changes", "says"), SAYS)
def test_a_finding_says_on_whom_it_was_judged(condition: str, changes: dict[str, Any], says: str) -> None:
    message = found(condition, changes, overseas=True).message
    assert says in message
    assert "义乌受托" not in message, "a failing one is in the workflow's history"


def test_of_a_mainland_entity_nobody_entrusted_is_spoken_of() -> None:
    findings = screen(application({f"{OPERATOR}.credit_code": CODE}), policy(), as_of=TODAY)
    assert not [finding.message for finding in findings if "entrust" in finding.message]
    assert "The entity itself runs the base." in [finding.message for finding in findings]


AGES: list[tuple[str, str, str, Outcome]] = [
    # condition, since, as of, outcome: decisions 2 and 3, `design/files.md`
    ("A2.age", "2026-02-28", "2027-02-27", FAIL),
    ("A2.age", "2026-02-28", "2027-02-28", PASS),
    ("A2.age", "2024-02-29", "2025-02-27", FAIL),
    ("A2.age", "2024-02-29", "2025-02-28", PASS),
    ("A4.experience", "2026-01-31", "2026-11-29", FAIL),
    ("A4.experience", "2026-01-31", "2026-11-30", PASS),
    ("A4.experience", "2025-04-30", "2026-02-27", FAIL),
    ("A4.experience", "2025-04-30", "2026-02-28", PASS),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "since", "as_of", "outcome"), AGES)
def test_ages_count_in_calendar_months(condition: str, since: str, as_of: str, outcome: Outcome) -> None:
    path = "entity.registered_on" if condition == "A2.age" else "experience.since"
    finding = found(condition, {path: since}, as_of=date.fromisoformat(as_of))
    assert finding.outcome is outcome
    assert (since <= str(finding.threshold)) == (outcome is PASS)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_threshold_of_an_age_is_the_latest_date_that_passes(as_of: date) -> None:
    findings = {finding.condition: finding for finding in screen(application(), policy(), as_of=as_of)}
    for condition, months in (("A2.age", 12), ("A4.experience", 10)):
        latest = date.fromisoformat(str(findings[condition].threshold))
        assert age_reached(latest, months=months, as_of=as_of)
        assert not age_reached(date.fromordinal(latest.toordinal() + 1), months=months, as_of=as_of)


def test_all_findings_in_their_order() -> None:
    findings = screen(application(), policy(), as_of=TODAY)
    assert [finding.condition for finding in findings] == ORDER
    assert [finding.outcome for finding in findings] == [PENDING if name == "A3" else PASS for name in ORDER]


def test_a3_passes_when_paid_in_full() -> None:
    findings = screen(application(), policy(), as_of=TODAY, deposit_paid=True)
    assert [finding.outcome for finding in findings] == [PASS] * len(ORDER)


def test_values_thresholds_and_documents_have_the_files_types() -> None:
    shown = {f.condition: (f.value, f.threshold, f.document) for f in screen(application(), policy(), as_of=TODAY)}
    assert shown == {
        "A1": ("enterprise", "enterprise", "documents/alipay.pdf"),
        "A2.taxpayer": ("general", "general", "documents/taxpayer.pdf"),
        "A2.capital": ("5000000.00", "500000.00", None),
        "A2.age": ("2022-05-10", "2025-11-24", None),
        "A3": (None, "100000.00", None),
        "A4.live_rooms": (12, 10, "documents/floor-plan.pdf"),
        "A4.area": ("860.5", "300", "documents/floor-plan.pdf"),
        "A4.cases": (1, 1, "documents/case-1.pdf"),
        "A4.experience": ("2024-06-01", "2026-01-24", "documents/experience.pdf"),
        "A5": (1, 1, "documents/case-1.pdf"),
        "B1": (1, 1, "documents/policy.pdf"),
        "B2": ("91330782MA2K7P3R2Y", None, "documents/operator.pdf"),
        "R8": ("2026-03", None, "documents/agreement.pdf"),
    }


def test_a_finding_says_everything_that_is_wrong() -> None:
    changes = {"entity.kind": "individual", "entity.credit_code": INDIVIDUALS_CODE, "alipay_verification": None}
    message = found("A1", changes).message
    assert "individual" in message
    assert "begins with 92" in message
    assert "verification is not done" in message
    assert (
        "cooperation_cases[0] does not count: it lacks title, evidence."
        in found("A4.cases", {f"{CASE}.title": None, f"{CASE}.evidence": None}).message
    )


def test_a_person_is_asked_with_the_document_to_look_at() -> None:
    assert found("A2.age", {"entity.registered_on": "2026-04-24", **STATEMENT}).document == "documents/advantages.pdf"
    assert found("A4.cases", {**NO_CASE, "recommendations": [RECOMMENDATION]}).document == "documents/letter.pdf"
    both = [{"kind": kind, "issued_by": "市商务局", "valid_until": None, "evidence": f"documents/{kind}.pdf"}
            for kind in ("other", "tax_subsidy")]  # fmt: skip
    assert found("B1", {"government_policies": both}).document == "documents/tax_subsidy.pdf"


def test_a_finding_round_trips_as_json() -> None:
    for finding in screen(application(), policy(), as_of=TODAY):
        shown = json.loads(finding.model_dump_json())
        assert list(shown) == ["condition", "outcome", "value", "threshold", "as_of", "document", "message"]
        assert Finding.model_validate_json(finding.model_dump_json()) == finding


def test_the_figures_are_the_policys() -> None:
    other = policy().model_copy(
        update={"live_rooms": 13, "area_m2": 861, "cooperation_cases": 2, "experience_months": 99}
    )
    failed = {f.condition for f in screen(application(), other, as_of=TODAY) if f.outcome is FAIL}
    assert failed == {"A4.live_rooms", "A4.area", "A4.cases", "A4.experience", "A5"}
