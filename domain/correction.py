"""Corrections after certification: the base's name and address, and its contact, in a new revision (decisions 12, 19).

Who is certified, and on what, stays: another enterprise, account or fact of access is no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain import official_list
from domain.case import Case
from domain.commands import Correct
from domain.judging import judge
from domain.letters import letter
from domain.look_alike import LookAlike, judged
from domain.records import ApplicationRevision, KnownBy, ListRevision, Transition
from domain.refusals import Problem, Refusal, RefusalKind
from domain.screening import require_accepted
from domain.setting import Setting, step
from domain.submission import Submission

SECTIONS = ("base", "contact")
"""What a correction may bring."""
_CORRECTABLE = {"base.name": "名称", "base.address": "地址", "contact": "联系人"}


def correct(
    case: Case,
    command: Correct,
    submission: Submission,
    current: Submission,
    setting: Setting,
    alike: Sequence[LookAlike] | None = None,
) -> Transition:
    """A new revision of the application, and of the list's entry when the base is listed under another name or
    address.

    The revisions before are kept; the time in which the base is to be made public (R3) goes on as it was. Conditions
    are not judged again, but for a new name: what a person must weigh of it is accepted by name, as in a review, or
    it is refused (5). Refused (2) when anything else differs, or nothing does.
    """
    judge(case, command)
    corrected = _corrected(submission, current)
    of_the_name = () if alike is None else judged(submission.application, setting.policy, alike, as_of=setting.today)
    require_accepted(of_the_name, command.accepted)
    accepted = {acceptance.condition: acceptance.reason for acceptance in command.accepted}
    application, revision = submission.application, case.revision + 1
    base = application.base
    changes: dict[str, Any] = {"revision": revision, "name": base.name, "place": base.address}
    entries: tuple[ListRevision, ...] = ()
    publication = case.publication
    if (
        publication is not None
        and publication.state == "published"
        and (base.name, base.address) != (case.name, case.place)
    ):
        entries = official_list.entries(case.model_copy(update=changes), setting)
        changes["publication"] = publication.model_copy(update={"register_revision": entries[0].revision})
    return step(
        case,
        setting,
        "base_corrected",
        command.actor,
        ApplicationRevision(revision, command.submission, str(command.actor), application.representative),
        KnownBy(application.names),
        *entries,
        letter(
            case.model_copy(update={"name": application.base.name}),
            "base_corrected",
            setting,
            corrected="、".join(_CORRECTABLE[path] for path in corrected),
            before=case.name,
            revision=revision,
        ),
        detail={"revision": revision, "submission": command.submission, "corrected": list(corrected)}
        | ({"accepted": accepted} if accepted else {}),
        **changes,
    )


def _corrected(submission: Submission, current: Submission) -> tuple[str, ...]:
    """What differs, by its path. Refusal (2) with everything that may not."""
    before, after = _facts(current), _facts(submission)
    differing = [path for path in after if after[path] != before[path]]
    problems = tuple(Problem(path, "is no correction") for path in differing if path not in _CORRECTABLE)
    if problems or not differing:
        raise Refusal(
            RefusalKind.INVALID_VALUE,
            "Only the base's name and address and the contact can be corrected."
            if problems
            else "Nothing in it differs from what is on record.",
            "Another account is another application; everything else comes with the renewal.",
            problems,
        )
    return tuple(differing)


def _facts(submission: Submission) -> dict[str, Any]:
    """The application's sections by name, that of the base field by field."""
    sections = submission.application.model_dump(mode="json")
    base = sections.pop("base")
    return {**{f"base.{name}": value for name, value in base.items()}, **sections}
