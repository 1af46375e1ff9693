"""Moves the dates that the examples' promises rest on to another day: `python examples/redate.py [YYYY-MM-DD]`.

An example such as *registered for seven months* is true for a while only. Each file names the day it is as of;
without an argument they are written again as of today in Shanghai.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from domain.shanghai import shanghai_date
from domain.terms import add_months

EXAMPLES = Path(__file__).parent
_AS_OF = re.compile(r"as of \d{4}-\d\d-\d\d", re.I)


def promised(example: str, as_of: date) -> dict[str, date]:
    """Field → the date that makes the example what its name says on that day."""
    return {
        "limits": {
            "registered_on": add_months(as_of, -12),
            "since": add_months(as_of, -10),
            "accepted_on": as_of,
            "verified_on": as_of,
        },
        "seven-months": {"registered_on": add_months(as_of, -7), "valid_until": add_months(as_of, 14)},
        "deficient": {"registered_on": _short_of(12, as_of), "since": _short_of(10, as_of)},
    }.get(example, {})


def _short_of(months: int, as_of: date) -> date:
    """The first day from which it is not yet that many months."""
    day = add_months(as_of, -months)
    while add_months(day, months) <= as_of:
        day += timedelta(days=1)
    return day


def redated(example: str, as_of: date) -> str:
    """The example's application file as of that day."""
    text = (EXAMPLES / example / "application.yaml").read_text("utf-8")
    for field, day in promised(example, as_of).items():
        text = re.sub(rf"\b{field}: \d{{4}}-\d\d-\d\d", f"{field}: {day}", text)
    return _AS_OF.sub(lambda match: f"{match[0][:6]}{as_of}", text)


def main(as_of: date) -> None:
    for file in sorted(EXAMPLES.glob("*/application.yaml")):
        file.write_text(redated(file.parent.name, as_of), "utf-8")
    print(f"The examples are as of {as_of}.")


if __name__ == "__main__":
    main(date.fromisoformat(sys.argv[1]) if len(sys.argv) > 1 else shanghai_date(datetime.now(UTC)))
