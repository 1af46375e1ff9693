"""Sealing the audit log, and copying what was sealed to a place outside the database."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from domain.sealing import Sealed
from store.auditing import AuditReader
from store.copies import CopiesDiffer, SealCopies
from store.sealing import LARGEST, SealStore


class SealingActivities:
    """`copies` is None where no place outside is set."""

    def __init__(self, seals: SealStore, reader: AuditReader, copies: SealCopies | None) -> None:
        self._seals = seals
        self._reader = reader
        self._copies = copies

    @activity.defn
    def seal_audit_log(self, now: datetime) -> Sealed:
        """Seal what went on since the last time, and copy it. A fault of the copies keeps nothing from being sealed."""
        heads = self._seals.seal(now)
        done = Sealed(heads=heads, seal=self._seals.newest(), more=heads >= LARGEST)
        if self._copies is None:
            return done
        try:
            copied = self._copies.catch_up(self._reader)
        except CopiesDiffer as error:
            activity.logger.error("a copy outside is not the database's %s: run livebase audit verify", error)
            return done.model_copy(update={"fault": "differ"})
        except OSError as error:
            activity.logger.error("the copies of seals can't be written: %s", error.strerror)
            return done.model_copy(update={"fault": "unwritable"})
        return done.model_copy(update={"copied": copied, "more": done.more or copied < done.seal})
