-- The transactions in which rows are read for a comparison: one snapshot, and settings that make each value
-- print in one way. They end with the transaction. row_security off: rather an error than rows left out.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT set_config('statement_timeout', '0', true),  -- the client has its own deadline
       set_config('idle_in_transaction_session_timeout', '600000', true),
       set_config('tcp_keepalives_idle', '30', true),
       set_config('tcp_keepalives_interval', '10', true),
       set_config('tcp_keepalives_count', '3', true),
       set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO, YMD', true),
       set_config('intervalstyle', 'postgres', true),
       set_config('extra_float_digits', '1', true),
       set_config('bytea_output', 'hex', true),
       set_config('array_nulls', 'on', true),
       set_config('lc_monetary', 'C', true),
       set_config('row_security', 'off', true)
