"""The certification of one base, from its application to what outlives it.

application → document review (rounds of supplements) → deposit → certification → publication within
7 working days → the valid year → ending → stop-using-marks duty and settlement

`run` is that path. A person's act is an update (`workflows/acts.py`): its handler makes the transition in one
transaction, `run` waits and follows (`workflows/keeping.py`), and carries out what comes of itself when its instant
arrives (`domain/agenda.py`).
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.stages import Stage
    from workflows.messages import WORKFLOW
    from workflows.state import CaseOutcome, CertificationState

from workflows.acts import PeoplesActs  # workflow code: the sandbox looks into it

OPENING_PATIENCE = timedelta(minutes=1)


@workflow.defn(name=WORKFLOW)
class Certification(PeoplesActs):
    """One certification case: id `base:<credit code>:<n>`, one run per term.

    Updates are the commands of `workflows/messages.py`; each answers with the case after it or fails with a
    refusal that has a kind. Returns when the case is closed.
    """

    @workflow.init
    def __init__(self, state: CertificationState) -> None:
        super().__init__(state)
        self._term_at_start = self._running_term()

    @workflow.run
    async def run(self, state: CertificationState) -> CaseOutcome:
        """The path, top to bottom; a stage that is over is passed at once."""
        await self.application()
        await self.document_review()
        await self.deposit()
        await self.certification()
        await self.publication()
        await self.valid_year()
        await self.late_renewal()
        await self.settlement()
        return await self.outcome()

    # The stages, in process order.

    async def application(self) -> None:
        """Wait for the application that opens the case; a refused one leaves none."""
        await workflow.wait_condition(workflow.all_handlers_finished)  # the application came with the start
        while self.state.case is None and not self._none_opens():
            try:
                await workflow.wait_condition(
                    lambda: self.state.case is not None or self._none_opens(),
                    timeout=OPENING_PATIENCE,
                    timeout_summary="no application arrived",
                )
            except TimeoutError:
                if workflow.all_handlers_finished():
                    return

    async def document_review(self) -> None:
        """Review and rounds of supplements, until a decision, a withdrawal or a lapse."""
        await self._until_over(Stage.REVIEW, Stage.SUPPLEMENT)

    async def deposit(self) -> None:
        """Until the full deposit is there; parts add up, the grace waits for the bank's report."""
        await self._until_over(Stage.DEPOSIT)

    async def certification(self) -> None:
        """Until the certifier decides. A term that begins gets a run of its own."""
        await self._until_over(Stage.CERTIFYING)
        await self.term_begun()

    async def publication(self) -> None:
        """Tried at once, due by the end of the 7th working day, and never given up within the term."""
        await self._until_over(Stage.PUBLISHING)

    async def valid_year(self) -> None:
        """The valid year with its reminders and its renewal, until the next term begins or it expires."""
        await self._until_over(Stage.VALID)
        await self.term_begun()

    async def late_renewal(self) -> None:
        """A renewal filed before the end and undecided by then, or filed late: until it is decided."""
        await self._until_over(Stage.RENEWAL_LATE)

    async def settlement(self) -> None:
        """What outlives the certification: marks duty, appeal window, settlement of the deposit."""
        await self._until_over(Stage.SETTLING)

    async def term_begun(self) -> None:
        """A term that has begun since the run started gets a run of its own."""
        if self._running_term() != self._term_at_start:
            await self._continue_as_new()

    async def outcome(self) -> CaseOutcome:
        await workflow.wait_condition(workflow.all_handlers_finished)
        case = self.state.case
        if case is not None and case.stage is not Stage.CLOSED:
            await self._continue_as_new()  # what was decided leads back to an earlier stage
        if case is None:
            return CaseOutcome(case_number=None, outcome="no case was opened")
        return CaseOutcome(case_number=case.case_number, outcome=case.standing(workflow.now()).value)
