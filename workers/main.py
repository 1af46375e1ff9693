"""The composition root: builds store, documents and channel, registers workflows and activities, and runs."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker import Worker

from activities.agenda import ClockActivities, agenda_activities
from activities.certification import CertificationActivities
from activities.deposit import DepositActivities
from activities.desk import CaseDesk
from activities.ending import EndingActivities
from activities.publication import OfficialChannel, OwnList, PublicationActivities
from activities.review import ReviewActivities
from store.cases import CaseStore
from store.documents import DocumentStore
from store.engine import open_engine
from store.reference import policy_book, shipped_calendar
from workers.settings import WorkerSettings
from workflows.certification import Certification
from workflows.clock import RecordClock

_THREADS = 8


def build_worker(
    client: Client, settings: WorkerSettings, *, channel: OfficialChannel | None = None, engine: Engine | None = None
) -> Worker:
    """A worker on `client`, not yet running. Tests hand in a `channel` of their own."""
    cases = CaseStore(engine or open_engine(settings.database_url))
    documents = DocumentStore(settings.documents)
    desk = CaseDesk(cases, documents, shipped_calendar(), policy_book())
    review = ReviewActivities(desk)
    certification = CertificationActivities(desk)
    publication = PublicationActivities(desk, cases, channel or OwnList())
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[Certification, RecordClock],
        activities=[
            review.apply,
            review.supplement,
            review.withdraw,
            review.take_review,
            review.release_review,
            review.approve,
            review.request_supplement,
            review.reject,
            DepositActivities(desk).receive_deposit,
            certification.certify,
            certification.refuse_certification,
            publication.announce_base,
            publication.record_publication,
            publication.record_publication_failure,
            publication.publish,
            EndingActivities(desk).confirm_marks,
            *agenda_activities(desk),
            ClockActivities(cases).record_clock,
        ],
        activity_executor=ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="activity"),
        max_concurrent_activities=_THREADS,
        max_concurrent_local_activities=_THREADS,
        graceful_shutdown_timeout=timedelta(seconds=settings.graceful_seconds),
    )


async def run_worker(client: Client, settings: WorkerSettings) -> None:
    """Run until SIGTERM or SIGINT, then drain: what is under way is finished, nothing new is taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with build_worker(client, settings):
        await stop.wait()
