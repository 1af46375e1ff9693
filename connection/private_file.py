"""A file with secrets, read only when nobody else can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from connection.errors import BadConfiguration


def read_private(file: Path, variable: str) -> str:
    """Its text. Raises BadConfiguration for one that can't be read, or that others may read or change.

    Its group may read it: that is how a container gets a secret as a file (0440 and the pod's group).
    """
    try:
        with open(file, encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
    except OSError as error:
        raise BadConfiguration(f"{variable}: {file} can't be read ({error.strerror}).", "Name a file here.") from None
    except ValueError:
        raise BadConfiguration(f"{variable}: {file} is no UTF-8 text.", "Name another file.") from None
    if mode & 0o027:
        raise BadConfiguration(
            f"{variable}: {file} may be read or changed by others (mode {mode:04o}).",
            f"Keep it to its owner, and its group at most: chmod 600 {file} (in a pod: defaultMode: 0440)",
        )
    return text
