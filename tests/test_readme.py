"""The README's commands, run as it shows them. `python -m tests.test_readme` writes their present output into it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tests.starter.livebase import ROOT, Livebase
from tests.transcript import Shown, Typist, shown

README = ROOT / "README.md"
_SESSION = re.compile(r"(<!-- session -->\n```console\n)(.*?)(```)", re.S)
_LINES = 16
_DEMO = re.compile(r"(<!-- demo -->\n```text\n)(.*?)(```)", re.S)


def session() -> list[Shown]:
    """The session's commands, in order, with what the README shows of their output."""
    match = _SESSION.search(README.read_text("utf-8"))
    assert match is not None
    return shown(match[2])


def reader(folder: Path) -> Typist:
    """Who types them in the project's folder, with a data directory of its own."""
    return Typist(Livebase(folder), ROOT, whole=True)


def run(typist: Typist, command: str) -> tuple[int, list[str]]:
    """Exit code and lines on stdout, where the data directory goes by its usual name."""
    done = typist(command)
    out = done.out.replace(str(typist.livebase.folder), ".livebase")
    out = re.sub(r"/tmp/livebase-\w+/", "/tmp/livebase-…/", out)
    return done.code, [line.rstrip() for line in out.splitlines() if line.strip()]


def shape(lines: tuple[str, ...] | list[str]) -> set[str]:
    """The words of an output that don't change from day to day."""
    return set(re.findall(r"[A-Za-z_]{4,}|[\u4e00-\u9fff]{2,}", "\n".join(lines)))


ADVICE = shape(["how to mend → import the State Council's notice: livebase calendar import NOTICE.json"])
"""What doctor says in a December in which the next year's notice is not in yet."""


def test_every_command_of_the_readme_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    typist = reader(tmp_path)
    try:
        for one in session():
            code, lines = run(typist, one.command)
            assert code == 0, f"{one.command}: exit code {code}"
            gone = shape(one.lines) - shape(lines) - ADVICE
            assert not gone, f"{one.command} no longer prints {sorted(gone)}: run python -m tests.test_readme"
            for before, now in zip(one.lines, lines, strict=False):
                if "LB-" in before:
                    typist.learn([before], [now])
    finally:
        run(typist, "livebase dev --stop")


def write() -> None:
    """Run everything and put today's output into the README."""
    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="livebase-readme-") as folder:
        typist, parts = reader(Path(folder)), []
        for one in session():
            code, lines = run(typist, one.command)
            parts.append(Shown(one.command, tuple(lines[:_LINES]), len(lines) > _LINES).text)
            print(f"{code} {one.command}")
        _, demo = run(typist, "livebase demo")
    text = _SESSION.sub(lambda match: match[1] + "\n".join(parts) + match[3], text)
    text = _DEMO.sub(lambda match: match[1] + "\n".join(demo) + "\n" + match[3], text)
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
