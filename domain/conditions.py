"""How each condition of access is judged (requirements A1 to A5, B1, B2, R8; `design/files.md`).

One function per condition, run by `domain/screening.py`: what was found, what is needed, the document it rests
on. What is null where a condition needs it, and a declared value without its document, fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from domain.application import Application
from domain.case import Verification
from domain.findings import Outcome
from domain.policy import Policy
from domain.sections import CooperationCase, Recommendation, Section
from domain.terms import add_months, age_reached
from domain.verified import judged_by_answer

ENTERPRISE_CODES = "91"
"""How an enterprise's credit code begins (GB 32100: registered by market regulation, enterprise)."""

_AT_LEAST_ONE = 1
"""B1 asks that there are policies, not for a number of them: this is no figure of the policy file."""


@dataclass(frozen=True)
class Subject:
    """What is judged, by which figures, as of which Shanghai date."""

    application: Application
    policy: Policy
    as_of: date
    deposit_paid: bool
    verification: Verification | None = None


@dataclass(frozen=True)
class Judged:
    """A condition's finding but for its name and date."""

    outcome: Outcome
    message: str
    value: str | int | None = None
    threshold: str | int | None = None
    document: str | None = None


def _entity(subject: Subject) -> Judged:
    """A1: an enterprise, verified by Alipay; an overseas entity through the enterprise it entrusts."""
    application = subject.application
    entity, entrusted = application.entity, application.entrusted_enterprise
    verification = application.alipay_verification
    wrong = []
    if entity.kind is None:
        wrong.append("the kind of entity is not given; an enterprise is needed")
    elif entity.kind != "enterprise":
        wrong.append(f"the entity is of kind {entity.kind}; an enterprise is needed")
    if not application.credit_code.startswith(ENTERPRISE_CODES):
        begins = application.credit_code[: len(ENTERPRISE_CODES)]
        whose = "the" if entrusted is None else "the entrusted enterprise's"
        wrong.append(f"{whose} credit code begins with {begins}; an enterprise's begins with {ENTERPRISE_CODES}")
    if entrusted is not None and entrusted.entrustment is None:
        wrong.append("the overseas entity gives no document entrusting the mainland enterprise")
    if verification is None:
        wrong.append("Alipay enterprise real-name verification is not done")
    elif nulls := _nulls(verification):
        wrong.append(f"the Alipay verification lacks {nulls}")
    document = verification.evidence if verification else None
    if wrong:
        return Judged(Outcome.FAIL, _sentences(wrong), entity.kind, "enterprise", document)
    through = "" if entrusted is None else f", through the mainland enterprise entrusted ({entrusted.entrustment})"
    message = f"An enterprise with completed Alipay enterprise verification{through}."
    heard = judged_by_answer(subject.verification, application.payer_names)
    outcome, said = (Outcome.PASS, message) if heard is None else (heard[0], f"{message} {heard[1]}")
    return Judged(outcome, said, entity.kind, "enterprise", document)


def _of_the_enterprise(judge: Callable[[Subject], Judged]) -> Callable[[Subject], Judged]:
    """A2 is judged on the entrusted enterprise of an overseas entity, and the finding says so (A1).

    It names nobody: a failing finding's message is in a refusal, which stays in the workflow's history.
    """

    def judged(subject: Subject) -> Judged:
        finding = judge(subject)
        if subject.application.entrusted_enterprise is None:
            return finding
        return replace(finding, message=f"{finding.message} Judged on the entrusted enterprise.")

    return judged


def _taxpayer(subject: Subject) -> Judged:
    enterprise = subject.application.enterprise
    wrong = []
    if enterprise.taxpayer != "general":
        found = "not given" if enterprise.taxpayer is None else enterprise.taxpayer
        wrong.append(f"the taxpayer status is {found}; a general VAT taxpayer is needed")
    if enterprise.taxpayer_evidence is None:
        wrong.append("no document shows the taxpayer status")
    message = _sentences(wrong) if wrong else "A general VAT taxpayer."
    return Judged(_outcome(not wrong), message, enterprise.taxpayer, "general", enterprise.taxpayer_evidence)


def _capital(subject: Subject) -> Judged:
    enterprise = subject.application.enterprise
    fen, needed = enterprise.registered_capital_fen, subject.policy.registered_capital_fen
    threshold = f"{needed // 100}.{needed % 100:02d}"
    if fen is None:
        message = f"The registered capital is not given; at least CNY {threshold} is needed."
        return Judged(Outcome.FAIL, message, None, threshold)
    message = f"The registered capital is CNY {enterprise.registered_capital}; at least {threshold} is needed."
    return Judged(_outcome(fen >= needed), message, enterprise.registered_capital, threshold)


def _registered(subject: Subject) -> Judged:
    enterprise, years = subject.application.enterprise, subject.policy.registered_years
    latest = _latest(subject.as_of, years=years)
    since, statement = enterprise.registered_on, enterprise.advantage_statement
    needed = f"at least {_counted(years, 'year')} is needed, so {latest} or before"
    if since is None:
        return Judged(Outcome.FAIL, f"The date of registration is not given; {needed}.", None, f"{latest}")
    if age_reached(since, years=years, as_of=subject.as_of):
        return Judged(Outcome.PASS, f"Registered on {since}; {needed}.", f"{since}", f"{latest}")
    if statement is None:
        message = f"Registered on {since}; {needed}, or a statement of the entity's advantages."
        return Judged(Outcome.FAIL, message, f"{since}", f"{latest}")
    message = f"Registered on {since}; {needed}. A reviewer weighs the statement of the entity's advantages."
    return Judged(Outcome.PERSON, message, f"{since}", f"{latest}", statement)


def _deposit(subject: Subject) -> Judged:
    fen = subject.policy.deposit_fen
    threshold = f"{fen // 100}.{fen % 100:02d}"
    if subject.deposit_paid:
        return Judged(Outcome.PASS, f"The deposit of CNY {threshold} is paid in full.", threshold, threshold)
    message = f"The deposit of CNY {threshold} is not paid in full; it is due after the approval."
    return Judged(Outcome.PENDING, message, None, threshold)


def _live_rooms(subject: Subject) -> Judged:
    facilities, needed = subject.application.facilities, subject.policy.live_rooms
    rooms = facilities.live_rooms if facilities else None
    evidence = facilities.evidence if facilities else ()
    found = "The number of live rooms is not given" if rooms is None else f"{_counted(rooms, 'live room')}"
    return _evidenced(
        rooms is not None and rooms >= needed, f"{found}; at least {needed} are needed", rooms, needed, evidence
    )


def _area(subject: Subject) -> Judged:
    facilities, needed = subject.application.facilities, subject.policy.area_m2
    area = facilities.area_m2 if facilities else None
    evidence = facilities.evidence if facilities else ()
    found = "The area is not given" if area is None else f"{area} m² including studios"
    enough = area is not None and Decimal(area) >= needed
    return _evidenced(enough, f"{found}; at least {needed} m² are needed", area, f"{needed}", evidence)


def _evidenced(
    enough: bool, message: str, value: str | int | None, threshold: str | int, evidence: Sequence[str]
) -> Judged:
    """A declared figure that needs a document beside it."""
    if not evidence:
        return Judged(Outcome.FAIL, f"{message}. No document shows it.", value, threshold)
    return Judged(_outcome(enough), f"{message}.", value, threshold, evidence[0])


def _cases(subject: Subject) -> Judged:
    """A4: projects carried out; a recommendation alone needs a person."""
    cases, recommendations, ignored = _partners(subject.application)
    needed = subject.policy.cooperation_cases
    message = f"{_counted(len(cases), 'cooperation case')} with evidence; at least {needed} needed.{ignored}"
    if len(cases) >= needed:
        return Judged(Outcome.PASS, message, len(cases), needed, cases[0].evidence)
    if recommendations:
        message += " A reviewer weighs the recommendation instead."
        return Judged(Outcome.PERSON, message, len(cases), needed, recommendations[0].evidence)
    return Judged(Outcome.FAIL, message, len(cases), needed)


def _experience(subject: Subject) -> Judged:
    experience, months = subject.application.experience, subject.policy.experience_months
    latest = _latest(subject.as_of, months=months)
    needed = f"at least {_counted(months, 'month')} are needed, so since {latest} or before"
    if experience is None or experience.since is None:
        return Judged(Outcome.FAIL, f"The start of the experience is not given; {needed}.", None, f"{latest}")
    since = experience.since
    if nulls := _nulls(experience):
        message = f"Experience since {since}; {needed}. It lacks {nulls}."
        return Judged(Outcome.FAIL, message, f"{since}", f"{latest}", experience.evidence)
    reached = age_reached(since, months=months, as_of=subject.as_of)
    message = f"Experience ({experience.kind}) since {since}; {needed}."
    return Judged(_outcome(reached), message, f"{since}", f"{latest}", experience.evidence)


def _cases_or_recommendations(subject: Subject) -> Judged:
    """A5: a case or a recommendation, evidenced."""
    cases, recommendations, ignored = _partners(subject.application)
    found, needed = len(cases) + len(recommendations), subject.policy.cooperation_cases
    message = (
        f"{_counted(len(cases), 'cooperation case')} and {_counted(len(recommendations), 'recommendation')} "
        f"with evidence; at least {needed} needed.{ignored}"
    )
    documents = [*(c.evidence for c in cases), *(r.evidence for r in recommendations), None]
    return Judged(_outcome(found >= needed), message, found, needed, documents[0])


def _policies(subject: Subject) -> Judged:
    """B1: a government policy in force, evidenced; only of kind `other`, a person weighs it."""
    policies, ignored = _complete(subject.application.government_policies, "government_policies")
    in_force = [p for p in policies if p.valid_until is None or p.valid_until >= subject.as_of]
    past = len(policies) - len(in_force)
    message = f"{_counted(len(in_force), 'government policy', 'government policies')} in force with evidence"
    message += f", {past} past" if past else ""
    message += f"; at least {_AT_LEAST_ONE} needed.{ignored}"
    if not in_force:
        return Judged(Outcome.FAIL, message, 0, _AT_LEAST_ONE)
    special = [p for p in in_force if p.kind != "other"]
    if special:
        return Judged(Outcome.PASS, message, len(in_force), _AT_LEAST_ONE, special[0].evidence)
    message += " All are of kind other: a reviewer weighs them."
    return Judged(Outcome.PERSON, message, len(in_force), _AT_LEAST_ONE, in_force[0].evidence)


def _operator(subject: Subject) -> Judged:
    company = subject.application.operating_company
    if company is None:
        return Judged(Outcome.FAIL, "No operating company is given; a landed one is needed.")
    if nulls := _nulls(company):
        message = f"The operating company lacks {nulls}."
        return Judged(Outcome.FAIL, message, company.credit_code, None, company.evidence)
    runs = "A landed operating company"
    if company.credit_code == subject.application.credit_code:  # an overseas entity has none
        runs = "The entity itself" if subject.application.entrusted_enterprise is None else "The entrusted enterprise"
    message = f"{runs} runs the base."
    return Judged(Outcome.PASS, message, company.credit_code, None, company.evidence)


def _agreement(subject: Subject) -> Judged:
    agreement = subject.application.agreement
    if agreement is None:
        return Judged(Outcome.FAIL, "The platform's agreement is not accepted; its acceptance must be on record.")
    if nulls := _nulls(agreement):
        message = f"The acceptance of the platform's agreement lacks {nulls}."
        return Judged(Outcome.FAIL, message, agreement.version, None, agreement.evidence)
    message = f"Version {agreement.version} of the platform's agreement was accepted on {agreement.accepted_on}."
    return Judged(Outcome.PASS, message, agreement.version, None, agreement.evidence)


CONDITIONS: dict[str, Callable[[Subject], Judged]] = {
    "A1": _entity,
    "A2.taxpayer": _of_the_enterprise(_taxpayer),
    "A2.capital": _of_the_enterprise(_capital),
    "A2.age": _of_the_enterprise(_registered),
    "A3": _deposit,
    "A4.live_rooms": _live_rooms,
    "A4.area": _area,
    "A4.cases": _cases,
    "A4.experience": _experience,
    "A5": _cases_or_recommendations,
    "B1": _policies,
    "B2": _operator,
    "R8": _agreement,
}
"""Every condition in the order its finding is reported (`design/files.md`), and how it is judged."""


def _partners(application: Application) -> tuple[list[CooperationCase], list[Recommendation], str]:
    """The cases and recommendations that count, and a sentence on those that don't."""
    cases, without_cases = _complete(application.cooperation_cases, "cooperation_cases")
    recommendations, without = _complete(application.recommendations, "recommendations")
    return cases, recommendations, without_cases + without


_Entry = TypeVar("_Entry", bound=Section)


def _complete(entries: Sequence[_Entry], section: str) -> tuple[list[_Entry], str]:
    """The entries of a list with nothing null that is needed, and a sentence on each other one."""
    nulls = [_nulls(entry) for entry in entries]
    ignored = (f" {section}[{i}] does not count: it lacks {null}." for i, null in enumerate(nulls) if null)
    return [entry for entry, null in zip(entries, nulls, strict=True) if not null], "".join(ignored)


def _nulls(section: Section) -> str:
    """The fields that are null though they are needed, listed; a policy's `valid_until` may be null."""
    values = section.model_dump(exclude={"valid_until"})
    return ", ".join(name for name, value in values.items() if value is None)


def _latest(as_of: date, *, years: int = 0, months: int = 0) -> date:
    """The latest date that has reached the age on `as_of`."""
    day = add_months(as_of, -12 * years - months)
    while age_reached(day + timedelta(days=1), years=years, months=months, as_of=as_of):
        day += timedelta(days=1)
    return day


def _outcome(met: bool) -> Outcome:
    return Outcome.PASS if met else Outcome.FAIL


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def _sentences(clauses: Sequence[str]) -> str:
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in clauses)
