"""Money is an integer count of fen (decision 14)."""

from __future__ import annotations

import pytest

from domain.money import format_cny, parse_cny


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("100000.00", 10_000_000),
        ("100000", 10_000_000),
        ("0.01", 1),
        ("0.1", 10),
        ("9999999999999.99", 999_999_999_999_999),
    ],
)
def test_amounts_are_read_exactly(text: str, fen: int) -> None:
    assert parse_cny(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1e5",
        "1,000.00",
        "1.",
        ".5",
        "1.234",
        "１００",
        "NaN",
        "100000.00 ",
        "0x10",
        "10000000000000",
        "1\n",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_cny(text)


@pytest.mark.parametrize(("fen", "text"), [(10_000_000, "100,000.00"), (1, "0.01"), (0, "0.00"), (-150, "-1.50")])
def test_amounts_are_written_for_people(fen: int, text: str) -> None:
    assert format_cny(fen) == text
