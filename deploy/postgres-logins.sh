#!/bin/sh
# Run once by the database's container, when it sets itself up: a user for each program, with nothing but its role's
# rights. What the roles may do is granted by `python -m workers.prepare` (store/roles.py); add a user per person
# or program of your own in the same way.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$POSTGRES_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE livebase_worker NOLOGIN;
CREATE ROLE livebase_reader NOLOGIN;
CREATE ROLE livebase_register NOLOGIN;
CREATE ROLE worker LOGIN PASSWORD :'password' IN ROLE livebase_worker;
CREATE ROLE register LOGIN PASSWORD :'password' IN ROLE livebase_register;
CREATE ROLE staff LOGIN PASSWORD :'password' IN ROLE livebase_reader;
SQL
