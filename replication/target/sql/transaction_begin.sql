-- Every transaction that writes begins so; each statement ends its line. The settings end with it: a pooler's
-- next client must not inherit them, and none of the role's own defaults may break a batch or change how a text
-- is read.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT set_config('statement_timeout', '0', true),  -- the client has its own deadline
       set_config('idle_in_transaction_session_timeout', '600000', true),
       -- A client that vanished without a word holds its locks for a minute, not for two hours.
       set_config('tcp_keepalives_idle', '30', true),
       set_config('tcp_keepalives_interval', '10', true),
       set_config('tcp_keepalives_count', '3', true),
       set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO, YMD', true),
       set_config('intervalstyle', 'postgres', true),
       set_config('lc_monetary', 'C', true),
       set_config('array_nulls', 'on', true);
-- Whoever waits for a lock holds up those who come after it; a role that is to wait less does so.
SELECT set_config('lock_timeout', '30s', true)
WHERE current_setting('lock_timeout')::interval NOT BETWEEN '1 ms' AND '30 s';
-- A deferred constraint would let a bad row pass until COMMIT, where nobody can tell which one it was.
SET CONSTRAINTS ALL IMMEDIATE;
