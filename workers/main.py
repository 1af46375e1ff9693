"""The composition root: builds store, documents and channel, and registers workflows and activities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker import Worker

from activities.actors import ActorActivities
from activities.agenda import ClockActivities, agenda_activities
from activities.assessment import AssessmentActivities
from activities.bank import Bank, BankActivities, HttpBank, NoBank
from activities.calendar import CalendarActivities
from activities.census import CensusActivities
from activities.channel import ChannelActivities, ChannelAnnouncer, OfficialChannel
from activities.commands import command_activities
from activities.conduct import ConductActivities, conduct_activities
from activities.desk import CaseDesk
from activities.letters import LetterActivities, MailRoom
from activities.payments import PaymentActivities
from activities.publication import Announcer, OwnList, PublicationActivities
from activities.sealing import SealingActivities
from activities.verification import HttpVerifier, NoVerifier, VerificationActivities, Verifier
from connection.clock import CaseClock
from store.actors import ActorStore
from store.assessments import AssessmentStore
from store.auditing import AuditReader
from store.calendar import CalendarStore
from store.cases import CaseStore
from store.channel import ChannelStore
from store.copies import SealCopies
from store.documents import OFFICE, DocumentStore
from store.engine import open_engine
from store.letters import LetterStore
from store.payments import PaymentStore
from store.reference import policy_book
from store.sealing import SealStore
from store.verifications import VerificationStore
from workers.channel import official_channel
from workers.mail import MailSettings
from workers.pair import WorkerPair
from workers.settings import WorkerSettings, read_settings
from workflows.actors import Actors
from workflows.assessment import AssessedPeriod
from workflows.calendar import CalendarNotice
from workflows.census import TakeCensus
from workflows.certification import Certification
from workflows.channel import CompareChannel, DeliverEntries
from workflows.clock import RecordClock
from workflows.conduct import Conduct
from workflows.letters import DeliverLetters
from workflows.messages import COMMANDS, CONDUCT_COMMANDS, outside_task_queue
from workflows.payment import UnplacedPayment
from workflows.sealing import SealAuditLog
from workflows.verification import VerifyEnterprises

THREADS = 8
"""How many activities run at once, inside and outside each."""


def build_workers(
    client: Client,
    settings: WorkerSettings,
    *,
    announcer: Announcer | None = None,
    bank: Bank | None = None,
    verifier: Verifier | None = None,
    room: MailRoom | None = None,
    engine: Engine | None = None,
) -> WorkerPair:
    """The workers on `client`, not yet running. Tests hand in what stands for a party outside."""
    engine = engine or open_engine(settings.database_url)
    documents = DocumentStore(settings.documents, settings.document_key_set)
    documents.of(OFFICE).key()  # by the workers' keys, before anybody hands anything over
    cases = CaseStore(engine, documents.pseudonym, lambda case: documents.of(case).letterbox())
    verifier = verifier or _verifier(settings)
    verifies = not isinstance(verifier, NoVerifier)
    desk = CaseDesk(cases, documents, policy_book(), verifies=verifies)
    channel = official_channel(settings)
    public = ChannelActivities(ChannelStore(engine), channel, settings.channel_seconds)
    publication = PublicationActivities(desk, cases, announcer or _announcer(channel, engine))
    money = BankActivities(desk, cases, PaymentStore(engine), bank or _bank(settings))
    payments = PaymentActivities(PaymentStore(engine), policy_book())
    verification = VerificationActivities(
        desk, cases, VerificationStore(engine, policy_book()), verifier, settings.verification_seconds
    )
    calendar = CalendarActivities(desk, CalendarStore(engine), policy_book(), client)
    assessment = AssessmentActivities(desk, AssessmentStore(engine), documents.of(OFFICE), policy_book(), client)
    conduct = ConductActivities(cases, CaseClock(client).ahead)
    letters = LetterActivities(LetterStore(engine), documents, room or read_settings(MailSettings).room())
    copies = SealCopies(settings.heads) if settings.heads else None
    sealing = SealingActivities(SealStore(engine), AuditReader(engine), copies)
    inside = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[
            *(Certification, Conduct, UnplacedPayment, AssessedPeriod, CalendarNotice, Actors),
            *(DeliverLetters, SealAuditLog, TakeCensus, VerifyEnterprises, RecordClock),
            *(DeliverEntries, CompareChannel),
        ],
        activities=[
            *command_activities(desk, COMMANDS + CONDUCT_COMMANDS),
            *conduct_activities(desk),
            conduct.read_case,
            conduct.run_conduct,
            publication.record_publication,
            publication.record_publication_failure,
            money.record_refund,
            verification.record_verification,
            verification.due_verifications,
            verification.record_recheck,
            *agenda_activities(desk),
            assessment.import_figures,
            assessment.confirm_period,
            assessment.tell_bases,
            assessment.record_assessment,
            payments.record_unplaced,
            payments.read_unplaced,
            payments.propose_return,
            payments.approve_return,
            payments.deny_return,
            payments.expire_return,
            payments.report_return,
            payments.record_return,
            calendar.import_calendar,
            calendar.tell_live_cases,
            calendar.count_cases_left,
            calendar.recount_deadlines,
            ActorActivities(ActorStore(engine)).change_actor,
            ClockActivities(cases).record_clock,
            letters.claim_letters,
            sealing.seal_audit_log,
            public.waiting_entries,
            CensusActivities(desk, CalendarStore(engine), client).take_census,
        ],
        max_concurrent_local_activities=THREADS,
        **_settled(settings),
    )
    outside = Worker(
        client,
        task_queue=outside_task_queue(settings.task_queue),
        # None of them may hold a transaction, a connection or a lock while it waits for the party outside.
        activities=[
            publication.announce_base,
            money.ask_bank_for_refund,
            money.ask_bank_for_return,
            verification.ask_verification,
            letters.send_letters,
            public.deliver_entries,
            public.compare_channel,
        ],
        # Sent on as they come: held back as the SDK does, a hiccup of seconds would look like a worker's death.
        max_heartbeat_throttle_interval=timedelta(seconds=3),
        **_settled(settings),
    )
    return WorkerPair(inside=inside, outside=outside)


def _announcer(channel: OfficialChannel | None, engine: Engine) -> Announcer:
    return ChannelAnnouncer(channel, ChannelStore(engine)) if channel else OwnList()


def _bank(settings: WorkerSettings) -> Bank:
    if not settings.bank_url:
        return NoBank()
    return HttpBank(settings.bank_url, settings.bank_token.get_secret_value())


def _verifier(settings: WorkerSettings) -> Verifier:
    if not settings.verification_url:
        return NoVerifier()
    return HttpVerifier(settings.verification_url, settings.verification_token.get_secret_value())


def _settled(settings: WorkerSettings) -> dict[str, Any]:
    """What both workers have alike; each gets threads of its own."""
    return {
        "activity_executor": ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="activity"),
        "max_concurrent_activities": THREADS,
        "graceful_shutdown_timeout": timedelta(seconds=settings.graceful_seconds),
        "deployment_config": settings.deployment,
    }
