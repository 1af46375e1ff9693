"""Key files, of Temporal's payloads and of documents.

`python -m workers.keys FILE` makes one, or puts a new key in front (a rotation).

What is new is sealed with the first key, all keys open. Where everybody reads the same file, putting one in front is
all: a process that meets a key it does not know reads the file again. Where copies are handed out, it takes two steps:
`--behind` adds a key that is only known, and once everybody has that file, `--first ID` has it used.

`--take-out ID` removes a key, never the first. What is sealed with it can be read by nobody afterwards:
docs/upgrading.md and docs/personal-data.md say when nothing is any more. Ends with 0, or 2 for a file or an id that
can't be used.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from connection.errors import BadConfiguration
from connection.key_file import new_key, read_keys, write_keys
from connection.private_file import changing
from domain.key_set import KeySet


def main(arguments: list[str] | None = None) -> int:
    """What the arguments ask for; the exit code."""
    asked = _parser().parse_args(arguments)
    file: Path = asked.file
    try:
        with changing(file):
            found = _read(file)
            if asked.unless_there and found is not None:
                print(f"{file} is there; its newest key is {found.newest}.")
                return 0
            changed = _changed(found, asked)
            write_keys(file, changed)
    except (BadConfiguration, ValueError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 2
    print(f"{file}: {', '.join(changed.keys)}; what is new is sealed with {changed.newest}.")
    return 0


def _changed(found: KeySet | None, asked: argparse.Namespace) -> KeySet:
    keys = dict(found.keys) if found else {}
    named = asked.first or asked.take_out
    if named is not None and named not in keys:
        raise ValueError(f"There is no key {named!r} in {asked.file}.")
    if asked.take_out and found and asked.take_out == found.newest:
        raise ValueError(f"{asked.take_out} seals what is new; put another one first.")
    if asked.take_out:
        return KeySet({id: key for id, key in keys.items() if id != asked.take_out})
    if asked.first:
        return KeySet({asked.first: keys[asked.first], **keys})
    id, key = new_key(datetime.now(UTC))
    return KeySet({**keys, id: key} if asked.behind and keys else {id: key, **keys})


def _read(file: Path) -> KeySet | None:
    return read_keys(file) if file.exists() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.keys", description="Makes or rotates the keys in a file.")
    parser.add_argument("file", type=Path, metavar="FILE")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--behind", action="store_true", help="add a key that is known, and not used yet")
    how.add_argument("--first", metavar="ID", help="seal what is new with a key that is there")
    how.add_argument("--take-out", metavar="ID", help="remove a key nothing is sealed with any more")
    how.add_argument("--unless-there", action="store_true", help="make the file, or leave it as it is")
    return parser


if __name__ == "__main__":
    sys.exit(main())
