"""What `docker-compose.yml` and `Dockerfile` say, read as Docker would."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dockerfile
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


def compose(*, with_defaults: bool = True) -> dict[str, Any]:
    """The file with its YAML merges done, and its variables replaced by their defaults unless told otherwise."""
    text = COMPOSE.read_text("utf-8")
    if with_defaults:
        text = _VARIABLE.sub(lambda variable: variable[2], text).replace("$$", "$")
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return loaded


def services(*, with_defaults: bool = True) -> dict[str, dict[str, Any]]:
    """Name → service."""
    found: dict[str, dict[str, Any]] = compose(with_defaults=with_defaults)["services"]
    return found


def worker_check(port: int) -> list[str]:
    """The worker's health check as the container runs it, for a worker whose health port is `port`."""
    kind, *command = services()["worker"]["healthcheck"]["test"]
    assert kind == "CMD"
    return [word.replace("127.0.0.1:8080/", f"127.0.0.1:{port}/") for word in command]


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, flags, whether it is in exec form, its words."""

    name: str
    flags: tuple[str, ...]
    exec_form: bool
    words: tuple[str, ...]


def stages() -> list[list[Instruction]]:
    """The Dockerfile's stages, each from its FROM on."""
    found: list[list[Instruction]] = []
    for command in dockerfile.parse_file(str(ROOT / "Dockerfile")):
        if command.cmd.upper() == "FROM":
            found.append([])
        found[-1].append(Instruction(command.cmd.upper(), command.flags, command.json, command.value))
    return found


def packages() -> list[str]:
    """The packages the wheel is made of."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return listed
