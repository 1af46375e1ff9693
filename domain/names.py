"""When two names, or two references, are the same: however they were typed."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Full width folded, without spaces: how references and codes are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def same_name(one: str, other: str) -> bool:
    """Names are compared without width, spaces and case: a second spelling is no second person or payer."""
    return folded(one).casefold() == folded(other).casefold()
