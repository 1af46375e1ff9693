"""The whole list for machines and spreadsheets, the feed of its changes, and the keys it is proven with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from starlette.requests import Request

from domain.listed import Certificate
from register import formats
from register.answers import Answer, json_answer, json_text, may_be_told, unknown
from register.source import Source
from register.words import Words

_CHANGES = 50


@dataclass
class _Whole:
    """The whole list as it was at an instant; `signed` once somebody has asked for it so."""

    certificates: list[Certificate]
    as_of: datetime
    changes_at: datetime | None
    header: dict[str, Any]
    signed: bytes | None = None


class WholeList:
    """It is read once for as long as an answer may be kept: who asks later may keep it less long."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._whole: _Whole | None = None
        self._one_at_a_time = Lock()

    def json(self, request: Request, now: datetime) -> Answer:
        """Everything on the list, signed."""
        whole = self._everything(now)
        with self._one_at_a_time:
            if whole.signed is None:
                document = formats.list_document(whole.certificates, whole.header)
                whole.signed = json_text(self._source.signed(document))
        tag = ("list", whole.header["as_of"])
        return Answer(whole.signed, "application/json", tag, now, whole.changes_at, kept_since=whole.as_of)

    def csv(self, request: Request, now: datetime) -> Answer:
        """Everything on the list, for a spreadsheet."""
        whole = self._everything(now)
        body = "".join(formats.table(whole.certificates))
        attached = {"content-disposition": 'attachment; filename="taobao-live-bases.csv"'}
        return Answer(body, "text/csv", body, now, whole.changes_at, attached, kept_since=whole.as_of)

    def feed(self, request: Request, now: datetime) -> Answer:
        """What has changed lately."""
        reader = self._source.reader
        changes = reader.changes(now, _CHANGES)
        body = formats.feed(changes, self._source.url, Words("zh"), now)
        return Answer(body, "application/atom+xml", tuple(changes), now, reader.next_change(now))

    def keys(self, request: Request, now: datetime) -> Answer:
        """The keys to prove with, former ones too."""
        if self._source.keys is None:
            return unknown(now)
        published = self._source.keys.published()
        return json_answer(published, json.dumps(published), now, None)

    def _everything(self, now: datetime) -> _Whole:
        with self._one_at_a_time:
            whole, reader = self._whole, self._source.reader
            kept = timedelta(seconds=self._source.cache_seconds)
            if whole is None or not may_be_told(now, whole.as_of, kept, whole.changes_at):
                changes_at = reader.next_change(now)
                # Before the list, which may go on meanwhile.
                header = formats.header(self._source.issuer, reader.revision(), now, changes_at)
                whole = self._whole = _Whole(reader.everything(now), now, changes_at, header)
            return whole
