"""Two transactions in each other's way: the one the database gave up is run again at once, and nobody hears of it."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"
_SECONDS = 1.0
"""After that no further try begins: one may take 2 s (SQLite's busy timeout), and an activity has 5 s."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def is_conflict(error: BaseException) -> bool:
    """Whether the database gave a transaction up for another's sake: nothing is written, and the same may succeed now.

    PostgreSQL's serialization failure (on a replica also a read that was in the way) and deadlock; SQLite's BUSY.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(cause, "sqlstate", None) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def again_after_conflict(transaction: Callable[Given, Result]) -> Callable[Given, Result]:
    """Run a function that is one whole transaction again when it was given up for another's sake, for about a second.

    The last conflict is raised: a worker's activity is then tried again by its own retry policy.
    """

    @functools.wraps(transaction)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return transaction(*args, **kwargs)
        except DBAPIError as error:
            if not is_conflict(error):
                raise
        from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        trying = Retrying(
            retry=retry_if_exception(is_conflict),
            stop=stop_after_delay(_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=0.3),
            reraise=True,
        )
        return trying(transaction, *args, **kwargs)

    return run
