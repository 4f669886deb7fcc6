-- Which cluster this is, and on which timeline. The timeline of the control file lags behind a failover until
-- the next checkpoint, so it is read from the name of the WAL file being written.
SELECT (SELECT system_identifier FROM pg_control_system()),
       ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint
