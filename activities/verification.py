"""The enterprise's real-name verification: asking for it, and recording what was heard (A1, edge case 41)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.desk import CaseDesk
from domain import verification
from domain.case import Case
from domain.planning import Planned
from domain.tracing import unseen
from domain.verified import enterprise_of
from domain.verifying import DueChecks, Rechecked, VerificationAnswer, VerificationQuestion
from store.cases import CaseStore
from store.verifications import VerificationStore

_PATIENCE = httpx.Timeout(15.0, connect=5.0)
_LARGEST_ANSWER = 64 * 1024
_LONGEST = 200


class VerifierFailure(Exception):
    """No answer came that can be read. `ours`: it does not know us, or not this way of asking; a person mends that."""

    def __init__(self, why: str, *, ours: bool = False) -> None:
        super().__init__(why)
        self.ours = ours


class Verifier(Protocol):
    """Who knows which enterprises have completed their real-name verification, an outside party."""

    def verify(self, question: VerificationQuestion) -> VerificationAnswer:
        """What it says of an enterprise; asked any number of times. Raises `VerifierFailure` without an answer."""
        ...


class HttpVerifier:
    """It over HTTP: `POST /verifications` with the question as JSON, answered by a `VerificationAnswer`.

    POST, so that no log of addresses names an enterprise. One it has never heard of is `{"result": "unknown"}`, with
    200 or 404; any other 404 is a wrong address.
    """

    def __init__(self, url: str, token: str, patience: httpx.Timeout = _PATIENCE) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._source = urlsplit(url).hostname or url
        self._client = httpx.Client(base_url=url, headers=headers, timeout=patience, trust_env=False)

    def verify(self, question: VerificationQuestion) -> VerificationAnswer:
        try:
            response = self._client.post("/verifications", json=question.model_dump(mode="json"))
        except httpx.HTTPError as error:
            raise VerifierFailure(f"no answer came ({type(error).__name__})") from error
        unknown = response.status_code == 404 and _says_unknown(response)
        if response.status_code != 200 and not unknown:
            ours = 300 <= response.status_code < 500 and response.status_code not in (408, 429)
            raise VerifierFailure(f"the verification service answers {response.status_code}", ours=ours)
        try:
            if len(response.content) > _LARGEST_ANSWER:
                raise ValueError
            answer = VerificationAnswer.model_validate_json(response.content)
        except (ValidationError, ValueError):
            raise VerifierFailure("the verification service's answer cannot be read") from None
        if answer.result == "unanswered":
            raise VerifierFailure("the verification service has no answer")
        shown = {"reference": _shown(answer.reference), "why": _shown(answer.why)}
        return VerificationAnswer(result=answer.result, source=self._source, **shown)


class NoVerifier:
    """Nobody can be asked: the reviewer compares the document, as with every other condition."""

    def verify(self, question: VerificationQuestion) -> VerificationAnswer:
        raise VerifierFailure("no verification service is connected: set LIVEBASE_VERIFICATION_URL", ours=True)


class VerificationActivities:
    """`now` is the case's clock, for `due_verifications` and `record_recheck` the wall clock."""

    def __init__(
        self, desk: CaseDesk, cases: CaseStore, store: VerificationStore, verifier: Verifier, pause_seconds: int = 600
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._store = store
        self._verifier = verifier
        self._pause = pause_seconds

    @activity.defn
    def ask_verification(self, workflow_id: str) -> VerificationAnswer:
        """Ask for the enterprise as it is on record."""
        case = self._cases.case(workflow_id)
        if case is None:
            raise LookupError(f"{workflow_id} has no case in the store")
        name = enterprise_of(case.payer_names)
        try:
            return self._verifier.verify(VerificationQuestion(credit_code=case.credit_code, name=name))
        except VerifierFailure as failure:
            kind = "misdirected" if failure.ours else "unanswered"
            raise ApplicationError(str(failure), type=kind, non_retryable=failure.ours) from failure

    @activity.defn
    def record_verification(
        self, workflow_id: str, planned: Planned, now: datetime, answer: VerificationAnswer
    ) -> Case:
        """What was heard of an application's enterprise, once."""
        return self._desk.follow(
            workflow_id, planned, now, lambda case, asked, setting: verification.answered(case, asked, answer, setting)
        )

    @activity.defn
    def due_verifications(self, now: datetime) -> DueChecks:
        """The certified bases to be looked at again by now, each by its own clock."""
        asked = not isinstance(self._verifier, NoVerifier)  # a schedule outlives its setting
        return DueChecks(bases=self._store.due(now) if asked else (), pause_seconds=self._pause)

    @activity.defn
    def record_recheck(self, workflow_id: str, now: datetime, answer: VerificationAnswer) -> Rechecked:
        """What was heard of a certified base, once, written beside its run, which sleeps on unless it is to be told.

        Tried again after a lost answer it finds nothing to do, and has the run told to be sure.
        """
        clock, before = self._store.clock(workflow_id, now), self._cases.case(workflow_id)
        after = self._desk.step(workflow_id, clock, lambda case, setting: verification.rechecked(case, answer, setting))
        same = after == before
        return Rechecked(tell=before is None or same or not unseen(before, after, clock))


def _says_unknown(response: httpx.Response) -> bool:
    """Whether it is the service that does not know the enterprise, and not something else that knows no such page."""
    try:
        data = response.json()
    except ValueError:
        return False
    return isinstance(data, dict) and data.get("result") == "unknown"


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:_LONGEST]
