"""Console blocks of a document: its commands run as a reader types them, their output beside what it shows.

A line that begins with `$ ` is a command; what follows is what it prints. A command with nothing after it prints what
the document leaves out; a last line `…` leaves out the rest. What the day and the machine bring with them (numbers of
cases, dates, quarters, hashes) is not compared: a command that names one of them is run with the one it stands for.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.starter import forked
from tests.starter.livebase import Done, Livebase

WIDTH = "110"
REST = "…"
_BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.S)
_NAMED = r"LBC?-\d{4}-\d{6}(?:-C?\d+)?|\d{4}-\d\d-\d\d(?![\dT])|\d{4}Q[1-4]"
_VARIES = re.compile(
    rf"^ +\d+(?=  )|(?P<named>{_NAMED})|\d{{4}}-\d\d-\d\dT[\d:.]+\+08:00|\d\d:\d\d|\b[0-9a-f]{{64}}\b"
    r"|(?P<moving>\(?provisional\)?)",
    re.M,
)
_READS = re.compile(r"livebase (show|why|next|timeline|list|inbox|\w+ show|notices list)\b")
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Shown:
    """A command and the lines a document shows of its output; `cut` when more are left out."""

    command: str
    lines: tuple[str, ...] = ()
    cut: bool = False

    @property
    def text(self) -> str:
        return "\n".join([f"$ {self.command}", *self.lines, *([REST] if self.cut else [])]) + "\n"

    def as_now(self, command: str, printed: Iterable[str]) -> Shown:
        """The same as typed now, with what is printed: as much as is shown; all of it where only `…` stands."""
        if not self.lines and not self.cut:
            return Shown(command)
        now = tuple(printed)
        if not self.lines or len(now) <= len(self.lines):
            return Shown(command, now)
        return Shown(command, now[: len(self.lines)] if self.cut else now, self.cut)


def shown(block: str) -> list[Shown]:
    """What a console block shows."""
    _, *parts = re.split(r"^\$ (.*)$", block, flags=re.M)
    found = []
    for command, output in zip(parts[::2], parts[1::2], strict=True):
        lines = [line for line in output.splitlines() if line.strip()]
        cut = lines[-1:] == [REST]
        found.append(Shown(command, tuple(lines[:-1] if cut else lines), cut))
    return found


def blocks(text: str) -> list[str]:
    """The content of a document's console blocks."""
    return [match[2] for match in _BLOCK.finditer(text)]


def rewritten(text: str, contents: Iterable[str]) -> str:
    """The document with other contents in its console blocks, in order."""
    left = iter(contents)
    return _BLOCK.sub(lambda match: match[1] + next(left) + match[3], text)


class PastItsAim(Exception):
    """`fast-forward` has found that the server went past the instant it was to move a clock to."""


@dataclass
class Typist:
    """Types a document's commands in a folder. `left_out` are lines of output that the document never shows."""

    livebase: Livebase
    folder: Path
    left_out: re.Pattern[str] | None = None
    whole: bool = False
    """Each command is a process of its own, started in full."""
    names: dict[str, str] = field(default_factory=dict)
    """What varies, as the document has it → as it is here."""

    def environ(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:{self.livebase.environ()['PATH']}"
        return self.livebase.environ({"COLUMNS": WIDTH, "PATH": path})

    def __call__(self, command: str) -> Done:
        """Run a command of the document."""
        meant = self.meant(command)
        words = shlex.split(meant)
        if words[0] == "livebase" and not self.whole:
            ended = Done(*forked.livebase(words[1:], self.environ(), self.folder, timeout=120, together=True))
            if words[1] == "fast-forward" and ended.code == 5 and "past" in ended.out:
                raise PastItsAim(ended.out)
            return ended
        done = subprocess.run(
            meant,
            shell=True,
            cwd=self.folder,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def meant(self, command: str) -> str:
        """The command with what its names stand for here."""
        return re.sub(_NAMED, lambda match: self.names.get(match[0], match[0]), command)

    def printed(self, done: Done) -> list[str]:
        """The lines a reader sees, without those the document leaves out."""
        lines = (line.rstrip() for line in (done.out + done.err).splitlines())
        return [line for line in lines if line and not (self.left_out and self.left_out.search(line))]

    def play(self, steps: Iterable[Shown]) -> None:
        """Commands in order, each with what it prints."""
        for one in steps:
            self.require(one)

    def require(self, one: Shown) -> None:
        """Run a command and compare what it prints; what comes of itself after an act is waited for."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            done = self(one.command)
            printed = self.printed(done)
            if _same(one, printed) or time.monotonic() > until or not _READS.match(one.command):
                break
        if not one.lines:
            assert done.code == 0, f"{one.command}: exit code {done.code}\n{done.err}"
            return
        assert _same(one, printed), f"$ {one.command}\n" + "\n".join(printed)
        self.learn(one.lines, printed)

    def learn(self, before: Iterable[str], now: Iterable[str]) -> None:
        """What the document calls so is called so here."""
        here = _named(now)
        self.names.update(zip(_named(before), here, strict=False))

    def steady(self, command: str) -> Done:
        """Run a command; one that only reads, until it prints the same twice."""
        done = self(command)
        while _READS.match(command):
            time.sleep(0.5)
            before, done = done, self(command)
            if before == done:
                break
        return done


def _same(one: Shown, printed: list[str]) -> bool:
    expected, found = _constant(one.lines), _constant(printed)
    return expected == (found[: len(expected)] if one.cut else found)


def _constant(lines: Iterable[str]) -> list[str]:
    """The words that don't change from day to day; columns may be wider or narrower."""
    text = _VARIES.sub(lambda match: " " if match["moving"] else " # ", "\n".join(lines))
    return text.replace("─", " ").split()


def _named(lines: Iterable[str]) -> list[str]:
    return [match["named"] for match in _VARIES.finditer("\n".join(lines)) if match["named"]]
