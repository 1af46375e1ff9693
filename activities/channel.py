"""The official channel: where certified bases are made public (R3), and how it comes to hold what our list says.

An entry counts as public once it was read back from the channel. A channel that answers nothing, late, or twice changes
nothing about that: the same entry is put again, and an older one never takes a newer one's place.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from temporalio import activity

from activities.publication import Announcement
from domain.channel import Compared, Delivered, Difference, Held, ListEntry, Waiting, compare
from store.channel import MOST_KEPT, ChannelStore

BATCH = 50
_BATCH_SECONDS = 120.0
_COMPARING_SECONDS = 480.0
_TRIES = 3


class ChannelAway(Exception):
    """The channel takes and tells nothing now: it can't be reached, has failed, or does not know us."""


class EntryRefused(Exception):
    """The channel does not take this entry, or does not show it as it was put there."""


class OfficialChannel(Protocol):
    """It holds the newest entry of each certificate number. All of it may raise ChannelAway."""

    @property
    def name(self) -> str:
        """How people know it; no secret is in it."""
        ...

    def put(self, entry: ListEntry) -> None:
        """Have it hold an entry. The same again changes nothing, nor does one older than the one it holds.

        Raises EntryRefused. That it is held is known by reading it back, and not before.
        """
        ...

    def get(self, number: str) -> ListEntry | None:
        """What it holds of a certificate. Raises EntryRefused for what is no entry of it, whole and unchanged."""
        ...

    def held(self) -> Iterator[Held]:
        """All that it holds, each certificate once, as it comes."""
        ...


def deliver(channel: OfficialChannel, store: ChannelStore, number: str, now: datetime) -> str:
    """Have the channel hold a certificate's newest entry; what proves it, which is put on record.

    Raises ChannelAway and EntryRefused, and nothing is proven then. Empty for what is not public.
    """
    entry = store.draw(number, now)
    if entry is None:
        return ""
    channel.put(entry)
    found = channel.get(number)
    if found is None:
        raise EntryRefused(f"{number} was put on the channel and is not there")
    if found.revision < entry.revision:
        raise EntryRefused(
            f"{number} was put on the channel as revision {entry.revision}, which shows {found.revision}"
        )
    ours = entry if found.revision == entry.revision else store.drawn(number, found.revision)
    if ours is None or ours.hash != found.hash:
        raise EntryRefused(f"the channel shows revision {found.revision} of {number}, which is not ours")
    evidence = f"{channel.name}: {number}, revision {found.revision}, sha256 {found.hash}, read back"
    store.confirm(entry, found.revision, evidence, now)
    return evidence


class ChannelAnnouncer:
    """Announcing a base on an official channel that holds entries (`activities/publication.py`)."""

    def __init__(self, channel: OfficialChannel, store: ChannelStore) -> None:
        self._channel = channel
        self._store = store

    def announce(self, announcement: Announcement) -> str:
        return deliver(self._channel, self._store, announcement.certificate_number, activity.info().scheduled_time)


class ChannelActivities:
    """`now` is the wall clock. Without a channel nothing waits or is compared: a schedule outlives its setting."""

    def __init__(self, store: ChannelStore, channel: OfficialChannel | None, pause_seconds: float = 60) -> None:
        self._store = store
        self._channel = channel
        self._pause = pause_seconds

    @activity.defn
    def waiting_entries(self, now: datetime, put_off: tuple[str, ...]) -> Waiting:
        """The certificates whose newest entry the channel has not confirmed."""
        waiting = self._store.waiting(now, BATCH, put_off) if self._channel else Waiting()
        return waiting.model_copy(update={"pause_seconds": self._pause})

    @activity.defn
    def deliver_entries(self, numbers: tuple[str, ...], now: datetime) -> Delivered:
        """Deliver them one by one, in their order; one that is refused keeps none of the others waiting."""
        assert self._channel is not None
        confirmed, refused, until = list[str](), list[str](), time.monotonic() + _BATCH_SECONDS
        for number in numbers:
            if time.monotonic() > until or activity.is_worker_shutdown():
                break
            activity.heartbeat()
            try:
                deliver(self._channel, self._store, number, now)
                confirmed.append(number)
            except ChannelAway as away:
                return Delivered(confirmed=tuple(confirmed), refused=tuple(refused), away=str(away)[:200])
            except SQLAlchemyError:
                raise
            except EntryRefused as error:
                activity.logger.error("the official channel does not take an entry: %s", error)
                refused.append(number)
            except Exception:  # whatever is the matter with one, the others are not kept from it
                activity.logger.exception("an entry can't be delivered to the official channel: %s", number)
                refused.append(number)
        return Delivered(confirmed=tuple(confirmed), refused=tuple(refused))

    @activity.defn
    def compare_channel(self, id: str, now: datetime) -> Compared:
        """Compare all that the channel holds with the list, send again what it lacks, and put it on record.

        What it has and we have not is never taken from it: it is on record for people to look at.
        """
        if self._channel is None:
            return Compared()
        try:
            return self._compared(self._channel, id, now)
        except Exception as error:
            if activity.info().attempt < _TRIES:
                raise
            fault = Compared(fault=str(error)[:200] if isinstance(error, ChannelAway) else type(error).__name__)
            self._store.compared(id, now, fault, ())
            return fault

    def _compared(self, channel: OfficialChannel, id: str, now: datetime) -> Compared:
        ours, counted, theirs = self._store.expected(now, activity.heartbeat), Counter[str](), 0
        kept: list[Difference] = []
        again: list[str] = []

        def all_held() -> Iterator[Held]:
            nonlocal theirs
            for held in channel.held():
                theirs += 1
                activity.heartbeat()
                yield held

        for difference in compare(ours, all_held(), self._store.drawn):
            counted[difference.kind] += 1
            if len(kept) < MOST_KEPT:
                kept.append(difference)
            if difference.ours_is_newer:
                again.append(difference.number)
        sent = self._sent_again(channel, again, now)
        compared = Compared(ours=len(ours), theirs=theirs, sent_again=sent, **counted)
        self._store.compared(id, now, compared, kept)
        if counted:
            activity.logger.error("the official channel differs from the list: %s", dict(counted))
        return compared

    def _sent_again(self, channel: OfficialChannel, numbers: list[str], now: datetime) -> int:
        """Deliver so many as there is time for; the others are the next comparison's."""
        sent, until = 0, time.monotonic() + _COMPARING_SECONDS
        for number in numbers:
            if time.monotonic() > until or activity.is_worker_shutdown():
                break
            activity.heartbeat()
            try:
                sent += bool(deliver(channel, self._store, number, now))
            except EntryRefused as error:
                activity.logger.error("the official channel does not take an entry: %s", error)
        return sent
