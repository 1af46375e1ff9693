"""Parts of a case as a table says them: deposit, publication, term, holds, ending, tasks."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from starter.output import deadline, loud, money, plain, print_table, when, word

Row = tuple[str, object]

_TYPED = {
    "take_review": "review take",
    "release_review": "review release",
    "approve": "review approve",
    "request_supplement": "review request",
    "reject": "review reject",
    "receive_deposit": "deposit receive",
    "deduct_deposit": "deposit deduct",
    "refund_deposit": "deposit refund",
    "assign_payment": "deposit unmatched assign",
    "return_payment": "deposit unmatched return",
    "reverse_payment": "deposit reverse",
    "record_unplaced": "deposit import",
    "refuse_certification": "certify --refuse",
    "approve_renewal": "renewal approve",
    "request_renewal_supplement": "renewal request",
    "reject_renewal": "renewal reject",
    "object_assessment": "assess object",
    "decide_assessment": "assess decide",
    "confirm_marks": "marks confirm",
    "check_marks": "marks check",
    "accept_verification": "verification accept",
    "file_appeal": "appeal file",
    "decide_appeal": "appeal decide",
    "set_aside": "set-aside",
    "waive_cooling_off": "waive",
    "erase_documents": "documents erase",
    "report_conduct": "conduct report",
    "respond_conduct": "conduct respond",
    "decide_conduct": "conduct decide",
    "approve_proposal": "approvals approve",
    "deny_proposal": "approvals deny",
    "extend_deadline": "extend",
    "dismiss_complaint": "conduct dismiss",
    "add_note": "note add",
    "resend_letters": "notices resend",
}
_QUARTERS_SHOWN = 4
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_HASHES = frozenset({"submission", "evidence", "note", "content", "leaves", "signed"})


def of_the_base(view: dict[str, Any]) -> list[Row]:
    """Which base and which case it is, and of which two parties where the entity is an overseas one (A1)."""
    rows: list[Row] = [("base", view["name"])]
    if entrusted := view["parties"]["entrusted_enterprise"]:
        rows += [("entity", view["parties"]["entity"]), ("entrusted enterprise", entrusted)]
    return [*rows, ("credit code", view["credit_code"]), ("case", view["case_number"])]


def of_the_certification(view: dict[str, Any]) -> list[Row]:
    """Term, deposit, publication, holds and ending, as far as there are any."""
    from domain.judging import DECIDED_BY_US

    rows: list[Row] = []
    if term := view["term"]:
        until = f"{word('through')} {term['last_day']} 24:00"
        rows.append(("term", f"{term['certificate_number']}, {when(term['from'])} {until}"))
    if later := view["next_term"]:
        until = f"{word('through')} {later['last_day']} 24:00"
        rows.append(("next term", f"{later['certificate_number']}, {when(later['from'])} {until}"))
    if renewal := view["renewal"]:
        filed = f"{word('filed')} {when(renewal['filed_at'])}"
        rows.append(("renewal", f"{filed}, {word('awaits ' + renewal['awaits'])}"))
    rows.append(("deposit", _deposit(view["deposit"])))
    if view["publication"]["state"] != "none":
        rows.append(("publication", _publication(view["publication"])))
    if view["assessments"]:
        rows += [("assessment", _assessment(one)) for one in view["assessments"][-_QUARTERS_SHOWN:]]
    rows += [("holds", _hold(hold)) for hold in view["holds"]]
    for conduct in view["conduct"]:
        how = word(conduct["outcome"] if conduct["state"] == "closed" else conduct["state"], "conduct")
        rows.append(("conduct case", f"{conduct['id']} {conduct['rule']}, {word(conduct['severity'])}: {how}"))
    if ending := view["ending"]:
        rows.append(("ending", _ending(ending)))
        if ending["kind"] in DECIDED_BY_US:
            rows.append(("decision", _decision(view)))
    if appeal := view["appeal"]:
        decided = word(appeal["outcome"], "appeal") if appeal["outcome"] else word("undecided")
        rows.append(("appeal", f"{word('filed')} {when(appeal['filed_at'])}: {decided}"))
    return rows


def of_the_proposals(view: dict[str, Any]) -> list[Row]:
    """What waits for a second person (decision 29)."""
    return [
        ("proposal", f"{one['id']} {word(one['action'], 'action')} — {actor(one['proposed_by'])}")
        for one in view["proposals"]
    ]


def task(open_task: dict[str, Any]) -> str:
    """What is to be done, by whom, until when."""
    who = plain(open_task["assignee"]) if open_task["assignee"] else word(open_task["role"])
    due = f" {word('by')} {deadline(open_task['due_at'])}" if open_task["due_at"] else ""
    return f"{word(open_task['kind'], 'task')} — {who}{due}{provisional(open_task['provisional'])}"


def provisional(marked: bool | None) -> str:
    """The mark of a deadline that can still move."""
    return f" ({word('provisional')})" if marked else ""


def outcome(result: str) -> str:
    """A finding's outcome; a failure is seen at once."""
    return loud(word(result)) if result == "fail" else word(result)


def _hold(hold: dict[str, Any]) -> str:
    ground, colon, whose = hold["kind"].partition(":")
    return f"{word(ground, 'hold')}{colon}{whose} {word('since')} {when(hold['since'])}: {word(hold['reason'])}"


def _assessment(one: dict[str, Any]) -> str:
    """How a quarter stands; a fail is seen at once."""
    objectable = one["state"] == "provisional" and one["objection_until"]
    until = f" {word('until')} {deadline(one['objection_until'])}" if objectable else ""
    text = f"{one['period']} {word(one['result'])} ({word(one['state'], 'assessment')}{until})"
    return loud(text) if one["result"] == "fail" else text


def _deposit(deposit: dict[str, Any]) -> str:
    unmatched = f", {money(deposit['unmatched'])} {word('unmatched')}" if deposit["unmatched"]["fen"] else ""
    return f"{money(deposit['held'])} {word('of')} {money(deposit['required'])} {word('CNY')} {word('held')}{unmatched}"


def _publication(publication: dict[str, Any]) -> str:
    parts = [word(publication["state"], "publication")]
    if publication["state"] == "published":
        parts[0] += f" {word('since')} {when(publication['published_at'])}"
    moving = publication["provisional"] and publication["state"] == "pending"
    parts.append(f"{word('due')} {publication['due_date']}{provisional(moving)}")
    if publication["breached"]:
        parts.append(word("R3 breached"))
    text = ", ".join(parts)
    return loud(text) if publication["breached"] else text


def _ending(ending: dict[str, Any]) -> str:
    late = when(ending["observed_at"]) != when(ending["legal_at"])
    observed = f" ({word('observed')} {when(ending['observed_at'])})" if late else ""
    kind = f"{word(ending['kind'])} ({word(ending['cause'])})"
    return f"{kind} {word('on')} {when(ending['legal_at'])}{observed}: {word(ending['reason'])}"


def _decision(view: dict[str, Any]) -> str:
    """What an appeal and a set-aside name; until when it may be appealed, unless it has been."""
    id, appeal = view["ending"]["decision"], view["appeal"]
    open_until = view["appeal_until"] if appeal is None or appeal["decision"] != id else None
    return f"{id}, {word('appeal')} {word('until')} {deadline(open_until)}" if open_until else str(id)


def typed(action: str) -> str:
    """How an action is typed on the command line."""
    return _TYPED.get(action, action)


def actor(text: str) -> str:
    """Who acted, as on record: role:name, or the system."""
    role, colon, name = text.partition(":")
    return f"{word(role)}{colon}{name}"


def recorded(detail: dict[str, Any]) -> str:
    """What is worth reading of a record's detail; hashes are in the JSON."""
    parts = []
    for key, value in detail.items():
        if key in _HASHES or value in (None, "", [], {}, False, {"fen": 0}):
            continue
        parts.append(word(key) if value is True else f"{word(key)} {_value(value)}")
    return ", ".join(parts)


def findings_table(findings: list[dict[str, Any]]) -> None:
    """Each condition with its outcome, and who accepted it and why where somebody did."""
    rows = [(condition(f["condition"]), outcome(f["outcome"]), _message(f)) for f in findings]
    print_table(("finding", "outcome", "message"), rows)


def condition(name: str) -> str:
    """A condition's id, in another language with what it is."""
    meaning = word(name, "condition")
    return name if meaning == name else f"{name} {meaning}"


def _message(finding: dict[str, Any]) -> str:
    accepted = finding.get("accepted")
    if not accepted:
        return str(finding["message"])
    return f"{finding['message']}\n{word('accepted')} — {accepted['by']}: {accepted['reason']}"


def _value(value: Any) -> str:
    """A value on record in one line."""
    from store.queries import shown

    if isinstance(value, dict) and set(value) == {"fen"}:
        return money(value)
    if isinstance(value, dict) and set(value) == {"condition", "what"}:
        return f"{condition(value['condition'])}: {plain(value['what'])}"
    if isinstance(value, dict) and {"source", "sha256"} <= set(value):
        return plain(value["source"])
    if isinstance(value, dict) and {"deadline", "before", "after"} <= set(value):
        since = f"{value['before']} → " if value["before"] != value["after"] else ""
        return f"{word(value['deadline'], 'task')} {since}{value['after']}{provisional(value['provisional'])}"
    if isinstance(value, dict):
        return ", ".join(f"{word(name)} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "; ".join(_value(one) for one in value)
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return when(shown(datetime.fromisoformat(value)))
    return word(plain(value))
