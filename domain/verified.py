"""What is known of an enterprise's real-name verification, and what that makes of its condition (A1)."""

from __future__ import annotations

from domain.case import Verification
from domain.findings import Outcome
from domain.names import same_company
from domain.shanghai import shanghai_date

_SAID = {
    "asked": "is being asked for",
    "not_verified": "is not there",
    "name_mismatch": "is under another name",
    "unknown": "is not known to who keeps it",
    "unanswered": "could not be asked for",
    "accepted": "was accepted by a person",
}


def enterprise_of(payer_names: tuple[str, ...]) -> str:
    """Who is verified: the entity, or the enterprise an overseas one entrusts, whose name comes second."""
    return payer_names[-1]


def judged_by_answer(known: Verification | None, payer_names: tuple[str, ...]) -> tuple[Outcome, str] | None:
    """What the answer makes of A1, which passes by its documents, in a sentence; None when nobody was asked.

    It names nobody: a failing finding's message is in a refusal, which stays in the workflow's history.
    """
    if known is None:
        return None
    day = shanghai_date(known.at)
    if not same_company(known.name, enterprise_of(payer_names)):
        return Outcome.PERSON, "The verification was asked for under another name. A reviewer compares the two."
    if known.result == "verified":
        return Outcome.PASS, f"Confirmed by {known.source} on {day}."
    said = f"The verification {_SAID[known.result]} ({known.source or 'no answer yet'}, {day})."
    if known.result == "accepted":
        said = f"The verification {_SAID[known.result]} on {day}."
    if known.result == "not_verified":
        return Outcome.FAIL, said
    return Outcome.PERSON, f"{said} A reviewer compares the document."
