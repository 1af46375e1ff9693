"""A new key for the official list: `python -m register.new_key ID [KEYS] > NEW`.

Prints a key set that begins with the new key; of those in the file KEYS, which follow, it keeps the public halves: they
prove what was signed with them for ever, and sign nothing more.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from register.proof import new_key_set, read_keys


def key_set(id: str, before: str | None = None) -> str:
    """The text of the new key set. ValueError for a file that holds none, or an id that it has already."""
    keys = json.loads(new_key_set(id))["keys"]
    if before is not None:
        keys += read_keys(before).published()["keys"]
    text = json.dumps({"keys": keys}, indent=2) + "\n"
    read_keys(text, to_sign=True)
    return text


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    os.umask(0o077)
    try:
        print(key_set(sys.argv[1], Path(sys.argv[2]).read_text("utf-8") if len(sys.argv) == 3 else None), end="")
    except (OSError, ValueError) as error:
        sys.exit(f"No new key: {error}")
