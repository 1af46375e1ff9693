"""Pages from templates: everything escaped, and nothing in them but words, data and addresses of the site itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from register.words import WORDS, Words

_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file that never changes under its name, which has its hash in it."""

    name: str
    content: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """The site's own files, by the name they are written with."""
    found = {}
    for file in sorted(files("register").joinpath("static").iterdir(), key=lambda one: one.name):
        stem, dot, ending = file.name.rpartition(".")
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[file.name] = Asset(f"{stem}.{digest}{dot}{ending}", content, _TYPES[f".{ending}"])
    return found


@cache
def build() -> str:
    """What the pages are made with, in one short name: another build, another page."""
    digest = hashlib.sha256(repr(WORDS).encode())
    for folder in ("templates", "static"):
        for file in sorted(files("register").joinpath(folder).iterdir(), key=lambda one: one.name):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("register"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = lambda name: f"/static/{assets()[name].name}"
    return environment


def render(template: str, words: Words, **values: Any) -> str:
    """A page in one language; `say` in a template says its words."""
    there = "" if words.language == "zh" else f"/{words.language}"
    return _environment().get_template(template).render(say=words, there=there, **values)
