"""What Temporal Web shows of a case: search attributes for the list, current details for the page.

Nothing personal goes here: search attributes are stored in clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from domain.case import Case
from domain.commands import assessment_workflow_id
from domain.conduct import conduct_workflow_id
from domain.judging import open_to
from domain.money import format_cny
from domain.planning import Event, Planned
from domain.shanghai import SHANGHAI

Kind = Literal["Keyword", "Datetime"]

SEARCH_ATTRIBUTES: Mapping[str, Kind] = {
    "CertStage": "Keyword",
    "CertStanding": "Keyword",
    "CertAwaiting": "Keyword",
    "CertDueAt": "Datetime",
    "CertValidUntil": "Datetime",
    "CertNumber": "Keyword",
}
"""Name → kind, as registered with the server. Never `Status`: Temporal Web hides it."""


def search_attributes(case: Case, now: datetime) -> dict[str, str | datetime | None]:
    """The values for one upsert; None unsets. `CertNumber` is the certificate's, before it the case's number."""
    term = case.term
    return {
        "CertStage": case.stage.value,
        "CertStanding": case.standing(now).value,
        "CertAwaiting": case.awaiting.value,
        "CertDueAt": case.due_at,
        "CertValidUntil": term.until if term else None,
        "CertNumber": term.certificate_number if term else case.case_number,
    }


def page(namespace: str, workflow_id: str) -> str:
    """A workflow's page in the same Temporal Web, as a Markdown link."""
    return f"[{workflow_id}](/namespaces/{quote(namespace, safe='')}/workflows/{quote(workflow_id, safe='')})"


def current_details(case: Case, now: datetime, namespace: str) -> str:
    """The case as a Markdown table: stage, who acts by when, what comes next, deposit, term, open commands."""
    deposit = case.deposit
    rows = [
        ("案件 Case", case.case_number),
        ("阶段 Stage", case.stage.value),
        ("状态 Standing", case.standing(now).value),
        ("待办 Awaiting", f"{case.awaiting.value} by {_shown(case.due_at)}" if case.due_at else case.awaiting.value),
    ]
    coming = [one for one in case.coming if not _of_the_quarter(case, one[0])]
    for planned, conduct in coming[:1]:
        where = f"{conduct}: " if conduct else ""
        rows.append(("下一步 Next", f"{where}{planned.what}, {_shown(planned.at)}"))
    rows.append(("保证金 Deposit", f"{format_cny(deposit.held)} of {format_cny(deposit.required)} CNY held"))
    if deposit.unmatched:
        rows.append(("待核对 Unmatched", f"{format_cny(deposit.unmatched)} CNY"))
    if (term := case.running_term) is not None:
        rows.append(("证书 Certificate", f"{term.certificate_number}, through {term.last_day} 24:00"))
    if case.renewal is not None:
        rows.append(("续签 Renewal", f"filed {_shown(case.renewal.filed_at)}, awaits {case.renewal.awaits}"))
    elif case.term is not None and case.term != term:
        rows.append(("续签 Renewal", f"{case.term.certificate_number}, through {case.term.last_day} 24:00"))
    if case.publication is not None:
        breached = ", R3 breached" if case.publication.breached else ""
        due = f"due {case.publication.due_date}" + (" (provisional)" if case.publication.provisional else "")
        rows.append(("公示 Publication", f"{case.publication.state}, {due}{breached}"))
    rows += [("暂停 Hold", f"{hold.kind}, since {_shown(hold.since)}") for hold in case.holds]
    rows += [
        (
            "违规案件 Conduct case",
            f"{one.id} ({one.rule}): {one.state}, {page(namespace, conduct_workflow_id(case.workflow_id, one.id))}",
        )
        for one in case.open_conduct
    ]
    rows += [("待复核 Proposal", f"{proposal.id}: {proposal.action}") for proposal in case.open_proposals]
    for assessment in [one for one in case.assessments if one.open and one.result != "pass"][-1:]:
        quarter = page(namespace, assessment_workflow_id(assessment.period))
        rows.append(("考核 Assessment", f"{assessment.period}: {assessment.result}, {assessment.state}, {quarter}"))
    commands = ", ".join(sorted(open_to(case)))
    rows.append(("可用命令 Open commands", commands or "none"))
    table = "\n".join(f"| {label} | {value} |" for label, value in rows)
    return f"| | {case.credit_code} |\n|---|---|\n{table}"


def unseen(before: Case, after: Case, now: datetime) -> bool:
    """Whether the case's run may sleep on: nothing comes earlier, and nothing Temporal Web shows of it is changed."""
    first, next_one = before.next_event, after.next_event
    no_earlier = next_one is None or (first is not None and first.at <= next_one.at)
    shown = [(search_attributes(case, now), current_details(case, now, ""), case.conduct) for case in (before, after)]
    return no_earlier and shown[0] == shown[1]


def _of_the_quarter(case: Case, planned: Planned) -> bool:
    """Whether it is for the office's attention alone: figures that may be missing, a pass to be confirmed."""
    if planned.event is not Event.ESCALATE_ASSESSMENT:
        return planned.event is Event.REMIND_FIGURES
    assessment = case.assessment(planned.subject or "")
    return assessment is not None and assessment.result == "pass"


def _shown(instant: datetime | None) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else ""
