"""All that a command of the command line and a worker import and work out when they start, done once for all forks.

No thread, no connection, nothing that is anybody's.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil

import psutil  # noqa: F401
import psycopg  # noqa: F401
import rich.console
import rich.table  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
import temporalio.contrib.pydantic
import temporalio.envconfig  # noqa: F401
import typer._adapters  # noqa: F401
from sqlalchemy.orm import configure_mappers
from temporalio.worker._worker import load_default_build_id

import connection
import domain
import starter
import store
import tests.killing_worker  # noqa: F401
import workers
import workflows
from store.reference import policy_book, shipped_calendar

for package in (connection, domain, starter, store, workers, workflows):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name != "store.migrations":
            importlib.import_module(module.name)
starter.main.build_app()
load_default_build_id()
configure_mappers()
policy_book()
shipped_calendar()
gc.collect()
gc.freeze()  # a collection would write to, and so copy, all the memory a fork shares
