"""The parts every letter has."""

from __future__ import annotations

from dataclasses import dataclass

from domain.stages import Role

NOTHING_TO_DO = "目前无需办理。进度可随时查看:livebase show {case}"


@dataclass(frozen=True)
class Wording:
    """A letter's recipient, subject and parts. `appeal` is empty where no appeal exists (decision 28)."""

    to: Role
    subject: str
    what: str
    why: str
    by: str
    do: str
    follows: str
    appeal: str = ""
