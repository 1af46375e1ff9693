"""The commands a workflow made, as lines without ids and times; what a difference between two such lists means.

What the server checks on replay is in them: which command, of what name, in what order. Summaries, arguments and
lengths of timers are not checked, and are not in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from domain import quarter

WHAT_TO_DO = """\
What to do:
  a release had the old sequence  keep it for running cases behind a patch (workflows/patches.py says how), and its
                                  histories in tests/histories/<release>/; then record new ones:
                                  python -m tests.record_histories
  nothing was released with it    record again: python -m tests.record_histories"""
ADVICE_BROKEN = """\
Running cases would break: one that has done "{before}" here replays, finds "{now}" instead, and takes no step
or command until a build comes that does as before.
"""
ADVICE_PATCHED = """\
A patch comes first: running cases go the old way, new ones this one.
What to do: keep the release's histories in tests/histories/<release>/ (they must still replay), then record new ones:
python -m tests.record_histories"""
ADVICE_ADDED = """\
An addition at the end: nothing that was done before is different. A case to which nothing has happened since it
began to wait here goes on with it, and has no way back to a build without it. One to which something has (a command,
a signal, a timer) breaks, and so does one that is further, though the history of this wait replays.
"""


def commands(events: Iterable[HistoryEvent]) -> list[str]:
    """One line per command, in order; events that are no commands have none."""
    updates: dict[int, str] = {}
    queue = ""
    lines: list[str] = []
    for event in events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        match kind:
            case "WORKFLOW_EXECUTION_STARTED":
                queue = event.workflow_execution_started_event_attributes.task_queue.name
            case "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
                request = event.workflow_execution_update_accepted_event_attributes.accepted_request
                updates[event.event_id] = request.input.name
                lines.append(f"update {request.input.name} accepted")
            case "WORKFLOW_EXECUTION_UPDATE_COMPLETED":
                accepted = event.workflow_execution_update_completed_event_attributes.accepted_event_id
                lines.append(f"update {updates[accepted]} answered")
            case "ACTIVITY_TASK_SCHEDULED":
                scheduled = event.activity_task_scheduled_event_attributes
                where = "" if scheduled.task_queue.name == queue else " outside"
                lines.append(f"activity {scheduled.activity_type.name}{where}")
            case "MARKER_RECORDED":
                lines.append(_marker(event))
            case _ if kind in _NAMES:
                lines.append(_NAMES[kind])
            case _ if kind.startswith(_COMMANDS_WE_DO_NOT_USE):
                lines.append(kind.lower().replace("_", " "))
    return lines


_NAMES = {
    "TIMER_STARTED": "timer",
    "TIMER_CANCELED": "timer cancelled",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": "search attributes",
    "ACTIVITY_TASK_CANCEL_REQUESTED": "activity cancelled",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continue as new",
    "WORKFLOW_EXECUTION_COMPLETED": "completed",
    "WORKFLOW_EXECUTION_FAILED": "failed",
    "WORKFLOW_EXECUTION_CANCELED": "cancelled",
}
_COMMANDS_WE_DO_NOT_USE = (
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
    "NEXUS_OPERATION_SCHEDULED",
    "WORKFLOW_PROPERTIES_MODIFIED",
)


def _marker(event: HistoryEvent) -> str:
    marker = event.marker_recorded_event_attributes
    if marker.marker_name == "core_local_activity":
        return f"local activity {json.loads(marker.details['data'].payloads[0].data)['activity_type']}"
    if marker.marker_name == "core_patch":
        return f"patch {json.loads(marker.details['patch-data'].payloads[0].data)['id']}"
    return f"marker {marker.marker_name}"


def apart_from_quarters(lines: Iterable[str]) -> list[str]:
    """The commands without those of the quarters' figures: where in a year these fall depends on the day it begins."""
    kept: list[str] = []
    of_a_quarter = False
    for line in lines:
        if line in _OF_A_QUARTER:
            of_a_quarter = True
        elif of_a_quarter and line == "search attributes":
            of_a_quarter = False
        elif line != "timer" or kept[-1:] != ["timer"]:
            of_a_quarter = False
            kept.append(line)
    return kept


_OF_A_QUARTER = {f"local activity {event}" for event in quarter.EVENTS}


def difference(before: Sequence[str], now: Sequence[str]) -> str | None:
    """What another sequence of commands means for running cases, and what to do; None when it is the same."""
    if before == now:
        return None
    same = next((n for n, pair in enumerate(zip(before, now, strict=False)) if pair[0] != pair[1]), None)
    place = min(len(before), len(now)) if same is None else same
    was = before[place] if place < len(before) else "nothing more"
    is_ = now[place] if place < len(now) else "nothing more"
    if place == len(before):
        advice = ADVICE_ADDED + WHAT_TO_DO
    elif is_.startswith("patch "):
        advice = ADVICE_PATCHED
    else:
        advice = ADVICE_BROKEN.format(before=was, now=is_) + WHAT_TO_DO
    after = " · ".join(now[max(0, place - 3) : place]) or "nothing"
    return f"command {place + 1} was {was!r} and is {is_!r}, after {after}\n{advice}"


def as_text(sequences: Mapping[str, Sequence[str]]) -> str:
    """The baseline's file: a line with a name and a colon, then one indented line per command."""
    return "".join(f"{name}:\n" + "".join(f"  {line}\n" for line in lines) for name, lines in sequences.items())


def from_text(text: str) -> dict[str, list[str]]:
    """The reverse of `as_text`."""
    sequences: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("  "):
            lines.append(line[2:])
        else:
            lines = sequences[line.removesuffix(":")] = []
    return sequences
