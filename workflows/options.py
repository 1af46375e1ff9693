"""How long a transaction may take, and what is tried again: the same for every workflow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

# What trying again can't mend: a fault of ours or a value no table takes. Nothing has been written then.
FAULTS = [
    "AssertionError", "AttributeError", "CanonicalizationError", "DataError", "IntegerDomainError", "KeyError",
    "LookupError", "RecursionError", "TypeError", "UnicodeDecodeError", "UnicodeEncodeError", "ValidationError",
    "ValueError",
]  # fmt: skip
# A command's transaction: 5 s bounds the recovery after a kill. It is tried until the store answers, since
# what was accepted must come to an end; refusals come back as data and are never retried. A fault fails the
# command alone: the case goes on.
TRANSACTION: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=10),
        non_retryable_error_types=FAULTS,
    ),
}
# A step of `run`: short, in the worker. When it can't be done in a minute a durable timer takes over.
STEP: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "schedule_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=5)),
}
# The publication channel, the bank and who verifies enterprises are outside parties: a bounded effort on the queue for
# such, then the case's own retry plan. Five minutes hold three tries and the wait for a free hand when one of them
# keeps many waiting.
OUTSIDE_PARTY: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
}
STORE_PAUSE = timedelta(seconds=30)
"""How long a run rests when the store did not take a step."""
