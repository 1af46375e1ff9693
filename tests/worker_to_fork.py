"""What a worker makes when it starts, made once for all forks: no thread, no connection, nothing that is anybody's."""

from __future__ import annotations

import gc

import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
from sqlalchemy.orm import configure_mappers
from temporalio.worker._worker import load_default_build_id

import tests.killing_worker  # noqa: F401
from store.reference import policy_book, shipped_calendar

configure_mappers()
load_default_build_id()
policy_book()
shipped_calendar()
gc.freeze()
