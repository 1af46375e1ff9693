"""A look into a database of an engine's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection of its own, which leaves nothing open."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection
