"""Dockerfile: small, locked, not root, and with what the wheel is made of."""

from __future__ import annotations

import re

from tests.workers.cluster_files import ROOT, Instruction, packages, stages
from workers.settings import WorkerSettings


def only(stage: list[Instruction], name: str) -> Instruction:
    [instruction] = [one for one in stage if one.name == name]
    return instruction


def test_it_builds_in_one_stage_and_runs_in_another_on_the_same_pinned_base() -> None:
    build, run = stages()
    assert build[0].words[1:] == ("AS", "build")
    assert build[0].words[0] == run[0].words[0] and re.fullmatch(r"python:3\.\d+-slim-\w+", run[0].words[0])
    copied = only(run, "COPY")
    assert copied.flags == ("--from=build",), "nothing but what was built"


def test_only_what_runs_is_installed_from_the_lock_with_every_hash_checked() -> None:
    build, _ = stages()
    commands = [part.strip() for one in build if one.name == "RUN" for part in one.words[0].split("&&")]
    installed = [one for one in commands if re.match(r"(uv )?pip install|uv build", one)]
    assert len(installed) == 4
    tool, dependencies, wheel, ours = installed
    assert re.fullmatch(r"pip install --no-cache-dir uv==[\d.]+", tool)
    for one in (dependencies, wheel):
        assert "--require-hashes" in one and re.search(r"constraints requirements\.lock\b", one)
    assert "--requirements pyproject.toml" in dependencies and "extra" not in dependencies, "without the tests' tools"
    assert "--no-deps" in ours
    order = [" ".join(one.words) for one in build if one.name in ("COPY", "RUN")]
    assert order.index("pyproject.toml requirements.lock ./") < order.index(dependencies) < order.index(". .")


def test_it_starts_the_worker_in_exec_form_as_nobody_in_particular() -> None:
    _, run = stages()
    entry, command, user = only(run, "ENTRYPOINT"), only(run, "CMD"), only(run, "USER")
    assert (entry.exec_form, entry.words) == (True, ("livebase",))
    assert (command.exec_form, command.words) == (True, ("worker",))
    number, group = user.words[0].split(":")
    assert int(number) >= 10_000 and int(group) >= 10_000
    after = [one.name for one in run[run.index(user) :]]
    assert after == ["USER", "ENTRYPOINT", "CMD"], "nothing is done or changed as root afterwards"
    assert f"--uid {number}" in only(run, "RUN").words[0]


def test_its_variables_are_settings_of_the_worker_and_no_secrets() -> None:
    _, run = stages()
    words = only(run, "ENV").words
    names = {name for name in words if name.startswith("LIVEBASE_")}
    assert names and names <= {f"LIVEBASE_{name.upper()}" for name in WorkerSettings.model_fields}
    assert not [one for stage in stages() for one in stage if one.name == "ARG"]


def test_what_goes_into_the_image_is_the_wheel_s_packages() -> None:
    """A new package must be named in .dockerignore too, or the image lacks it."""
    lines = [one for one in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if one and not one.startswith("#")]
    assert lines[0] == "*" and lines[-1] == "**/__pycache__"
    named = {one.removeprefix("!") for one in lines[1:-1]}
    assert named == {*packages(), "pyproject.toml", "requirements.lock", "README.md"}
