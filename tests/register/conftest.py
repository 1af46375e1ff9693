"""The store's databases, for what reads the list from them."""

from tests.store.conftest import (  # noqa: F401
    engine,
    kept,
    kept_on_postgresql,
    kept_on_sqlite,
    store,
    url,
)
