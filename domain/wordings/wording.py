"""The parts every letter has."""

from __future__ import annotations

from dataclasses import dataclass

from domain.stages import Role

NOTHING_TO_DO = "目前无需办理。进度可随时查看:livebase show {case}"

TO_APPEAL = (
    "可在{appeal_until}对决定 {decision} 提出一次申诉,由未参与该决定的人员裁决:livebase appeal file {case} 申诉文件,"
    "文件中写明 decision: {decision}"
)


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
