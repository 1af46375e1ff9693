"""`python -m audit EXPORT [HEADS]`: prove an export with nothing but this package and Python."""

from __future__ import annotations

import sys
from pathlib import Path

from audit.files import copies
from audit.whole_file import verify_file


def main(words: list[str]) -> int:
    """0 when all is proven, 1 when something is broken, 2 when a file is none."""
    if not 1 <= len(words) <= 2:
        print("usage: python -m audit EXPORT [HEADS]", file=sys.stderr)
        return 2
    problems: list[tuple[int, str]] = []
    try:
        report = verify_file(Path(words[0]), copies(Path(words[1])) if words[1:] else (), problems)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    for number, why in problems:
        print(f"line {number}: {why}", file=sys.stderr)
    for one in report.broken:
        print(f"{one.case_number or 'seals'}: {one.why}")
    print(f"{report.entries} entries of {report.cases} cases, {report.seals} seals", file=sys.stderr)
    return 2 if problems else 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
