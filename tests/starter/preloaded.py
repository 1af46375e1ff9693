"""All that a command of the command line may import, imported once (`tests/starter/forked.py`)."""

from __future__ import annotations

import importlib
import pkgutil

import psycopg  # noqa: F401
import rich.console
import rich.table  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401

import connection
import domain
import starter
import store
import workflows

for package in (connection, domain, starter, store, workflows):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name != "store.migrations":
            importlib.import_module(module.name)
