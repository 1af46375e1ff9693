"""What a worker needs to know, from the environment (`LIVEBASE_…`) or its caller."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """`database_url` is a SQLAlchemy URL; `documents` a folder or an object store's URL."""

    model_config = SettingsConfigDict(env_prefix="LIVEBASE_")

    database_url: str
    documents: str
    task_queue: str = "livebase"
    graceful_seconds: int = 20
