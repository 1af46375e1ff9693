"""Processes that cost next to nothing to start: forks of one that has imported everything and started nothing.

Python has one such server in a process, and who asked last says what it preloads: hence one for commands and workers.
"""

from __future__ import annotations

import multiprocessing
import sys

_PRELOADED = "tests.preloaded"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([_PRELOADED])


def require_preloaded() -> None:
    """In a fork: what could not be preloaded is passed over in silence, and imported by each fork again."""
    assert _PRELOADED in sys.modules, f"the server of forks could not import {_PRELOADED}"
