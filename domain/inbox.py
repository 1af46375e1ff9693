"""What waits for a person: the tasks they may do, among all the open ones."""

from __future__ import annotations

from domain.case import Case
from domain.commands import Actor
from domain.judging import no_judges
from domain.names import same_name
from domain.planning import Task
from domain.stages import Role


def waits_for(case: Case, task: Task, actor: Actor) -> bool:
    """Whether an open task waits for this person.

    An applicant's are those of their own cases; an operator acting for one has theirs. Staff have their role's,
    but for what a colleague has taken and what needs somebody who took no part (decisions 18, 28, 29).
    """
    if actor.applicant is not None:
        return task.role is Role.APPLICANT and same_name(case.applicant, actor.applicant)
    if actor.role is not task.role and actor.role not in task.also:
        return False
    if task.kind == "decide_appeal" and any(same_name(one, actor.name) for one in no_judges(case)):
        return False
    proposal = case.proposal(task.subject) if task.subject else None
    if proposal is not None and same_name(proposal.proposed_by, actor.name):
        return False
    if task.assignee is not None:
        return same_name(task.assignee, actor.name)
    approved_it = case.decided is not None and same_name(case.decided.by, actor.name)
    return not (task.kind == "certify" and approved_it)
