"""Who may do what: the one table (fixed, `design/cli.md`; decision 33).

An operator may hand in for an applicant (`on_behalf`), nobody else may. An applicant acts only on the case
they opened; a person is known by name, so two roles are still one person.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.case import Case
from domain.commands import Actor
from domain.names import same_name
from domain.refusals import Refusal, RefusalKind
from domain.stages import PEOPLE, Role

_HANDED_IN = frozenset({Role.APPLICANT, Role.OPERATOR})


@dataclass(frozen=True)
class SecondPerson:
    """Who, beside whoever proposes an act, may approve it, and the task that waits for them (its first role's)."""

    task: str
    roles: tuple[Role, ...]


SECOND_PERSON: dict[str, SecondPerson] = {
    "deduct_deposit": SecondPerson("approve_deduction", (Role.FINANCE, Role.COMPLIANCE)),
    "refund_deposit": SecondPerson("approve_refund", (Role.FINANCE, Role.COMPLIANCE)),
    "return_payment": SecondPerson("approve_return", (Role.FINANCE, Role.COMPLIANCE)),
    "reverse_payment": SecondPerson("approve_reversal", (Role.FINANCE, Role.COMPLIANCE)),
    "revoke": SecondPerson("approve_revocation", (Role.COMPLIANCE, Role.CERTIFIER)),
    "set_aside": SecondPerson("approve_set_aside", (Role.COMPLIANCE, Role.CERTIFIER)),
    "waive_cooling_off": SecondPerson("approve_waiver", (Role.COMPLIANCE, Role.CERTIFIER)),
    "erase_documents": SecondPerson("approve_erasure", (Role.COMPLIANCE, Role.OPERATOR)),
}
"""Action → what moves money out, takes a right away for good or lifts a bar on one, and so is only proposed first
(decision 29)."""

_SECOND_PERSONS = frozenset(role for second in SECOND_PERSON.values() for role in second.roles)

ROLES: dict[str, frozenset[Role]] = {
    "apply": _HANDED_IN,
    "supplement": _HANDED_IN,
    "withdraw": _HANDED_IN,
    "confirm_marks": _HANDED_IN,
    "take_review": frozenset({Role.REVIEWER}),
    "release_review": frozenset({Role.REVIEWER}),
    "approve": frozenset({Role.REVIEWER}),
    "request_supplement": frozenset({Role.REVIEWER}),
    "reject": frozenset({Role.REVIEWER}),
    "receive_deposit": frozenset({Role.FINANCE}),
    "record_unplaced": frozenset({Role.FINANCE}),
    "deduct_deposit": frozenset({Role.FINANCE}),
    "assign_payment": frozenset({Role.FINANCE}),
    "return_payment": frozenset({Role.FINANCE}),
    "reverse_payment": frozenset({Role.FINANCE}),
    "refund_deposit": frozenset({Role.FINANCE}),
    "report_refund": frozenset({Role.BANK}),
    "certify": frozenset({Role.CERTIFIER}),
    "refuse_certification": frozenset({Role.CERTIFIER}),
    "publish": frozenset({Role.OPERATOR}),
    "renew": _HANDED_IN,
    "approve_renewal": frozenset({Role.REVIEWER}),
    "request_renewal_supplement": frozenset({Role.REVIEWER}),
    "reject_renewal": frozenset({Role.REVIEWER}),
    "suspend": frozenset({Role.COMPLIANCE}),
    "reinstate": frozenset({Role.COMPLIANCE}),
    "surrender": _HANDED_IN,
    "dissolve": frozenset({Role.OPERATOR}),
    "revoke": frozenset({Role.COMPLIANCE}),
    "report_conduct": frozenset({Role.COMPLIANCE, Role.OPERATOR}),
    "respond_conduct": _HANDED_IN,
    "decide_conduct": frozenset({Role.COMPLIANCE}),
    "authorise": frozenset({Role.CERTIFIER}),
    "file_appeal": _HANDED_IN,
    "decide_appeal": frozenset({Role.CERTIFIER, Role.COMPLIANCE}),
    "set_aside": frozenset({Role.COMPLIANCE}),
    "waive_cooling_off": frozenset({Role.COMPLIANCE}),
    "erase_documents": frozenset({Role.COMPLIANCE}),
    "approve_proposal": _SECOND_PERSONS,
    "deny_proposal": _SECOND_PERSONS,
    "accept_verification": frozenset({Role.COMPLIANCE, Role.OPERATOR}),
    "check_marks": frozenset({Role.COMPLIANCE, Role.OPERATOR}),
    "correct": frozenset({Role.OPERATOR}),
    "object_assessment": _HANDED_IN,
    "decide_assessment": frozenset({Role.COMPLIANCE}),
    "assign": frozenset({Role.OPERATOR}),
    "extend_deadline": frozenset({Role.OPERATOR}),
    "dismiss_complaint": frozenset({Role.COMPLIANCE}),
    "add_note": frozenset(PEOPLE) - {Role.APPLICANT},
    "resend_letters": frozenset({Role.OPERATOR}),
    "import_calendar": frozenset({Role.OPERATOR}),
    "import_figures": frozenset({Role.OPERATOR}),
    "confirm_period": frozenset({Role.COMPLIANCE}),
    "change_actor": frozenset({Role.OPERATOR}),
}
"""Action → the roles that may use it."""

_BANK_TOO = frozenset({"receive_deposit", "record_unplaced"})
"""What finance records the bank may report itself."""


def require_may_decide(action: str, proposed_by: str, actor: Actor, *, approves: bool) -> None:
    """Refuse (4) who may not decide on a proposal (decision 29): another role's, but for who takes their own back; and
    one's own to approve."""
    own, roles = same_name(proposed_by, actor.name), SECOND_PERSON[action].roles
    if actor.role not in roles and (approves or not own):
        raise Refusal(
            RefusalKind.ROLE_NOT_ALLOWED,
            f"A {actor.role} may not decide on this proposal ({action}).",
            f"It is for: {', '.join(roles)}.",
        )
    if approves and own:
        raise Refusal(
            RefusalKind.SECOND_PERSON_REQUIRED,
            f"{proposed_by} has proposed it: somebody else must approve it (decision 29).",
            "Two roles are still one person.",
        )


def require_permission(action: str, actor: Actor, case: Case | None) -> None:
    """Refuse (exit 4) an actor whose role may not use `action`, or who is not the case's applicant.

    `case` is None before the application opens one.
    """
    allowed = ROLES[action]
    if actor.role is Role.BANK and action in _BANK_TOO:
        return
    if actor.role not in allowed:
        roles = ", ".join(sorted(allowed))
        raise Refusal(
            RefusalKind.ROLE_NOT_ALLOWED,
            f"A {actor.role} may not do this ({action}).",
            f"It is for: {roles}. Give the right person with --as ROLE:NAME.",
        )
    if allowed is not _HANDED_IN:
        return
    if actor.applicant is None:
        raise Refusal(
            RefusalKind.ROLE_NOT_ALLOWED,
            f"An operator does this ({action}) only for an applicant.",
            "Name the applicant with --on-behalf NAME.",
        )
    if case is not None and not same_name(actor.applicant, case.applicant):
        raise Refusal(
            RefusalKind.NOT_OWN_CASE,
            f"Case {case.case_number} was opened by another applicant.",
            "An applicant acts only on the case they opened.",
        )
