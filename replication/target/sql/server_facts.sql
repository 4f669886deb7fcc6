-- What answers at the other end. Every role may read this, also through a pooler.
SELECT current_database(),
       current_user,
       pg_backend_pid(),
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean
