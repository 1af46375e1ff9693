"""`livebase doctor`: what must be in order, checked one by one, each with how to mend it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starter.errors import CommandError
from starter.output import loud, print_table, speaking, told, word
from starter.session import Session


class Broken(Exception):
    """A check that found something wrong: what, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


class Advice(Exception):
    """A check that found nothing wrong, but something that is better mended: what, and how."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


Check = Callable[[], Awaitable[str]]


async def diagnose(session: Session) -> list[dict[str, Any]]:
    """Each check as {check, ok, what, mend}. A check that rests on a broken one is broken too, and says so."""
    from starter import machine_checks, server_checks

    checks = [*server_checks.of(session), *machine_checks.of(session)]
    with speaking(session.lang if session.output == "table" else "en"):
        return [await _checked(name, check) for name, check in checks]


def table(checks: list[dict[str, Any]]) -> None:
    rows = [(_mark(c), word(c["check"]), c["what"], c["mend"] and f"→ {c['mend']}") for c in checks]
    print_table(("", "check", "found", "how to mend"), rows)


def _mark(check: dict[str, Any]) -> str:
    if not check["ok"]:
        return loud("✗")
    return "!" if check["mend"] else "✓"


async def _checked(name: str, check: Check) -> dict[str, Any]:
    from connection.errors import ConnectionProblem

    try:
        return {"check": name, "ok": True, "what": await check(), "mend": ""}
    except Advice as advice:
        return {"check": name, "ok": True, "what": advice.what, "mend": advice.mend}
    except Broken as broken:
        return {"check": name, "ok": False, "what": broken.what, "mend": broken.mend}
    except (CommandError, ConnectionProblem) as error:
        return {"check": name, "ok": False, "what": error.message, "mend": error.hint}
    except Exception as error:
        what = f"{type(error).__name__}: {error}"[:200]
        return {"check": name, "ok": False, "what": what, "mend": told("see where with: livebase doctor --debug")}
