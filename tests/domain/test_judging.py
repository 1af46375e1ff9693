"""Who may do what, and when: every command against every stage and role (design/cli.md, decisions 32, 33)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.case import Case
from domain.commands import (
    AcceptVerification,
    Actor,
    AddNote,
    Approve,
    ApproveProposal,
    ApproveRenewal,
    Assign,
    AssignPayment,
    Authorise,
    Certify,
    CheckMarks,
    Command,
    ConfirmMarks,
    Correct,
    DecideAppeal,
    DecideAssessment,
    DecideConduct,
    DeductDeposit,
    DenyProposal,
    DismissComplaint,
    Dissolve,
    EraseDocuments,
    ExtendDeadline,
    FileAppeal,
    Missing,
    ObjectAssessment,
    Publish,
    ReceiveDeposit,
    RefundDeposit,
    RefuseCertification,
    Reinstate,
    Reject,
    RejectRenewal,
    ReleaseReview,
    Renew,
    ReportConduct,
    ReportRefund,
    RequestRenewalSupplement,
    RequestSupplement,
    ResendLetters,
    RespondConduct,
    ReturnPayment,
    ReversePayment,
    Revoke,
    SetAside,
    Supplement,
    Surrender,
    Suspend,
    TakeReview,
    WaiveCoolingOff,
    Withdraw,
)
from domain.ending import reject
from domain.judging import judge, open_to
from domain.refusals import Refusal, RefusalKind
from domain.review import take
from domain.stages import Role
from tests.domain import cases

STAGES = {**cases.STAGES, "closed": cases.withdrawn}
_BEFORE_TERM = {"unmatched", "review", "supplement", "deposit", "certifying"}
_IN_TERM = {
    "publishing", "valid", "renewing", "renewal_supplement", "second_term", "suspended", "revocation_proposed",
    "failing", "objected", "unknown", "verification_failed",
    "accused", "undecided", "rectifying",
}  # fmt: skip
_MARKS = {"settling", "renewal_late", "revoked", "appealed"}
_R = {"reason": "r"}
_REVOCATION = "LB-2026-000001-7"
_PROPOSED = cases.revocation_proposed().proposals[0]
# The table of design/cli.md, by hand: command → (fields, roles, stages).
TABLE: dict[type[Command], tuple[dict[str, Any], set[str], set[str]]] = {
    Supplement: ({"submission": "0"}, {"applicant", "operator"}, {"supplement", "renewal_supplement"}),
    Withdraw: (_R, {"applicant", "operator"}, _BEFORE_TERM),
    TakeReview: ({}, {"reviewer"}, {"review"}),
    ReleaseReview: ({}, {"reviewer"}, {"review"}),
    Approve: ({"revision": 1}, {"reviewer"}, {"review"}),
    RequestSupplement: (
        {"revision": 1, "items": (Missing(condition="A1", what="w"),)},
        {"reviewer"},
        {"review"},
    ),
    Reject: ({"revision": 1, "reason": "r"}, {"reviewer"}, {"review"}),
    ReceiveDeposit: (
        {"amount": 1, "reference": "B", "payer": "p"},
        {"finance", "bank"},
        set(STAGES),
    ),
    AssignPayment: ({"reference": "U1", "reason": "r"}, {"finance"}, set(STAGES)),
    ReturnPayment: ({"reference": "U1", "reason": "r"}, {"finance"}, {"unmatched"}),
    ReversePayment: (
        {"reference": "B1", "reason": "r"},
        {"finance"},
        set(STAGES) - {"review", "supplement", "deposit", "closed"},
    ),
    RefundDeposit: ({"amount": 1, "reason": "r"}, {"finance"}, {"settling", "revoked", "appealed"}),
    ReportRefund: (
        {"refund": "LB-2026-000001-9-R1", "state": "paid", "amount": 1},
        {"bank"},
        {"refund_ordered"},
    ),
    DeductDeposit: (
        {"amount": 1, "violation": "LB-2026-000001-C1", "reason": "r"},
        {"finance"},
        {"accused", "undecided", "rectifying"},
    ),
    Certify: ({}, {"certifier"}, {"certifying"}),
    RefuseCertification: ({"reason": "r"}, {"certifier"}, {"certifying"}),
    Publish: ({}, {"operator"}, _IN_TERM),
    Renew: (
        {"from_last_day": date(2027, 3, 2)},
        {"applicant", "operator"},
        (_IN_TERM - {"second_term"}) | {"settling", "renewal_late"},
    ),
    ApproveRenewal: ({"revision": 1}, {"reviewer"}, {"renewing", "renewal_late"}),
    RequestRenewalSupplement: (
        {"revision": 1, "items": (Missing(condition="A1", what="w"),)},
        {"reviewer"},
        {"renewing", "renewal_late"},
    ),
    RejectRenewal: (
        {"revision": 1, "reason": "r"},
        {"reviewer"},
        {"renewing", "renewal_supplement", "renewal_late"},
    ),
    Suspend: (_R, {"compliance"}, _IN_TERM - {"suspended"}),
    Reinstate: (_R, {"compliance"}, {"suspended"}),
    Surrender: (_R, {"applicant", "operator"}, _IN_TERM),
    Dissolve: (_R, {"operator"}, _BEFORE_TERM | _IN_TERM),
    Revoke: (_R, {"compliance"}, _IN_TERM),
    ApproveProposal: (
        {"proposal": _PROPOSED.id, "content": _PROPOSED.content},
        {"compliance", "certifier"},
        {"revocation_proposed"},
    ),
    DenyProposal: ({"proposal": _PROPOSED.id, **_R}, {"compliance", "certifier"}, {"revocation_proposed"}),
    ReportConduct: (
        {
            "conduct": "LB-2026-000001-C2",
            "rule": "R6",
            "trigger": "breach",
            "severity": "minor",
            "found_on": date(2026, 3, 2),
            "facts": "f",
            "evidence": ("0",),
        },
        {"compliance", "operator"},
        _IN_TERM | _MARKS | {"refund_ordered"},
    ),
    RespondConduct: (
        {"conduct": "LB-2026-000001-C1", "statement": "s"},
        {"applicant", "operator"},
        {"accused", "rectifying"},
    ),
    DecideConduct: ({"conduct": "LB-2026-000001-C1", "outcome": "dismissed", **_R}, {"compliance"}, {"undecided"}),
    FileAppeal: (
        {"decision": _REVOCATION, "statement": "s"},
        {"applicant", "operator"},
        {"revoked", "appealed"},
    ),
    DecideAppeal: ({"outcome": "uphold", **_R}, {"certifier", "compliance"}, {"appealed"}),
    WaiveCoolingOff: (_R, {"compliance"}, (_MARKS - {"renewal_late"}) | {"refund_ordered", "closed"}),
    EraseDocuments: (_R, {"compliance"}, {"closed"}),
    SetAside: ({"decision": _REVOCATION, **_R}, {"compliance"}, {"revoked", "appealed"}),
    Authorise: (
        {"activity": "a", "until": date(2026, 4, 1), "evidence": ("0",)},
        {"certifier"},
        _IN_TERM,
    ),
    CheckMarks: ({"result": "r"}, {"compliance", "operator"}, _MARKS | {"refund_ordered"}),
    AcceptVerification: (_R, {"compliance", "operator"}, {"verification_failed"}),
    Correct: ({"submission": "0"}, {"operator"}, _IN_TERM),
    ConfirmMarks: ({"evidence": ("0",)}, {"applicant", "operator"}, _MARKS),
    ObjectAssessment: ({"statement": "s"}, {"applicant", "operator"}, {"failing"}),
    DecideAssessment: (
        {"period": "2026Q2", "outcome": "pass", "reason": "r"},
        {"compliance"},
        {"objected", "unknown"},
    ),
    Assign: (
        {"to": "li", "reason": "r"},
        {"operator"},
        _BEFORE_TERM | {"renewal_late"} | _IN_TERM,
    ),
    ExtendDeadline: (
        {"deadline": "deposit", "to": date(2026, 4, 10), "reason": "r"},
        {"operator"},
        {
            "supplement",
            "deposit",
            "unmatched",
            "settling",
            "renewal_supplement",
            "renewal_late",
            "revoked",
            "appealed",
            "rectifying",
        },
    ),
    AddNote: (
        {"text": "t"},
        {"reviewer", "finance", "certifier", "compliance", "auditor", "operator"},
        set(STAGES),
    ),
    DismissComplaint: ({"complaint": "TS-AAAAAAAAAAAAAAAA", "reason": "r"}, {"compliance"}, set(STAGES)),
    ResendLetters: ({}, {"operator"}, set(STAGES)),
}
ROLES = [role for role in Role if role is not Role.NOBODY]


def actor(role: Role) -> Actor:
    if role is Role.APPLICANT:
        return cases.APPLICANT
    return Actor(role=role, name=f"a {role}", on_behalf="wang" if role is Role.OPERATOR else None)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.action)
def test_only_its_roles_may_use_a_command(kind: type[Command], role: Role) -> None:
    fields, roles, stages = TABLE[kind]
    case = STAGES[sorted(stages)[0]]()
    command = cases.command(kind, actor(role), **fields)
    if role in roles:
        judge(case, command)
    else:
        with pytest.raises(Refusal) as info:
            judge(case, command)
        assert info.value.kind is RefusalKind.ROLE_NOT_ALLOWED


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.action)
def test_a_command_is_possible_in_its_stages_only(kind: type[Command], stage: str) -> None:
    fields, roles, stages = TABLE[kind]
    case = STAGES[stage]()
    command = cases.command(kind, actor(Role(sorted(roles)[0])), **fields)
    if stage in stages:
        judge(case, command)
        return
    with pytest.raises(Refusal) as info:
        judge(case, command)
    decides = kind in (Approve, RequestSupplement, Reject)
    if decides and stage != "closed":
        assert info.value.kind is RefusalKind.ALREADY_DECIDED
    else:
        expected = {
            RefusalKind.WRONG_STAGE,
            RefusalKind.ALREADY_ENDED,
            RefusalKind.OUTCOME_NOT_OPEN,
            RefusalKind.NOT_FOUND,
        }
        if kind in (ApproveProposal, DenyProposal):
            expected = {RefusalKind.NOT_FOUND, RefusalKind.ALREADY_DECIDED}
        assert info.value.kind in expected | ({RefusalKind.END_DATE_STALE} if kind is Renew else set())


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        (Actor(role=Role.APPLICANT, name="other"), RefusalKind.NOT_OWN_CASE),
        (Actor(role=Role.OPERATOR, name="sun", on_behalf="other"), RefusalKind.NOT_OWN_CASE),
        (Actor(role=Role.OPERATOR, name="sun"), RefusalKind.ROLE_NOT_ALLOWED),
    ],
)
def test_an_applicant_acts_only_on_the_case_they_opened(who: Actor, kind: RefusalKind) -> None:
    with pytest.raises(Refusal) as info:
        judge(cases.in_review(), cases.command(Withdraw, who, reason="r"))
    assert info.value.kind is kind


@pytest.mark.parametrize("name", ["li", "LI", " li "])
def test_the_approving_reviewer_cannot_certify(name: str) -> None:
    certifier = Actor(role=Role.CERTIFIER, name=name)
    for kind, fields in ((Certify, {}), (RefuseCertification, {"reason": "r"})):
        with pytest.raises(Refusal) as info:
            judge(cases.in_certifying(), cases.command(kind, certifier, **fields))
        assert info.value.kind is RefusalKind.SECOND_PERSON_REQUIRED


def test_a_decision_on_another_revision_is_stale_before_the_stage_is_looked_at() -> None:
    for case in (cases.in_review(), cases.in_deposit()):
        with pytest.raises(Refusal) as info:
            judge(case, cases.command(Approve, cases.REVIEWER, revision=2))
        assert info.value.kind is RefusalKind.REVISION_STALE


def test_permission_is_judged_before_expectation_and_expectation_before_stage() -> None:
    stranger = cases.command(Approve, cases.FINANCE, revision=9)
    with pytest.raises(Refusal) as info:
        judge(cases.in_valid(), stranger)
    assert info.value.kind is RefusalKind.ROLE_NOT_ALLOWED


def test_a_command_to_an_ended_case_hears_how_and_when_it_ended() -> None:
    with pytest.raises(Refusal) as info:
        judge(cases.expired(), cases.command(Withdraw, cases.APPLICANT, reason="r"))
    assert info.value.kind is RefusalKind.ALREADY_ENDED
    assert info.value.message == "Case LB-2026-000001 ended as expired on 2027-03-03 00:00."
    assert "livebase show LB-2026-000001" in info.value.hint


def rejected() -> Case:
    command = cases.command(Reject, cases.REVIEWER, revision=1, reason="r")
    return reject(cases.in_review(), command, cases.setting(cases.OPENED)).case


@pytest.mark.parametrize(
    ("ended", "command", "says"),
    [
        (cases.expired, cases.command(FileAppeal, cases.APPLICANT, decision="d", statement="s"), "cannot be appealed"),
        (rejected, cases.command(CheckMarks, cases.COMPLIANCE, result="r"), "no stop-using-marks duty"),
        (rejected, cases.command(ConfirmMarks, cases.APPLICANT, evidence=("0",)), "no open stop-using-marks duty"),
    ],
    ids=lambda one: one.action if isinstance(one, Command) else "",
)
def test_what_does_not_fit_how_a_case_ended_hears_why_and_is_not_offered(
    ended: Callable[[], Case], command: Command, says: str
) -> None:
    with pytest.raises(Refusal) as info:
        judge(ended(), command)
    assert info.value.kind is RefusalKind.ALREADY_ENDED and says in info.value.message
    assert command.action not in open_to(ended())


def test_while_one_reviewer_holds_the_review_another_can_neither_take_nor_decide() -> None:
    held = take(cases.in_review(), cases.command(TakeReview, cases.REVIEWER), cases.setting(cases.OPENED)).case
    other = Actor(role=Role.REVIEWER, name="zhou")
    for kind in (TakeReview, ReleaseReview, Approve, RequestSupplement, Reject):
        with pytest.raises(Refusal) as info:
            judge(held, cases.command(kind, other, **TABLE[kind][0]))
        assert info.value.kind is RefusalKind.REVIEW_HELD
        judge(held, cases.command(kind, cases.REVIEWER, **TABLE[kind][0]))
