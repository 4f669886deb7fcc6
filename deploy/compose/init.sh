#!/bin/sh
# The role of the application: it owns its database, and nothing else. That is all liteferry needs.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$NOTES_PASSWORD" <<'SQL'
CREATE ROLE notes LOGIN PASSWORD :'password';
CREATE DATABASE notes OWNER notes;
SQL
