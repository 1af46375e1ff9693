"""`livebase` as a process that need not import anything: forked from one that has, which saves most of its start.

Environment, arguments, exit code and output are those of a process of its own. What is heavy is imported only
where a command needs it, which a process started in full tells: `Livebase.start`, the README's commands, the path.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock

from tests.forks import FORKS, require_preloaded

_ONE_ASKS = Lock()
"""A start asks how all others have ended. Of two who ask at once of one that has, the second hears nothing: 255."""


def livebase(
    words: Sequence[str], environ: dict[str, str], cwd: Path, timeout: float, *, together: bool = False
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command; TimeoutError when it does not end in time.

    `together`: all of it as one, line by line as a terminal shows it, and nothing as the third.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = FORKS.Process(target=_run, args=(list(words), environ, cwd, out, out if together else err))
        with _ONE_ASKS:
            process.start()
        try:
            wait([process.sentinel], timeout)
            with _ONE_ASKS:
                code = process.exitcode
            if code is None:
                raise TimeoutError(f"livebase {' '.join(words)} did not end within {timeout} s")
            return code, out.read_text("utf-8"), "" if together else err.read_text("utf-8")
        finally:
            with _ONE_ASKS:
                process.kill()
                process.join()
                process.close()


def _run(words: list[str], environ: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), descriptor)
    sys.stdout, sys.stderr = (open(descriptor, "w", 1, encoding="utf-8") for descriptor in (1, 2))  # noqa: SIM115
    require_preloaded()
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = ["livebase", *words]
    from starter.main import main

    main()
