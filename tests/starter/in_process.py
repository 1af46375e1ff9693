"""The command line within the test's own process: for tests that look at many tables, where a start costs most."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from unittest import mock

from starter import main
from tests.starter.livebase import Done, Livebase


class InProcess(Livebase):
    """Like `Livebase`, without the process: the same words and environment, the same exit code and output."""

    def __call__(self, *words: str | Path, env: dict[str, str] | None = None, timeout: float = 90) -> Done:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with (
            mock.patch.dict(os.environ, self.environ(env), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main.run([str(word) for word in words])
        printed, complained = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
        return Done(code, printed, complained)
