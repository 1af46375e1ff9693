"""The README's commands, run as it shows them. `python -m tests.test_readme` writes their present output into it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
_SESSION = re.compile(r"(<!-- session -->\n```console\n)(.*?)(```)", re.S)
_LINES = 16
_DEMO = re.compile(r"(<!-- demo -->\n```text\n)(.*?)(```)", re.S)


def commands() -> list[str]:
    """The session's commands, in order."""
    match = _SESSION.search(README.read_text("utf-8"))
    assert match is not None
    return [line.removeprefix("$ ") for line in match[2].splitlines() if line.startswith("$ ")]


def run(command: str, folder: Path) -> tuple[int, str]:
    """A command as typed in the project's folder, with a data directory of its own: (exit code, stdout)."""
    binaries = Path(sys.executable).parent
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "LIVEBASE_"))}
    cache = {"LIVEBASE_CACHE_DIR": os.environ["LIVEBASE_CACHE_DIR"]} if "LIVEBASE_CACHE_DIR" in os.environ else {}
    environ |= cache | {"LIVEBASE_DATA_DIR": str(folder), "COLUMNS": "110", "PATH": f"{binaries}:{environ['PATH']}"}
    done = subprocess.run(
        shlex.split(command),
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, re.sub(
        r"/tmp/livebase-\w+/", "/tmp/livebase-…/", done.stdout.replace(str(folder), ".livebase")
    )


def shape(output: str) -> set[str]:
    """The words of an output that don't change from day to day."""
    return set(re.findall(r"[A-Za-z_]{4,}|[\u4e00-\u9fff]{2,}", output))


def shown() -> dict[str, str]:
    """Command → the output the README shows."""
    match = _SESSION.search(README.read_text("utf-8"))
    assert match is not None
    parts = re.split(r"^\$ (.*)$", match[2], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_of_the_readme_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    written = shown()
    try:
        for command in commands():
            code, output = run(command, tmp_path)
            assert code == 0, f"{command}: exit code {code}"
            gone = shape(written[command]) - shape(output)
            assert not gone, f"{command} no longer prints {sorted(gone)}: run python -m tests.test_readme"
    finally:
        run("livebase dev --stop", tmp_path)


def write() -> None:
    """Run everything and put today's output into the README."""
    text = README.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="livebase-readme-") as folder:
        lines = []
        for command in commands():
            code, output = run(command, Path(folder))
            kept = [line.rstrip() for line in output.splitlines() if line.strip()]
            lines += [f"$ {command}", *kept[:_LINES], *(["…"] if len(kept) > _LINES else []), ""]
            print(f"{code} {command}")
        _, demo = run("livebase demo", Path(folder))
    demo = "\n".join(line.rstrip() for line in demo.splitlines() if line.strip())
    text = _SESSION.sub(lambda match: match[1] + "\n".join(lines).rstrip() + "\n" + match[3], text)
    text = _DEMO.sub(lambda match: match[1] + demo + "\n" + match[3], text)
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
