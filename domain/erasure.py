"""Erasing what was handed in for a case that has closed: personal data nobody needs any more, by two people.

The key of the case's documents is destroyed (`store/documents.py`), and with it the application, evidence and what
people wrote. What stays is what has to be answered for: decisions and their reasons, the ledger, the audit log.
"""

from __future__ import annotations

from domain.case import Case
from domain.commands import EraseDocuments
from domain.judging import judge
from domain.letters import letter
from domain.records import Decision, Transition
from domain.setting import Setting, step


def erase(case: Case, command: EraseDocuments, setting: Setting) -> Transition:
    """Carried out when a second person approves (`domain/approving.py`); the key is destroyed in its transaction."""
    judge(case, command)
    return step(
        case,
        setting,
        "documents_erased",
        command.actor,
        Decision("documents_erased", command.actor.name, command.actor.role, case.revision, command.reason),
        letter(case, "documents_erased", setting, reason=command.reason),
        detail={"reason": command.reason},
        documents_erased=setting.now,
    )
