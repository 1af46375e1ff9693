"""Showing a case in Temporal Web's list: its search attributes in one upsert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from domain.tracing import SEARCH_ATTRIBUTES

_KEYS = {
    name: SearchAttributeKey.for_datetime(name) if kind == "Datetime" else SearchAttributeKey.for_keyword(name)
    for name, kind in SEARCH_ATTRIBUTES.items()
}


def upsert(shown: Mapping[str, str | datetime | None]) -> None:
    """Set the attributes, None unsets one: one event."""
    workflow.upsert_search_attributes(
        [
            _KEYS[name].value_unset() if value is None else _KEYS[name].value_set(value)  # type: ignore[arg-type]
            for name, value in shown.items()
        ]
    )
