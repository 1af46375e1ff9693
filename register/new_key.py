"""The key file of the official list: `python -m register.new_key FILE ID` makes it, or puts a new key in front.

It is signed with the first key alone. Of the others the public halves are kept: they prove what was signed with them
for ever. Ends with 0, or 2 for a file or an id that can't be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from connection.errors import BadConfiguration
from connection.private_file import changing, read_private, write_private
from register.proof import new_key_set, read_keys


def key_set(id: str, before: str | None = None) -> str:
    """The text of the new key set. ValueError for a file that holds none, or an id that it has already."""
    keys = json.loads(new_key_set(id))["keys"]
    if before is not None:
        keys += read_keys(before).published()["keys"]
    text = json.dumps({"keys": keys}, indent=2) + "\n"
    read_keys(text, to_sign=True)
    return text


def main(arguments: list[str] | None = None) -> int:
    """Make the file or put a key in front; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m register.new_key", description="The official list's key file.")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("id", metavar="ID", help="the new key's name, such as 2026-12")
    parser.add_argument("--unless-there", action="store_true", help="make the file, or leave it as it is")
    asked = parser.parse_args(arguments)
    file: Path = asked.file
    try:
        with changing(file):
            before = read_private(file, str(file)) if file.exists() else None
            if before is not None and asked.unless_there:
                print(f"{file} is there; it is signed with {read_keys(before, to_sign=True).newest}.")
                return 0
            write_private(file, key_set(asked.id, before))
    except (BadConfiguration, OSError, ValueError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 2
    print(f"{file}: what is new is signed with {asked.id}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
