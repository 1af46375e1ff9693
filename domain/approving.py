"""Four eyes: an act that needs a second person is proposed, and done when another one approves it (decision 29).

Who may approve what is in `domain/permissions.py`. An approval names the content it saw; a changed state, the same
person under another role or spelling, a denial, or three working days of silence leave the act undone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from domain.case import Case, Proposal
from domain.commands import ENVELOPE, ApproveProposal, Command, DenyProposal
from domain.judging import judge
from domain.ledger import Transfer
from domain.letters import letter
from domain.money import format_cny
from domain.permissions import SECOND_PERSON
from domain.planning import Event, Planned
from domain.proposals import content_of, state_of, with_masked_account
from domain.records import Approval, Decision, Evidence, Transition
from domain.refund import account_in_words
from domain.refusals import Refusal, RefusalKind
from domain.setting import SYSTEM, Setting, step


def propose(case: Case, command: Command, setting: Setting) -> Transition:
    """Put an act before a second person. Refused (5) when the same is before one already, whatever its reason:
    of two that are open, the second person would have to choose the ground."""
    second, action = SECOND_PERSON[command.action], command.action
    parameters = command.model_dump(mode="json", exclude=set(ENVELOPE), exclude_defaults=True)
    evidence, told = tuple(parameters.get("evidence", ())), with_masked_account(parameters)
    for other in case.open_proposals:
        if other.action == action and _about(other.parameters) == _about(parameters):
            raise Refusal(
                RefusalKind.PROPOSAL_PENDING,
                f"{other.proposed_by} has proposed the same ({action}); it waits for a second person.",
                f"See it with: livebase approvals show {other.id}",
            )
    proposal = Proposal(
        id=f"{case.case_number}-{case.sequence + 1}",
        action=action,
        parameters=parameters,
        content=content_of(case, action, parameters),
        seen=state_of(case),
        proposed_by=command.actor.name,
        role=command.actor.role,
        at=setting.now,
    )
    due = setting.working_days(setting.policy.approval_working_days)
    task = due.task(second.task, second.roles[0])
    expiry = due.event(Event.EXPIRE_PROPOSAL, "a proposal nobody has approved expires")
    about = {"subject": proposal.id}
    return step(
        case,
        setting,
        "proposal_made",
        command.actor,
        Decision("proposal_made", command.actor.name, command.actor.role, case.revision, detail={"action": action}),
        *([Evidence(second.task.removeprefix("approve_"), evidence)] if evidence else []),
        letter(
            case,
            f"approval_asked.{action}",
            setting,
            until=due.at,
            provisional=due.provisional,
            id=proposal.id,
            by=proposal.proposed_by,
            cny=format_cny(parameters.get("amount", 0)),
            to=account_in_words(parameters.get("account"), parameters.get("account_name")),
            **told,
        ),
        detail={"action": action, "parameters": told, "proposal": proposal.id, "content": proposal.content},
        proposals=(*case.proposals, proposal),
        tasks=(*case.tasks, task.model_copy(update={**about, "also": second.roles[1:]})),
        plan=(*case.plan, expiry.model_copy(update=about)),
    )


def approve(
    case: Case, command: ApproveProposal, setting: Setting, carry_out: Callable[[Case, Proposal], Transition]
) -> Transition:
    """The second person approves: what was proposed is done now, with both names on record.

    `carry_out` is the proposed act's own rule, which may still refuse it.
    """
    judge(case, command)
    proposal = _meant(case, command.proposal)
    done = carry_out(_over(case, proposal, "approved"), proposal)
    second = command.actor
    names = {
        "proposal": proposal.id,
        "proposed_by": f"{proposal.role}:{proposal.proposed_by}",
        "approved_by": str(second),
    }

    def with_both(record: Any) -> Any:
        if isinstance(record, Transfer):
            return replace(record, approval=proposal.id)
        if not isinstance(record, Decision):
            return record
        both = {**record.detail, **names}
        return replace(record, by=second.name, role=second.role, detail=both, approval=proposal.id)

    ending = done.case.ending
    if case.ending is None and ending is not None:
        took_part = (*ending.by, proposal.proposed_by, second.name)
        ended = ending.model_copy(update={"by": tuple(dict.fromkeys(took_part))})
        done = replace(done, case=done.case.model_copy(update={"ending": ended}))
    return replace(
        done,
        actor=str(second),
        detail={**done.detail, **names},
        records=(
            Approval(proposal.id, proposal.action, proposal.content, proposal.proposed_by, second.name),
            *(with_both(record) for record in done.records),
        ),
    )


def deny(case: Case, command: DenyProposal, setting: Setting) -> Transition:
    """One denial ends a proposal; whoever made it may take it back so."""
    judge(case, command)
    proposal = _meant(case, command.proposal)
    denied = {"action": proposal.action, "proposal": proposal.id}
    return _without(
        case,
        proposal,
        "denied",
        setting,
        "proposal_denied",
        command.actor,
        Decision(
            "proposal_denied", command.actor.name, command.actor.role, case.revision, command.reason, detail=denied
        ),
        letter(
            case,
            f"approval_denied.{proposal.action}",
            setting,
            id=proposal.id,
            by=command.actor.name,
            reason=command.reason,
        ),
        detail={**denied, "reason": command.reason},
    )


def expire(case: Case, planned: Planned, setting: Setting) -> Transition:
    """Nobody has approved or denied it in time: it is over, and may be proposed anew."""
    assert planned.subject is not None
    proposal = _meant(case, planned.subject)
    return _without(
        case,
        proposal,
        "expired",
        setting,
        "proposal_expired",
        SYSTEM,
        letter(case, f"approval_expired.{proposal.action}", setting, id=proposal.id, by=proposal.proposed_by),
        detail={"action": proposal.action, "proposal": proposal.id},
        legal_at=planned.at,
    )


def _about(parameters: dict[str, Any]) -> dict[str, Any]:
    """What a proposal is about, its reason left aside."""
    return {name: value for name, value in parameters.items() if name != "reason"}


def _meant(case: Case, id: str) -> Proposal:
    proposal = case.proposal(id)
    assert proposal is not None
    return proposal


def _over(case: Case, proposal: Proposal, outcome: Literal["approved", "denied", "expired"]) -> Case:
    """The case with a proposal that is over, and nothing planned for it. Its task goes with the next step."""
    over = proposal.model_copy(update={"outcome": outcome})
    return case.model_copy(
        update={
            "proposals": tuple(over if one.id == proposal.id else one for one in case.proposals),
            "plan": tuple(one for one in case.plan if one.subject != proposal.id),
        }
    )


def _without(
    case: Case,
    proposal: Proposal,
    outcome: Literal["denied", "expired"],
    setting: Setting,
    event: str,
    actor: object,
    *records: Any,
    **more: Any,
) -> Transition:
    after = _over(case, proposal, outcome)
    return step(case, setting, event, actor, *records, proposals=after.proposals, plan=after.plan, **more)
