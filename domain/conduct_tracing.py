"""What Temporal Web shows of a conduct case: search attributes for the list, current details for its page.

Nothing personal goes here: search attributes are stored in clear.
"""

from __future__ import annotations

from datetime import datetime

from domain.case import Case
from domain.conduct import RULES, ConductCase
from domain.shanghai import SHANGHAI
from domain.stages import Role
from domain.tracing import page


def search_attributes(case: Case, conduct: ConductCase, now: datetime) -> dict[str, str | datetime | None]:
    """The values for one upsert, under the same names as a certification's; `CertNumber` is the conduct case's id."""
    task = next((task for task in case.tasks if task.subject == conduct.id), None)
    return {
        "CertStage": f"conduct {conduct.state}",
        "CertStanding": case.standing(now).value,
        "CertAwaiting": (task.role if task else Role.NOBODY).value,
        "CertDueAt": task.due_at if task else None,
        "CertNumber": conduct.id,
    }


def current_details(case: Case, conduct: ConductCase, namespace: str) -> str:
    """The conduct case as a Markdown table, with the way to its certification case."""
    task = next((task for task in case.tasks if task.subject == conduct.id), None)
    rows = [
        ("违规案件 Conduct case", conduct.id),
        ("认证案件 Certification", f"{case.case_number}, {page(namespace, case.workflow_id)}"),
        ("规则 Rule", f"{conduct.rule} {RULES[conduct.rule]}"),
        ("程度 Severity", conduct.severity),
        ("状态 State", conduct.state),
        ("待办 Awaiting", f"{task.role.value} by {_shown(task.due_at)}" if task else "nobody"),
    ]
    if conduct.next_event is not None:
        rows.append(("下一步 Next", f"{conduct.next_event.what}, {_shown(conduct.next_event.at)}"))
    if conduct.outcome is not None:
        rows.append(("决定 Outcome", conduct.outcome.value))
    table = "\n".join(f"| {label} | {value} |" for label, value in rows)
    return f"| | {case.credit_code} |\n|---|---|\n{table}"


def _shown(instant: datetime | None) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if instant else ""
