"""Publication within 7 working days (R3), with an official channel that fails, forgets to answer, or is slow."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.publication import Announcement, Announcer
from domain.commands import Certify, Publish
from domain.refusals import RefusalKind
from domain.shanghai import end_of_day
from domain.stages import Role, Stage, Standing
from store.queries import Reader
from store.reference import shipped_calendar
from tests.databases import Place
from tests.office import CERTIFIER, FINANCE, OPERATOR, Base, Office, refused, until, working_office
from tests.path import acts

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

DAY = timedelta(days=1)
SLACK = timedelta(minutes=2)  # real time that passes between an attempt and its record

Open = Callable[[Announcer], AbstractAsyncContextManager[Office]]


class Channel:
    """A channel that is down for the first `failures` announcements, or until `up` is set."""

    def __init__(self, failures: int | None = None) -> None:
        self.failures = failures
        self.up = False
        self.asked: list[Announcement] = []

    def announce(self, announcement: Announcement) -> str:
        self.asked.append(announcement)
        if not self.up and (self.failures is None or len(self.asked) <= self.failures):
            # Final, so that a test does not wait for the activity's own retries.
            raise ApplicationError("the channel is down", non_retryable=True)
        return f"channel: {announcement.key}"


class Forgetful:
    """A channel that publishes, once per key, and whose first answers are lost."""

    def __init__(self, lost: int, *, final: bool) -> None:
        self.lost = lost
        self.final = final
        self.published: Counter[str] = Counter()

    def announce(self, announcement: Announcement) -> str:
        self.published[announcement.key] += 1
        if sum(self.published.values()) <= self.lost:
            raise ApplicationError("the connection broke", non_retryable=self.final)
        return f"channel: {announcement.key}"


class Slow:
    """A channel whose answer comes when `answer` is set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()

    def announce(self, announcement: Announcement) -> str:
        self.asked.set()
        assert self.answer.wait(20)
        return "channel: at last"


@pytest.fixture
def open_office(client: Client, place: Place) -> Open:
    @asynccontextmanager
    async def opened(channel: Announcer) -> AsyncIterator[Office]:
        async with working_office(client, place, channel) as office:
            yield office

    return opened


def observed(base: Base, event: str) -> list[datetime]:
    return [datetime.fromisoformat(entry["observed_at"]) for entry in acts.timeline(base) if entry["event"] == event]


def legal(base: Base, event: str) -> list[datetime]:
    return [datetime.fromisoformat(entry["legal_at"]) for entry in acts.timeline(base) if entry["event"] == event]


async def test_a_channel_that_fails_is_asked_again_each_pause_twice_as_long(open_office: Open) -> None:
    channel = Channel(failures=3)
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        certified_at = await base.now()
        await base.forward(timedelta(hours=6, minutes=58))
        case = base.case
        assert case.publication is not None
        assert (case.stage, case.publication.failed_attempts, len(channel.asked)) == (Stage.PUBLISHING, 3, 3)
        await base.forward(timedelta(minutes=10))
        assert base.case.stage is Stage.VALID
        attempts = [*observed(base, "publication_attempt_failed"), *observed(base, "base_published")]
        for attempt, hours in zip(attempts, (0, 1, 3, 7), strict=True):
            assert abs(attempt - certified_at - timedelta(hours=hours)) < SLACK
        assert len({announcement.key for announcement in channel.asked}) == 1
        assert acts.list_revisions(base) == [(1, "published")]
        publication = base.case.publication
        assert publication is not None and not publication.breached
        acts.check_books(base)


async def test_short_failures_are_ridden_out_by_the_activity_itself(open_office: Open) -> None:
    channel = Forgetful(1, final=False)
    async with open_office(channel) as office:
        base = await acts.in_valid(office)
        assert "publication_attempt_failed" not in acts.events(base)
        assert list(channel.published.values()) == [2], "the same key both times"
        assert acts.list_revisions(base) == [(1, "published")]


async def test_an_acknowledgement_lost_for_good_publishes_the_same_key_again_and_lists_once(open_office: Open) -> None:
    channel = Forgetful(1, final=True)
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        await base.forward(timedelta(hours=2))
        assert base.case.stage is Stage.VALID
        assert list(channel.published.values()) == [2], "the same key both times"
        assert acts.list_revisions(base) == [(1, "published")]
        assert acts.letters(base, "base_published") == ["base_published"]


async def test_a_missed_deadline_is_escalated_before_and_on_record_once_and_publication_goes_on(
    open_office: Open,
) -> None:
    channel = Channel()
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        case = base.case
        assert case.term is not None and case.publication is not None
        fifth, sixth, seventh = (
            end_of_day(shipped_calendar().deadline(case.term.anchor, day).deadline) for day in (5, 6, 7)
        )
        assert case.publication.due_at == case.due_at == seventh
        assert case.awaiting is Role.OPERATOR

        await base.forward_to(seventh - timedelta(seconds=30))
        assert legal(base, "publication_escalated") == [fifth, sixth]
        assert not legal(base, "publication_breached")
        await base.forward_to(seventh + 3 * DAY)
        assert legal(base, "publication_breached") == [seventh], "once, at its legal instant"
        publication = base.case.publication
        assert base.case.stage is Stage.PUBLISHING
        assert publication is not None and publication.breached and publication.state == "pending"
        assert max(pauses(observed(base, "publication_attempt_failed"))) < DAY + SLACK, "tried daily at least"

        channel.up = True
        await base.forward(DAY)
        published = base.case
        assert published.stage is Stage.VALID and published.publication is not None
        assert published.publication.state == "published" and published.publication.breached
        assert acts.timeline(base)[-1]["detail"]["late"] is True
        assert acts.list_revisions(base) == [(1, "published")]
        acts.check_books(base)


def pauses(instants: list[datetime]) -> list[timedelta]:
    return [later - earlier for earlier, later in itertools.pairwise(instants)]


async def test_while_the_channel_is_down_an_operator_publishes_with_evidence(open_office: Open) -> None:
    channel = Channel()
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        await until(lambda: len(channel.asked) == 1, "the first attempt")
        async with refused(RefusalKind.INVALID_FILE):
            await base.do(Publish, OPERATOR, evidence="0" * 64)
        async with refused(RefusalKind.ROLE_NOT_ALLOWED):
            await base.do(Publish, FINANCE)
        assert acts.list_revisions(base) == []
        evidence = base.documents.put(b"%PDF-1.4 a screenshot of the list %%EOF")
        answer = await base.do(Publish, OPERATOR, evidence=evidence)
        assert (answer.stage, answer.awaiting) == (Stage.VALID, Role.NOBODY)
        await base.forward(2 * DAY)
        assert len(channel.asked) == 1, "nobody asks the channel again"
        assert acts.list_revisions(base) == [(1, "published")]
        assert acts.timeline(base)[-1]["detail"]["evidence"] == evidence
        async with refused(RefusalKind.WRONG_STAGE):
            await base.do(Publish, OPERATOR)


async def test_an_operator_who_is_quicker_than_a_slow_channel_makes_one_revision_with_it(open_office: Open) -> None:
    channel = Slow()
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        await asyncio.to_thread(channel.asked.wait, 10)
        evidence = base.documents.put(b"%PDF-1.4 a screenshot of the list %%EOF")
        answer = await base.do(Publish, OPERATOR, evidence=evidence)  # a slow channel keeps no command waiting
        assert answer.stage is Stage.VALID
        channel.answer.set()
        await base.forward(DAY)
        assert acts.list_revisions(base) == [(1, "published")]
        assert acts.events(base).count("base_published") == 1
        assert acts.timeline(base)[-1]["actor"] == "operator:sun"


async def test_an_operator_without_evidence_has_the_channel_asked_again_at_once(open_office: Open) -> None:
    channel = Channel(failures=1)
    async with open_office(channel) as office:
        base = await acts.in_publishing(office)
        await until(lambda: acts.events(base)[-1] == "publication_attempt_failed", "the first attempt")
        answer = await base.do(Publish, OPERATOR)
        assert answer.stage is Stage.PUBLISHING, "nothing is published by asking for it"
        await until(lambda: base.case.stage is Stage.VALID, "the second attempt")
        assert len({announcement.key for announcement in channel.asked}) == 1
        assert acts.events(base)[-3:] == ["publication_attempt_failed", "publication_retried", "base_published"]


async def test_the_right_to_name_and_marks_begins_with_publication(open_office: Open) -> None:
    async with open_office(Channel(failures=1)) as office:
        base = await acts.in_certifying(office)
        answer = await base.do(Certify, CERTIFIER)
        assert (answer.stage, answer.standing) == (Stage.PUBLISHING, Standing.CERTIFIED)
        reader = Reader(office.reading)
        before = {row["benefit"]: row["effective_from"] for row in reader.benefits(base.case, await base.now())}
        assert before["P1"] is None and all(before[f"P{number}"] for number in range(2, 7))
        await base.forward(timedelta(hours=2))
        after = {row["benefit"]: row["effective_from"] for row in reader.benefits(base.case, await base.now())}
        publication = base.case.publication
        assert publication is not None and publication.published_at is not None
        assert datetime.fromisoformat(after.pop("P1")) == publication.published_at
        assert after == {benefit: at for benefit, at in before.items() if benefit != "P1"}


async def test_a_term_that_ends_unpublished_was_never_listed(open_office: Open) -> None:
    channel = Channel()
    async with open_office(channel) as office:
        base = await acts.resumed(office, datetime.now(UTC) - 362 * DAY, published=False)
        term = base.case.term
        assert term is not None
        await base.forward_to(term.until - timedelta(minutes=5))
        assert base.case.stage is Stage.PUBLISHING
        assert len(channel.asked) > 3
        await base.forward_to(term.until)
        case = base.case
        assert case.stage is Stage.SETTLING and case.ending is not None and case.publication is not None
        assert case.ending.legal_at == term.until
        assert (case.publication.state, case.publication.breached) == ("withdrawn", True)
        assert case.publication.published_at is None
        assert legal(base, "publication_breached") == [case.publication.due_at]
        channel.up = True
        asked = len(channel.asked)
        await base.forward(2 * DAY)
        assert len(channel.asked) == asked, "what has ended is not announced any more"
        assert acts.list_revisions(base) == []
        acts.check_books(base)
