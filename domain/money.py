"""Money is an integer count of fen, currency CNY (decision 14). Never a float."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2}))?", re.ASCII)


def parse_cny(text: str) -> int:
    """Fen from an amount in CNY as text: digits, at most two decimals. ValueError for anything else."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("must be an amount in CNY like 100000.00: digits, at most two decimals")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def format_cny(fen: int) -> str:
    """An amount as people read it: 10000000 fen is 100,000.00."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{rest:02}"
