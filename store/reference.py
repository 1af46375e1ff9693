"""Reference data shipped with the code: the policy and the State Council's notices."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from domain.notices import Notice
from domain.policy import PolicyBook
from domain.working_days import Calendar


@cache
def policy_book() -> PolicyBook:
    """Every policy version, from `domain/data/policy.yaml`."""
    text = files("domain").joinpath("data/policy.yaml").read_text("utf-8")
    return PolicyBook.model_validate(YAML(typ="safe", pure=True).load(text))


@cache
def shipped_notices() -> tuple[Notice, ...]:
    """The State Council's notices, one per year, oldest first."""
    folder = files("domain").joinpath("data/calendar")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return tuple(Notice.model_validate_json(folder.joinpath(name).read_bytes()) for name in names)


@cache
def shipped_calendar() -> Calendar:
    """The calendar of the shipped notices."""
    return Calendar(shipped_notices())
