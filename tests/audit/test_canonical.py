"""Canonical JSON as the RFC has it, against the library that writes our entries."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import NotCanonical, exact, quick

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
FIRST_PLANE = st.text(st.characters(exclude_categories=("Cs",), max_codepoint=0xFFFF))


def values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | WHOLE | TEXT
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@settings(max_examples=200, deadline=None)
@given(values(FIRST_PLANE))
def test_the_quick_way_is_the_rfcs(value: Any) -> None:
    assert quick(value) == rfc8785.dumps(value)


@settings(max_examples=200, deadline=None)
@given(values(TEXT))
def test_the_exact_way_is_the_rfcs_whatever_the_keys(value: Any) -> None:
    assert exact(value) == rfc8785.dumps(value)


def test_keys_are_ordered_by_their_utf_16() -> None:
    assert exact({"\U00020bb7": 1, "\uff21": 2}) == '{"\U00020bb7":1,"\uff21":2}'.encode()


@pytest.mark.parametrize("value", [1.5, [2**53], {"a": -(2**53)}, "\ud800", {"\ud800": 1}, float("nan")])
def test_what_no_record_of_ours_holds_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        exact(value)
