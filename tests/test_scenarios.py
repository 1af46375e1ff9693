"""docs/scenarios.md, run as it shows it. `python -m tests.test_scenarios` writes the present output into it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.stages import Standing
from tests.starter.livebase import ROOT, Livebase
from tests.transcript import PastItsAim, Typist, blocks, rewritten, shown

DOCUMENT = ROOT / "docs" / "scenarios.md"
_LEFT_OUT = re.compile(
    r"^request id: |^ ?Temporal Web\b"
    r"|^ assessment +\d{4}Q\d unknown|\bfigures of \d{4}Q\d$| (remind_figures|(figures|assessment|conduct)_escalated) "
)
"""What a reader of the document does not look for, and what depends on where in its quarter a year begins."""


def scenarios() -> dict[str, str]:
    """Heading → console block, in order."""
    parts = re.split(r"^## (.*)$", DOCUMENT.read_text("utf-8"), flags=re.M)
    return {heading: blocks(part)[0] for heading, part in zip(parts[1::2], parts[2::2], strict=True)}


@contextmanager
def at_the_desk() -> Iterator[Typist]:
    """A local server that has seen no case yet, and the files of the scenarios."""
    with tempfile.TemporaryDirectory(prefix="livebase-scenarios-") as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")
        typist = Typist(Livebase(Path(folder) / ".livebase"), Path(folder), _LEFT_OUT)
        started = typist.livebase("dev", "--detach", timeout=1200)  # the first start ever builds a server
        if started.code != 0:  # a port that was free has been taken by a server that started beside it
            started = typist.livebase("dev", "--detach")
        assert started.code == 0, started.err
        try:
            (files,) = shown(blocks(DOCUMENT.read_text("utf-8"))[0])
            typist.require(files)
            yield typist
        finally:
            typist.livebase("dev", "--stop")


@pytest.fixture(scope="module")
def typist() -> Iterator[Typist]:
    with at_the_desk() as one:
        yield one


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("heading", scenarios())
def test_scenario(typist: Typist, heading: str) -> None:
    steps = shown(scenarios()[heading])
    try:
        typist.play(steps)
    except PastItsAim:  # the local server's time skipping is experimental: once more, on another one
        with at_the_desk() as another:
            another.play(steps)


def test_every_standing_is_shown_by_a_scenario() -> None:
    told = DOCUMENT.read_text("utf-8")
    assert {
        standing for standing in Standing if not re.search(rf'^ standing +{standing}\b|"{standing}"', told, re.M)
    } == set()


def write() -> None:
    """Run everything and put today's output into the document."""
    text = DOCUMENT.read_text("utf-8")
    contents = []
    with at_the_desk() as typist:
        for block in blocks(text):
            steps = []
            for one in shown(block):
                done = typist.steady(one.command)
                assert done.code == 0 or one.lines or one.cut, f"{one.command}: {done.err}"
                now = one.as_now(typist.meant(one.command), typist.printed(done))
                print(done.code, now.text, flush=True)
                typist.learn(one.lines, now.lines)
                steps.append(now.text + ("\n" if now.lines else ""))
            contents.append("".join(steps).rstrip("\n") + "\n")
    DOCUMENT.write_text(rewritten(text, contents), "utf-8")


if __name__ == "__main__":
    write()
