"""`livebase dev` with PostgreSQL under it instead of its own SQLite file, which is all that is different.

    LIVEBASE_TEST_DATABASE=URL python -m tests.starter.dev_on_postgres dev --data-dir DIR

The database has the present schema; the worker connects as the URL says, best with nothing but its role.
"""

from __future__ import annotations

import os

import store.migrate
from starter import development
from starter.main import main

if __name__ == "__main__":
    url = os.environ["LIVEBASE_TEST_DATABASE"]
    store.migrate.migrate = lambda *_, **__: []  # a worker's role may not
    development.local_database = lambda _: url
    main()
