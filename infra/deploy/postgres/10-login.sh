#!/bin/bash
# Run once, when the database is made: the login of everything but `migrate`. What it may do,
# `thresher migrate --role` says: append to the log and use the tables, change and make nothing.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv password THRESHER_APP_PASSWORD
CREATE ROLE thresher_app LOGIN PASSWORD :'password';
SQL
