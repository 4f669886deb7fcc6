-- Which cluster this is, and on which timeline. The timeline of the control file lags behind a failover until
-- the next checkpoint, so it is read from the name of the WAL file being written; a standby writes none (0).
SELECT (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END
