"""The worker's log: one line per record, JSON or for people, with nothing personal in it.

Whatever a record brings, only the keys of `KEPT` come through. The text of an event is written by a programmer and
stays; what was formatted into it does not, and neither does an exception's text (a database's holds the row,
Temporal's the message): of an exception its types and the lines of code are kept. The whole failure is in
Temporal Web, behind its access control.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from traceback import walk_tb
from typing import IO, Any

import structlog
from structlog.typing import EventDict, Processor
from temporalio import activity, workflow

from workers.settings import LogSettings

_IDS = ("workflow_id", "run_id", "workflow_type", "activity_id", "activity_type", "attempt", "task_queue", "namespace")
_OWN = (
    *("event_id", "step", "error", "error_at", "deployment", "build", "variable", "seconds"),
    *("who", "payloads", "refused"),
)
KEPT = ("timestamp", "level", "logger", "event", *_IDS, *_OWN)
"""Every key a line may have, in its order."""
_OURS = ("livebase", "temporalio")
_GRPC_STATUS = re.compile(r"\bcode: '?(\w[\w ]*)")
_LONGEST = 200
_PACKAGES = ("domain", "workflows", "activities", "store", "connection", "workers", "starter")


def configure_logging(settings: LogSettings) -> None:
    """Route every log of this process to stderr in the format of `settings`: ours and Temporal's from its level on,
    other libraries' from WARNING on."""
    root = logging.getLogger()
    root.handlers = [log_handler(sys.stderr, as_json=settings.log_format == "json")]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[settings.log_level]))
    for name in _OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # As fields, not in the text.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def log_handler(stream: IO[str], *, as_json: bool) -> logging.Handler:
    """A handler for structlog's and the standard library's records alike."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_without_what_was_formatted_in, _with_ids],
            processors=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _with_error,
                keep_allowed,
                renderer,
            ],
            use_get_message=False,
        )
    )
    return handler


def keep_allowed(_: object, __: str, event: EventDict) -> EventDict:
    """Only `KEPT` keys, and no long values."""
    return {key: _short(event[key]) for key in KEPT if event.get(key) is not None}


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(part) for part in value]
    return value if isinstance(value, (int, float)) else str(value)[:_LONGEST]


def _without_what_was_formatted_in(_: object, __: str, event: EventDict) -> EventDict:
    """A library's text as far as its author wrote it: no arguments, nothing after a line break or a colon."""
    event["event"] = str(event["event"]).partition("\n")[0].partition(": ")[0]
    return event


def _with_ids(_: object, __: str, event: EventDict) -> EventDict:
    """Which case, run or activity it was, as Temporal's loggers say beside the text."""
    record = vars(event["_record"])
    core = getattr(record.get("temporal_log"), "fields", None)
    for source in (core, record.get("temporal_workflow"), record.get("temporal_activity")):
        if isinstance(source, Mapping):
            event.update({key: source[key] for key in _IDS if key in source})
    if isinstance(core, Mapping) and (status := _GRPC_STATUS.search(str(core.get("error", "")))):
        event["error"] = status[1]
    event.update({key: record[key] for key in _OWN if key in record})  # our own, from workflows and activities
    return event


def _with_error(_: object, __: str, event: EventDict) -> EventDict:
    raised = event.get("exc_info")
    error = raised[1] if isinstance(raised, tuple) else raised if raised is not True else sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = " <- ".join(type(one).__name__ for one in _causes(error))
        event["error_at"] = _lines(error)
    return event


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _lines(error: BaseException) -> list[str]:
    """Where it was raised and our own lines on the way there, as `module:line function`."""
    frames = [
        (frame.f_globals.get("__name__", "?"), line, frame.f_code) for frame, line in walk_tb(error.__traceback__)
    ]
    ours = [frame for frame in frames[:-1] if frame[0].partition(".")[0] in _PACKAGES]
    return [f"{module}:{line} {code.co_name}" for module, line, code in (*ours, *frames[-1:])]
