"""People's commands: one activity each, under the command's name, so that Temporal Web tells what was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.desk import CaseDesk
from domain.commands import Command, Outcome


def command_activities(desk: CaseDesk, commands: tuple[type[Command], ...]) -> list[Callable[..., Any]]:
    """An activity for each of `commands`: its transaction, `now` being the case's clock."""

    def named(kind: type[Command]) -> Callable[..., Any]:
        def carry_out(command: Command, now: datetime) -> Outcome:
            return desk.decide(command, now)

        carry_out.__annotations__["command"] = kind  # what the SDK decodes it to
        return activity.defn(name=kind.action)(carry_out)

    return [named(kind) for kind in commands]
