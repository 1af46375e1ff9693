"""No worker for days: on return all has its legal time, what has become moot is skipped, and the list was right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from connection import histories
from domain.stages import Role, Stage, Standing
from store.queries import Reader, publication_view
from tests.databases import Place
from tests.office import Base, Office, until, working_office
from tests.path import acts, on_record
from tests.path.instants import agreed, check, listed
from tests.path.on_record import Reach, put_on_record, take_up
from tests.path.test_publication import Channel

ONLY_ON = "sqlite"
"""What differs between the databases is tested in tests/store, and by requests and payments at once on both."""

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def down(office: Office, to: Reach, days: float, for_days: float) -> Base:
    """A base brought to a point so many days ago, whose workers have been down for the last days."""
    now = datetime.now(UTC)
    base = office.base()
    put_on_record(base, to, now - days * DAY, until=now - for_days * DAY)
    return base


async def back(base: Base) -> None:
    """The workers are back, and have carried out all that was due."""
    await take_up(base, base.case)
    await base.settled(datetime.now(UTC))


def times(base: Base, event: str) -> tuple[datetime, datetime]:
    """The legal and the observed time of what happened once."""
    (entry,) = [entry for entry in acts.timeline(base) if entry["event"] == event]
    return datetime.fromisoformat(entry["legal_at"]), datetime.fromisoformat(entry["observed_at"])


def state(base: Base, at: datetime) -> str:
    """How the base reads on its own page."""
    shown: str = publication_view(base.case, at)["state"]
    return shown


async def test_down_over_the_expiry(office: Office) -> None:
    """E18: off the list from the legal instant, and nobody is reminded of a renewal that is too late."""
    base = down(office, on_record.IN_VALID, days=368, for_days=12)
    term, reminded = base.case.terms[0], acts.letters(base, "remind_renewal")
    now = datetime.now(UTC)
    assert base.case.ending is None and now - term.until > 2 * DAY
    for at, public in ((term.until - INSTANT, "published"), (term.until, "withdrawn"), (now, "withdrawn")):
        assert state(base, at) == listed(base, at) == public, "while nobody is at work"

    await back(base)
    ending = base.case.ending
    assert ending is not None and (ending.kind, ending.legal_at) == (Standing.EXPIRED, term.until)
    assert ending.observed_at >= now
    assert times(base, "certification_expired") == (term.until, ending.observed_at)
    assert acts.letters(base, "remind_renewal") == reminded, "those of the last days are skipped"
    assert base.case.marks is not None and base.case.marks.due_at < ending.observed_at + 10 * DAY
    assert listed(base, term.until - INSTANT) == "published" and listed(base, term.until) == "withdrawn"
    assert acts.list_revisions(base) == [(1, "published"), (2, "withdrawn")]
    check(base, now, "certification_expired")
    await agreed(base)


async def test_down_over_the_publication_deadline(client: Client, place: Place) -> None:
    channel = Channel()
    async with working_office(client, place, channel) as office:
        base = down(office, on_record.IN_PUBLISHING, days=30, for_days=30)
        publication = base.case.publication
        assert publication is not None and not publication.breached
        assert listed(base, datetime.now(UTC)) == "withdrawn"

        await back(base)
        await until(lambda: "publication_attempt_failed" in acts.events(base), "it is tried at once")
        legal_at, observed_at = times(base, "publication_breached")
        assert legal_at == publication.due_at and observed_at - legal_at > 10 * DAY
        assert acts.events(base).count("notice_skipped") == 2, "that the deadline is near"
        assert acts.letters(base, "publication_escalated") == []
        assert acts.letters(base, "publication_breached") == ["publication_breached"]
        assert (base.case.stage, base.case.awaiting) == (Stage.PUBLISHING, Role.OPERATOR)

        channel.up = True
        await base.forward(2 * DAY)
        after = base.case.publication
        assert after is not None and (after.state, after.breached) == ("published", True)
        assert after.published_at is not None and listed(base, after.published_at - INSTANT) == "withdrawn"
        assert acts.list_revisions(base) == [(1, "published")]
        check(base, await base.now(), "publication_breached")
        await agreed(base)


async def test_down_over_reminders(office: Office) -> None:
    """Of several only the latest is sent, and has its own legal time."""
    base = down(office, on_record.IN_VALID, days=345, for_days=50)
    ends = base.case.terms[0].until
    assert acts.letters(base, "remind_renewal") == []
    await back(base)
    skipped, sent = ends - 60 * DAY, ends - 30 * DAY
    assert times(base, "notice_skipped")[0] == skipped
    assert times(base, "remind_renewal")[0] == sent and datetime.now(UTC) - sent > 9 * DAY
    assert acts.letters(base, "remind_renewal") == ["remind_renewal"]
    check(base, datetime.now(UTC))
    await agreed(base)


async def test_down_over_a_lapse(office: Office) -> None:
    base = down(office, on_record.IN_SUPPLEMENT, days=40, for_days=40)
    due_at = base.case.due_at
    await back(base)
    ending = base.case.ending
    assert ending is not None and (ending.kind, ending.legal_at) == (Standing.LAPSED, due_at)
    assert acts.letters(base, "remind_supplement") == []
    check(base, datetime.now(UTC))
    await agreed(base)


async def test_down_over_the_begin_of_a_renewed_term(office: Office) -> None:
    """The next term runs from its first instant, on the list and in its benefits, though nobody has begun it."""
    base = down(office, on_record.RENEWED, days=368, for_days=12)
    first, second = base.case.terms
    now = datetime.now(UTC)
    assert now - second.from_ > 2 * DAY and base.case.running_term == first

    def check_unbroken() -> None:
        for at in (first.until - INSTANT, second.from_, now):
            assert state(base, at) == listed(base, at) == "published"
            assert base.case.standing(at) is Standing.CERTIFIED
            assert {row["state"] for row in Reader(office.reading).benefits(base.case, at)} == {"granted"}

    check_unbroken()
    await back(base)
    legal_at, observed_at = times(base, "term_begun")
    assert legal_at == second.from_ and observed_at >= now
    assert base.case.running_term == second and "certification_expired" not in acts.events(base)
    check_unbroken()
    await agreed(base)
    assert len([run async for run in histories.runs(office.client, base.workflow_id)]) == 2, "a term has its own run"
    assert acts.list_revisions(base) == [(1, "published"), (2, "published")]
    check(base, now, "term_begun")
