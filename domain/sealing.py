"""What became of one sealing of the audit log, for the workflow that sees to it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Sealed(BaseModel):
    """`heads` cases were sealed, and the newest seal is number `seal`, 0 before the first.

    `copied` is the newest one with a copy outside the database, None where no place for copies is set. `fault`:
    `unwritable`, the copies can't be written; `differ`, the newest copy is not the database's seal of that number.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    heads: int = 0
    seal: int = 0
    copied: int | None = None
    fault: Literal["", "unwritable", "differ"] = ""
    more: bool = False
