"""Bases on the official list, put there by the rules, and the site that shows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Engine, text

from domain import leaving, suspension
from domain.case import Case
from domain.commands import Revoke, Suspend
from domain.dependants import Dependants
from domain.records import Decision, Transition
from domain.setting import Setting
from register.proof import Keys, new_key_set, read_keys
from register.site import build_site
from store.cases import CaseStore
from tests.domain import cases
from tests.store.first_year import HOUR, Enterprise, write

URL = "https://list.example.cn"
OPENED = cases.OPENED
LISTED = OPENED + 6 * HOUR
"""All that is put on the list is on it by then."""
NAME, PLACE = "义乌北苑直播基地", "浙江省金华市义乌市北苑街道云集路88号"


class Base:
    """A base made public, under a name and at a place of its own."""

    def __init__(
        self,
        store: CaseStore,
        n: int = 1,
        *,
        name: str = NAME,
        holder: str | None = None,
        place: str = PLACE,
        opened: datetime = OPENED,
    ) -> None:
        self._store = store
        self._listed = opened + (LISTED - OPENED)
        enterprise = Enterprise(number=f"LB-2026-{n:06d}", opened=opened)
        application = enterprise.submission.application
        changes: dict[str, Any] = {"base": application.base.model_copy(update={"name": name, "address": place})}
        if holder is not None:
            changes["entity"] = application.entity.model_copy(update={"name": holder})
        changed = application.model_copy(update=changes)
        enterprise.submission = enterprise.submission.model_copy(update={"application": changed})
        self.number, self.credit_code = enterprise.certificate_number, enterprise.credit_code
        self.case: Case = enterprise.stored(store, "base_published")
        self._revision = 1

    def suspended(self, at: datetime | None = None) -> Base:
        command = cases.command(Suspend, cases.COMPLIANCE, reason="内部核查")
        return self._write(suspension.suspend(self.case, command, self._setting(at or self._listed + HOUR)))

    def revoked(self, at: datetime | None = None, reason: str = "组织刷单") -> Base:
        command = cases.command(Revoke, cases.COMPLIANCE, reason=reason)
        transition = leaving.revoke(self.case, command, self._setting(at or self._listed + 2 * HOUR), Dependants())
        # The decision needs its second person, who is not what is tested here.
        kept = tuple(record for record in transition.records if not isinstance(record, Decision))
        return self._write(replace(transition, records=kept))

    def _setting(self, at: datetime) -> Setting:
        self._revision += 1
        return cases.setting(at, self._revision)

    def _write(self, transition: Transition) -> Base:
        write(self._store, transition)
        self.case = transition.case
        return self


class Clock:
    """A wall clock that stands."""

    def __init__(self, now: datetime = LISTED + 3 * HOUR) -> None:
        self.now = now
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def keys() -> Keys:
    return read_keys(new_key_set("k1"), to_sign=True)


def site_on(engine: Engine, clock: Clock, **settings: Any) -> httpx.AsyncClient:
    """The site as a visitor reaches it, errors as pages."""
    given: dict[str, Any] = {"url": URL, "per_minute": 0, "clock": clock, "seconds": lambda: clock.seconds}
    app = build_site(engine, **(given | settings))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=URL)


def moved(engine: Engine, case_number: str, ahead: timedelta) -> None:
    """A case's clock, as a fast-forward leaves it."""
    with engine.begin() as connection:
        statement = text("UPDATE cases SET clock_offset_ms = :ahead WHERE case_number = :number")
        connection.execute(statement, {"ahead": int(ahead / timedelta(milliseconds=1)), "number": case_number})
