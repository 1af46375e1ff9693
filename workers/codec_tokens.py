"""Who may have payloads decoded: `python -m workers.codec_tokens FILE NAME` gives a token and prints it, once.

The file has a line for each person, `NAME sha256:…`: whoever reads it learns no token. A line taken out takes the token
back at once; the same name again replaces it. Without NAME the file is made, for nobody. Ends with 0, or 2 for a file
or a name that can't be used.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from pathlib import Path

from connection.errors import BadConfiguration
from connection.private_file import changing, read_private, write_private

VARIABLE = "LIVEBASE_CODEC_TOKENS"
_LINE = re.compile(r"([\w.-]{1,64}) sha256:([0-9a-f]{64})")


def read_tokens(file: Path) -> dict[str, str]:
    """Name → SHA-256 of their token, hexadecimal. Raises BadConfiguration with every line that is wrong."""
    lines = read_private(file, VARIABLE).splitlines()
    found = {place: _LINE.fullmatch(line.strip()) for place, line in enumerate(lines, 1) if line.strip()}
    if wrong := [str(place) for place, match in found.items() if match is None]:
        raise BadConfiguration(
            f"{VARIABLE}: {file} has lines that are no NAME sha256:…: {', '.join(wrong)}.",
            f"Add a person with: python -m workers.codec_tokens {file} NAME",
        )
    return {match[1]: match[2] for match in found.values() if match is not None}


def whose(token: str, tokens: dict[str, str]) -> str | None:
    """Whose token it is; None for nobody's. Takes as long for every token."""
    given = hashlib.sha256(token.encode()).hexdigest()
    matching = [name for name, kept in tokens.items() if hmac.compare_digest(kept, given)]
    return matching[0] if matching else None


def main(arguments: list[str] | None = None) -> int:
    """Give a token, or make the file; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.codec_tokens", description="Who may decode payloads.")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("name", nargs="?", metavar="NAME")
    asked = parser.parse_args(arguments)
    token = secrets.token_urlsafe(32)
    try:
        if asked.name is not None and re.fullmatch(r"[\w.-]{1,64}", asked.name) is None:
            raise ValueError("A name has 1 to 64 letters, digits, points, hyphens and underscores.")
        with changing(asked.file):
            tokens = read_tokens(asked.file) if asked.file.exists() else {}
            if asked.name is not None:
                tokens[asked.name] = hashlib.sha256(token.encode()).hexdigest()
            write_private(asked.file, "".join(f"{name} sha256:{kept}\n" for name, kept in tokens.items()))
    except (BadConfiguration, ValueError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 2
    if asked.name is not None:
        print(token)
    return 0


if __name__ == "__main__":
    sys.exit(main())
