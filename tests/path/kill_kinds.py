"""How a worker is brought to an activity, and what must hold when another one has taken over: a class for each way."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.assessment import SIGNAL
from activities.channel_folder import FolderChannel
from activities.payments import PaymentActivities
from activities.publication import Announcement, OwnList
from audit.files import copies
from audit.verifier import verify
from domain import conduct_agenda
from domain.bank import BankAnswer, RefundOrder
from domain.commands import (
    Actor,
    ActorAnswer,
    AddNote,
    Answer,
    ApproveProposal,
    AssessmentNews,
    AssignPayment,
    ChangeActor,
    Command,
    ConfirmPeriod,
    DenyProposal,
    ImportCalendar,
    ReportConduct,
    ReportRefund,
    ReturnPayment,
    actor_workflow_id,
    payment_number,
    payment_workflow_id,
)
from domain.conduct import ConductCase, conduct_workflow_id
from domain.delivery import DeliveryState
from domain.notices import Notice
from domain.periods import Period, ending_in
from domain.planning import Event
from domain.shanghai import shanghai_date
from domain.stages import Role, Stage
from domain.verifying import VerificationAnswer, VerificationQuestion
from store import tables
from store.actors import ActorStore
from store.auditing import AuditReader
from store.copies import SealCopies
from store.documents import DocumentsErased
from store.payments import PaymentStore
from store.reference import policy_book
from store.sealing import SealStore
from store.signatures import new_key, public_key
from tests.killing_worker import Death
from tests.mail_server import MailServer
from tests.office import FINANCE, OPERATOR, Base, Office, example, until
from tests.path import acts, imports, quarters, unplaced
from tests.path.on_record import FAILING, IN_REVIEW, IN_VALID, Reach, opened_for, put_on_record, take_up
from workflows.census import CENSUS, CensusOrders
from workflows.channel import COMPARING, DELIVERING, ChannelOrders, ComparisonOrders
from workflows.letters import DELIVERY, DeliveryOrders
from workflows.messages import ACTORS_WORKFLOW, CONDUCT_WORKFLOW, UNPLACED_WORKFLOW
from workflows.sealing import SEALING, SealOrders
from workflows.state import CertificationState, ConductState, ImportResult, UnplacedState
from workflows.verification import VERIFYING, VerificationOrders

SECOND = Actor(role=Role.FINANCE, name="tang")
THE_BANK = Actor(role=Role.BANK, name="callback")
RECOVERY = 60.0
"""Seconds from the workers' return until all is as if nothing had happened."""


@dataclass(frozen=True)
class Channel:
    """An official channel that keeps what it was asked in a file, for all workers alike; `down` it takes nothing."""

    book: Path
    down: bool

    def announce(self, announcement: Announcement) -> str:
        with self.book.open("a") as book:
            book.write(f"{announcement.key}\n")
        if self.down:
            raise ApplicationError("the channel is down", non_retryable=True)
        return OwnList().announce(announcement)

    @property
    def asked(self) -> list[str]:
        return self.book.read_text().split() if self.book.exists() else []


@dataclass(frozen=True)
class Paymaster:
    """A bank that keeps what it was asked in a file, for all workers alike, and pays."""

    book: Path

    def refund(self, order: RefundOrder) -> BankAnswer:
        with self.book.open("a") as book:
            book.write(f"{order.key}\n")
        return BankAnswer(state="paid", reference=f"BANK-{order.key}")

    @property
    def asked(self) -> list[str]:
        return self.book.read_text().split() if self.book.exists() else []


@dataclass
class Registrar:
    """Who confirms every enterprise, and keeps whom it was asked for in a file, for all workers alike."""

    book: Path

    def verify(self, question: VerificationQuestion) -> VerificationAnswer:
        with self.book.open("a") as book:
            book.write(f"{question.credit_code}\n")
        return VerificationAnswer(result="verified", source="registrar")

    @property
    def asked(self) -> list[str]:
        return self.book.read_text().split() if self.book.exists() else []


@dataclass
class Scene:
    """One kill's office, base and outside parties."""

    office: Office
    base: Base
    mail: MailServer
    channel: Channel
    bank: Paymaster
    verifier: Registrar | None = None
    command: Any = None
    notice: Notice | None = None
    period: Period | None = None

    @property
    def hands(self) -> dict[str, Any]:
        """What a worker of the office is given."""
        return {"announcer": self.channel, "bank": self.bank, "verifier": self.verifier, "room": self.mail.room}


@dataclass(frozen=True)
class Kill:
    """A base on record `to` a point, and what leads it to the activity: a command, or what is due there.

    `ago` is when it came to the point; it has lived on since. `commits` are those of the activity, none for one that
    leaves its commits to others. `alone` it has a database and workers of its own, where others would be in its way.
    `public`: there is an official channel, a folder.
    """

    activity: str
    to: Reach | None = IN_REVIEW
    command: Callable[[Base], Command] | None = None
    due: Event | None = None
    ago: timedelta = field(default=timedelta())
    commits: tuple[int, ...] = (1,)
    channel_down: bool = False
    verifies: bool = False
    public: bool = False
    alone: bool = False

    @property
    def deaths(self) -> list[Death]:
        if not self.commits:
            return [Death(self.activity, "begin"), Death(self.activity, "end")]
        return [
            death
            for commit in self.commits
            for death in (Death(self.activity, "before", commit), Death(self.activity, "after", commit))
        ]

    def workflow_id(self, scene: Scene) -> str | None:
        """Whose activity it is; None where there is no other's."""
        return None if self.alone else scene.base.workflow_id

    async def reach(self, scene: Scene) -> None:
        """Bring the base to the point. No worker is there."""
        if self.to is None:
            return
        now = datetime.now(UTC)
        opened = opened_for(self.to, self.due, now) if self.due else now - self.ago
        case = put_on_record(scene.base, self.to, opened, until=now if opened < now else None, before=self.due)
        self.prepare(scene)
        await take_up(scene.base, case)

    def prepare(self, scene: Scene) -> None:
        """What else is there before the workflow is."""

    async def act(self, scene: Scene) -> Any:
        """What people do; returns when they are answered."""
        if self.command is None:
            return None
        scene.command = self.command(scene.base)
        return await scene.base.send(scene.command)

    def effect(self, scene: Scene) -> int:
        """How far the activity's effect is on record."""
        return 0 if scene.base.no_case else scene.base.case.sequence

    def effect_at(self, death: Death, before: int) -> int:
        """How far it must be when the worker has died."""
        return before + death.done

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        """What must hold once all is over; `death` is None when nobody died. Waits where that takes time."""
        if isinstance(answer, Answer):
            assert acts.remembered(scene.base, scene.command.request_id) == 1
            if scene.base.case.stage is Stage.CLOSED:
                again = await acts.start(scene.base, scene.command, reopened=True)
            else:
                again = await scene.base.send(scene.command)
            assert again == answer.model_copy(update={"repeated": True})


class Application(Kill):
    """The one command that comes with the start of its workflow."""

    async def act(self, scene: Scene) -> Any:
        submission = scene.base.hand_over(example(credit_code=scene.base.credit_code))
        scene.command = acts.apply_command(scene.base, submission=submission)
        return await acts.start(scene.base, scene.command)


class Closed(Kill):
    """A command to a case that has closed: its workflow comes back for it."""

    async def reach(self, scene: Scene) -> None:
        assert self.to is not None
        put_on_record(scene.base, self.to, datetime.now(UTC))

    async def act(self, scene: Scene) -> Any:
        assert self.command is not None
        scene.command = self.command(scene.base)
        return await acts.start(scene.base, scene.command, reopened=True)


class Erasing(Closed):
    """The erasure is approved: what was handed in is gone, whoever died meanwhile."""

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await super().left(scene, answer, death)
        assert scene.base.case.documents_erased is not None
        with pytest.raises(DocumentsErased):
            scene.base.documents.key()


class Resending(Kill):
    """A letter the mail server refused for good is sent again by an operator."""

    def prepare(self, scene: Scene) -> None:
        with Session(scene.office.engine) as session, session.begin():
            letter = session.get_one(tables.NoticeRow, (scene.base.case.case_number, 1, 1))
            letter.state, letter.error = DeliveryState.UNDELIVERABLE.value, "550 5.1.1 no such user here"


class Asking(Kill):
    """The official channel is asked; an answer that is lost is asked for again with the same key."""

    def effect(self, scene: Scene) -> int:
        return len(scene.channel.asked)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: scene.base.case.stage is Stage.VALID, "published", RECOVERY)
        twice = death is not None and death.done
        number = scene.base.case.terms[-1].certificate_number
        assert scene.channel.asked == [f"{number}:publication"] * (2 if twice else 1)


class Paying(Kill):
    """The bank is asked for a refund; an answer that is lost is asked for again with the same key."""

    def effect(self, scene: Scene) -> int:
        return len(scene.bank.asked)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: scene.base.case.stage is Stage.CLOSED, "paid back and closed", RECOVERY)
        twice = death is not None and death.done
        (refund,) = scene.base.case.refunds
        assert scene.bank.asked == [refund.id] * (2 if twice else 1)
        assert scene.base.case.deposit.refunded == refund.amount


class Clock(Kill):
    """The offset of a case's clock comes on record."""

    async def act(self, scene: Scene) -> Any:
        office, args = scene.office, [scene.base.workflow_id, 1000]
        queue = office.settings.task_queue
        await office.client.execute_workflow("RecordClock", args=args, id=self.workflow_id(scene), task_queue=queue)

    def workflow_id(self, scene: Scene) -> str:
        return f"clock:{scene.base.workflow_id}"

    def effect(self, scene: Scene) -> int:
        with scene.office.reading.connect() as connection:
            row = select(tables.CaseRow.clock_offset_ms).where(tables.CaseRow.workflow_id == scene.base.workflow_id)
            return int(connection.scalars(row).one() == 1000)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        assert self.effect(scene) == 1


class Import(Kill):
    """A calendar notice that moves the base's deadlines."""

    async def act(self, scene: Scene) -> Any:
        scene.notice = imports.days_off(60)
        scene.command = imports.command(scene.notice, "import")
        return await imports.send(scene.office, scene.command)

    def effect(self, scene: Scene) -> int:
        if self.activity == ImportCalendar.action:
            with scene.office.reading.connect() as connection:
                return connection.scalar(select(func.count()).select_from(tables.CalendarNoticeRow)) or 0
        return scene.base.case.sequence if self.commits else 0

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.done if self.commits else 0)  # whoever only tells or counts leaves the effect to others

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        assert scene.notice is not None
        told = ImportResult(notice=scene.notice.reference, told=1, gone=0, moved=1, left=0)
        assert await asyncio.wait_for(imports.result(scene.office, scene.notice), 2 * RECOVERY) == told
        again = await imports.send(scene.office, scene.command, "again")
        assert again == answer.model_copy(update={"repeated": True})
        await imports.result(scene.office, scene.notice)
        assert acts.remembered(scene.base, "import") == 1


class Stray(Kill):
    """Money of no case comes on record, and the base takes it over."""

    def reference(self, scene: Scene) -> str:
        return f"N-{scene.base.credit_code}"

    def workflow_id(self, scene: Scene) -> str:
        return payment_workflow_id(self.reference(scene))

    async def act(self, scene: Scene) -> Any:
        scene.command = unplaced.payment(self.reference(scene), 500)
        answer = await unplaced.record(scene.office, scene.command)
        assign = scene.base.command(AssignPayment, FINANCE, reference=self.reference(scene), reason="r")
        await scene.base.send(assign)
        return answer

    def effect(self, scene: Scene) -> int:
        if not self.commits:  # it only looks
            return 0
        with scene.office.reading.connect() as connection:
            rows = select(func.count()).where(tables.PaymentRow.reference == self.reference(scene))
            return connection.scalar(rows) or 0

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.done if self.commits else 0)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        result = await asyncio.wait_for(unplaced.handle(scene.office, self.reference(scene)).result(), 2 * RECOVERY)
        assert result.case_number == scene.base.case.case_number
        assert scene.base.case.deposit.received == 500
        acts.check_books(scene.base)
        again = await unplaced.record(scene.office, scene.command)
        assert again == answer.model_copy(update={"repeated": True})
        assert acts.remembered(scene.base, scene.command.request_id) == 1


_STEPS = {
    "propose_return": "proposed",
    "approve_return": "approved",
    "deny_return": "denied",
    "expire_return": "expired",
    "record_return": "paid",
}
"""Activity → the step it puts on record."""


class Returned(Stray):
    """Money of no case goes back to who paid it: each act of people, each word of the bank, and a proposal's end."""

    def order(self, scene: Scene) -> str:
        return f"{payment_number(self.reference(scene))}-1-R1"

    def prepare(self, scene: Scene) -> None:
        if self.activity != "expire_return":
            return
        reference, then = self.reference(scene), datetime.now(UTC) - timedelta(days=20)
        payments = PaymentActivities(PaymentStore(scene.office.engine), policy_book())
        payments.record_unplaced(unplaced.payment(reference, 500, paid_on=shanghai_date(then)), then)
        payments.propose_return(unplaced.about(ReturnPayment, reference, reference=reference, reason="r"), then)

    async def act(self, scene: Scene) -> Any:
        office, reference = scene.office, self.reference(scene)
        if self.activity == "expire_return":
            view = unplaced.returning(office, reference).view
            state, queue = UnplacedState(reference=reference, amount=500, view=view), office.settings.task_queue
            await office.client.start_workflow(UNPLACED_WORKFLOW, state, id=self.workflow_id(scene), task_queue=queue)
            return None
        await unplaced.record(office, unplaced.payment(reference, 500))
        scene.command = unplaced.about(ReturnPayment, reference, reference=reference, reason="r")
        answer = await unplaced.record(office, scene.command)
        if self.activity == "propose_return":
            return answer
        proposed = unplaced.returning(office, reference).steps[0]
        decided: dict[str, Any] = {"proposal": proposed.proposal}
        if self.activity == "deny_return":
            scene.command = unplaced.about(DenyProposal, reference, SECOND, **decided, reason="r")
            return await unplaced.record(office, scene.command)
        scene.command = unplaced.about(ApproveProposal, reference, SECOND, **decided, content=proposed.content)
        answer = await unplaced.record(office, scene.command)
        if self.activity == "report_return":
            told = {"refund": self.order(scene), "state": "paid", "amount": 500}
            scene.command = unplaced.about(ReportRefund, reference, THE_BANK, **told)
            answer = await unplaced.record(office, scene.command)
        return answer

    def effect(self, scene: Scene) -> int:
        if self.activity == "ask_bank_for_return":
            return scene.bank.asked.count(self.order(scene))
        with scene.office.reading.connect() as connection:
            if self.activity == "report_return":
                row = tables.CommandRow
                told = row.answer["reference"].as_string() == self.reference(scene)
                count = select(func.count()).where(row.action == ReportRefund.action, told)
            else:
                step = tables.PaymentReturnRow
                here = (step.reference == self.reference(scene), step.what == _STEPS[self.activity])
                count = select(func.count()).where(*here)
            return connection.scalar(count) or 0

    def effect_at(self, death: Death, before: int) -> int:
        return before + death.done

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        office, reference = scene.office, self.reference(scene)
        ends = {"propose_return": "proposed", "deny_return": "denied", "expire_return": "expired"}
        end = ends.get(self.activity, "paid")
        await until(lambda: unplaced.returning(office, reference).steps[-1].what == end, end, RECOVERY)
        whats = [step.what for step in unplaced.returning(office, reference).steps]
        assert whats == {"proposed": ["proposed"], "paid": ["proposed", "approved", "paid"]}.get(end, ["proposed", end])
        if end == "paid":
            result = await asyncio.wait_for(unplaced.handle(office, reference).result(), 2 * RECOVERY)
            assert result.case_number is None
            if self.activity == "ask_bank_for_return" and death is not None and death.done:
                assert self.effect(scene) >= 2, "asked again, with the same key"
        if answer is not None:
            again = await unplaced.record(office, scene.command)
            assert again == answer.model_copy(update={"repeated": True})
            assert acts.remembered(scene.base, scene.command.request_id) == 1


class OfConduct(Kill):
    """What is done in a conduct case, by its own workflow; it comes with the start of it where it is the report."""

    @property
    def reports(self) -> bool:
        return self.activity == ReportConduct.action

    def id(self, scene: Scene) -> str:
        return f"{scene.base.case.case_number}-C1"

    def beside(self, scene: Scene) -> str:
        """The conduct case's own workflow."""
        return conduct_workflow_id(scene.base.workflow_id, self.id(scene))

    def workflow_id(self, scene: Scene) -> str:
        return self.beside(scene)

    def _start(self, scene: Scene) -> tuple[ConductState, dict[str, Any]]:
        queue = scene.office.settings.task_queue
        state = ConductState(case_workflow=scene.base.workflow_id, conduct=self.id(scene))
        return state, {"id": self.beside(scene), "task_queue": queue}

    async def reach(self, scene: Scene) -> None:
        await super().reach(scene)
        if not self.reports:
            state, how = self._start(scene)
            if self.activity != "read_case":  # else it is taken up from the record
                state.case = scene.base.case
            await scene.office.client.start_workflow(CONDUCT_WORKFLOW, state, **how)

    async def act(self, scene: Scene) -> Any:
        if self.command is None:
            return None
        scene.command = self.command(scene.base)
        return await self._send(scene)

    async def _send(self, scene: Scene) -> Answer:
        command = scene.command
        state, how = self._start(scene)
        policy = WorkflowIDConflictPolicy.USE_EXISTING
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            CONDUCT_WORKFLOW, state, id_conflict_policy=policy, **how
        )
        answer: Answer = await scene.office.client.execute_update_with_start_workflow(
            command.action,
            command,
            start_workflow_operation=start,
            id=command.update_id("kill"),
            result_type=Answer,
        )
        return answer

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.done if self.commits else 0)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        if isinstance(answer, Answer):
            assert acts.remembered(scene.base, scene.command.request_id) == 1

        deadline = time.monotonic() + RECOVERY
        while not await self._knows(scene):
            assert time.monotonic() < deadline, "its workflow is not through, or knows another one than is on record"
            await asyncio.sleep(0.2)

    async def _knows(self, scene: Scene) -> bool:
        """Whether nothing of it is due any more, and its workflow knows what is on record."""
        on_record = scene.base.case.conduct_case(self.id(scene))
        if on_record is None or conduct_agenda.due(on_record, datetime.now(UTC)) is not None:
            return False
        handle = scene.office.client.get_workflow_handle(self.beside(scene))
        try:
            known = await handle.query("conduct", result_type=ConductCase | None)
        except RPCError:  # its task was in the hands of so many that died that the server answers no question now
            return False
        same: bool = known == on_record
        return same


class OpenAgain(OfConduct):
    """The conduct case that led to a revocation is open again when that is set aside: its workflow runs again."""

    def workflow_id(self, scene: Scene) -> str:
        return scene.base.workflow_id

    async def reach(self, scene: Scene) -> None:
        await Kill.reach(self, scene)

    async def act(self, scene: Scene) -> Any:
        return await Kill.act(self, scene)

    def effect(self, scene: Scene) -> int:
        return 0  # it leaves the effect to the server


class Hearing(Kill):
    """A case hears of figures that have come on record."""

    def prepare(self, scene: Scene) -> None:
        on_record(scene.base, next(ending_in(scene.base.case.terms)), datetime.now(UTC))

    async def act(self, scene: Scene) -> None:
        news = AssessmentNews(period="any", at=datetime.now(UTC))
        await scene.base.handle.signal(SIGNAL, news)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: bool(scene.base.case.assessments), "heard", RECOVERY)
        assert acts.letters(scene.base, "assessment_provisional") == ["assessment_provisional"]


_distances = itertools.count(1)


class Quarter(Kill):
    """A quarter's figures imported, its results confirmed, its bases told.

    Offices share a server, and a quarter's workflow has one name there: each base lives in a time of its own, ahead.
    """

    async def reach(self, scene: Scene) -> None:
        base, now = scene.base, datetime.now(UTC)
        confirming = self.activity == ConfirmPeriod.action
        ahead = now + timedelta(days=100 * next(_distances))  # longer than a quarter
        case = put_on_record(base, FAILING if confirming else IN_VALID, ahead)
        scene.period = next(ending_in(case.terms))
        if confirming:
            on_record(base, scene.period, ahead)
        scene.office.cases.record_clock(base.workflow_id, scene.period.ends + timedelta(days=1) - now)
        await take_up(base, case)

    async def act(self, scene: Scene) -> Any:
        if self.activity == ConfirmPeriod.action:
            scene.command = quarters.confirmation("confirmed", period=scene.period)
        else:
            rows = [quarters.row(scene.base, period=scene.period, gmv=5)]
            scene.command = quarters.batch(scene.office, rows, "figures", looked_at=True)
        return await quarters.send(scene.office, scene.command)

    def effect(self, scene: Scene) -> int:
        if not self.commits:
            return 0  # whoever only tells leaves the effect to others
        table = tables.ConfirmationRow if self.activity == ConfirmPeriod.action else tables.AssessmentRow
        with scene.office.reading.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.done if self.commits else 0)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        state = "confirmed" if self.activity == ConfirmPeriod.action else "provisional"
        await until(
            lambda: [one.state for one in scene.base.case.assessments] == [state], f"the base is {state}", RECOVERY
        )
        again = await quarters.send(scene.office, scene.command, "again")
        assert again == answer.model_copy(update={"repeated": True})
        assert acts.remembered(scene.base, scene.command.request_id) == 1


def on_record(base: Base, period: Period, at: datetime) -> None:
    """The base's failing figures of a quarter, on record."""
    figures = {"live_merchants": 20, "active_merchants": 10, "gmv": 5, "missed": ["gmv"]}
    by = {"imported_by": "sun", "policy_version": base.case.policy_version, "batch": "0" * 64}
    with Session(base.office.engine) as session, session.begin():
        number = base.case.case_number
        row = {"case_number": number, "period": str(period), "revision": 1, "result": "fail", "at": at}
        session.add(tables.AssessmentRow(**row, **figures, **by))


class Verified(Kill):
    """The enterprise's verification is asked for; an answer that is lost is asked for again."""

    def effect(self, scene: Scene) -> int:
        assert scene.verifier is not None
        return len(scene.verifier.asked)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: acts.events(scene.base)[-1] == "enterprise_verified", "verified", RECOVERY)
        assert self.effect(scene) == (2 if death is not None and death.done else 1)


class Verifying(Kill):
    """The base's verification looked at again."""

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.done and self.activity == "record_recheck")

    async def act(self, scene: Scene) -> Any:
        queue = scene.office.settings.task_queue
        orders = VerificationOrders()
        await scene.office.client.start_workflow(VERIFYING, orders, id=f"{queue}-verification", task_queue=queue)

    def effect(self, scene: Scene) -> int:
        known = scene.base.case.verification
        return int(known is not None and known.source == "registrar")

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: self.effect(scene) == 1, "it is looked at again", 2 * RECOVERY)
        await scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-verification").terminate()
        await scene.base.handle.signal("case_changed")  # its run sleeps on, and need not know


class Delivery(Kill):
    """The base's first letter on its way: claimed, taken over, begun, handed to the mail server, on record."""

    async def act(self, scene: Scene) -> Any:
        queue = scene.office.settings.task_queue
        await scene.office.client.start_workflow(DELIVERY, DeliveryOrders(), id=f"{queue}-letters", task_queue=queue)

    def effect(self, scene: Scene) -> int:
        with scene.office.reading.connect() as connection:
            row = connection.execute(select(tables.NoticeRow.__table__)).one()
        if row.state == DeliveryState.SENDING:
            return 3 if row.attempts else 2 if "#" in row.claimed_by else 1
        return 4 if row.state == DeliveryState.DELIVERED else 0

    def effect_at(self, death: Death, before: int) -> int:
        if self.activity == "claim_letters":
            return int(death.done)
        return min(death.commit + death.done, 4)  # the last commit lets go of what is still held: nothing

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: self.effect(scene) == 4, "the letter is delivered", 2 * RECOVERY)
        # Taken by the mail server, and the worker killed before it could say so: it comes again, known by its id.
        again = death is not None and (death.activity, death.commit, death.when) == ("send_letters", 3, "before")
        assert len(scene.mail.ids()) == (2 if again else 1)
        assert len(set(scene.mail.ids())) == 1
        await scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-letters").terminate()


class ActorChanged(Kill):
    """Somebody put on record who may act: a person of the base's own name."""

    async def act(self, scene: Scene) -> Any:
        name = scene.base.credit_code
        workflow_id, key = actor_workflow_id(name), public_key(new_key())
        scene.command = ChangeActor(
            request_id="actor", workflow_id=workflow_id, actor=OPERATOR, change="add", name=name, key=key
        )
        start = WithStartWorkflowOperation(
            ACTORS_WORKFLOW,
            id=workflow_id,
            task_queue=scene.office.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        return await scene.office.client.execute_update_with_start_workflow(
            "change_actor", scene.command, start_workflow_operation=start, id="actor", result_type=ActorAnswer
        )

    def effect(self, scene: Scene) -> int:
        return len(ActorStore(scene.office.engine).people())

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        (person,) = ActorStore(scene.office.engine).people()
        assert (person.name, list(person.valid_keys.values())) == (scene.base.credit_code, [scene.command.key])
        assert answer.keys == person.valid_keys


class Counted(Kill):
    """The base's workflow, terminated by hand, found by the census."""

    async def act(self, scene: Scene) -> Any:
        await scene.base.handle.terminate("by hand")
        queue = scene.office.settings.task_queue
        await scene.office.client.start_workflow(CENSUS, CensusOrders(), id=f"{queue}-census", task_queue=queue)

    def effect(self, scene: Scene) -> int:
        return len(scene.base.case.stopped_runs)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(lambda: self.effect(scene) == 1, "the census told of it", 3 * RECOVERY)
        note = scene.base.command(AddNote, OPERATOR, "taken-up", text="taken up again")
        await scene.base.send_with_start(note, CertificationState(reopened=True))
        await scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-census").terminate()


class ToChannel(Kill):
    """The base's entry on its way to the official channel, or found lacking there: drawn, shown, compared."""

    comparing = False

    def effect(self, scene: Scene) -> int:
        kinds = (tables.ChannelEntryRow, tables.ChannelConfirmationRow, tables.ChannelComparisonRow)
        with scene.office.reading.connect() as connection:
            return sum(connection.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds)

    def effect_at(self, death: Death, before: int) -> int:
        return before + (death.commit - 1 + death.done if self.commits else 0)

    async def act(self, scene: Scene) -> Any:
        await self._deliver(scene)

    async def _deliver(self, scene: Scene) -> None:
        queue = scene.office.settings.task_queue
        await scene.office.client.start_workflow(DELIVERING, ChannelOrders(), id=f"{queue}-channel", task_queue=queue)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        await until(
            lambda: self.effect(scene) == 2 + self.comparing, "it is on the channel, and on record", 2 * RECOVERY
        )
        await scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-channel").terminate()
        entry = FolderChannel.at(scene.office.settings.channel_url).get(scene.base.case.terms[-1].certificate_number)
        assert entry is not None and (entry.revision, entry.list_revision) == (1, 1)


class Compared(ToChannel):
    """The channel, which lacks the base, compared with the list. What it shows unconfirmed, the delivery confirms."""

    comparing = True

    async def act(self, scene: Scene) -> Any:
        queue = scene.office.settings.task_queue
        id, orders = f"{queue}-comparison", ComparisonOrders()
        await scene.office.client.start_workflow(COMPARING, orders, id=id, task_queue=queue)

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        comparison = scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-comparison")
        assert (await asyncio.wait_for(comparison.result(), 2 * RECOVERY))["ours"] == 1
        await self._deliver(scene)
        await super().left(scene, answer, death)


class Sealing(Kill):
    """What the base has on record sealed, and copied outside."""

    async def act(self, scene: Scene) -> Any:
        queue = scene.office.settings.task_queue
        await scene.office.client.start_workflow(SEALING, SealOrders(), id=f"{queue}-seals", task_queue=queue)

    def effect(self, scene: Scene) -> int:
        return SealStore(scene.office.engine).newest()

    async def left(self, scene: Scene, answer: Any, death: Death | None) -> None:
        heads, log = scene.office.settings.heads, AuditReader(scene.office.engine)
        assert heads is not None
        copied = SealCopies(heads)
        await until(lambda: copied.file.exists() and copied.file.stat().st_size > 0, "the seal is copied", 2 * RECOVERY)
        report = verify(log.log(), copies(Path(heads)))
        assert report.ok, report.broken
        assert (report.seals, report.outside) == (1, 1)
        await scene.office.client.get_workflow_handle(f"{scene.office.settings.task_queue}-seals").terminate()
