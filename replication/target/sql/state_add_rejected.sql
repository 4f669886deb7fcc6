-- One array per column. A row that is rejected again keeps the time when that began.
INSERT INTO :"schema".rejected_row
  (table_no, table_name, row_key, row_key_digest, column_name, storage_class, reason, sqlstate)
SELECT r.table_no, r.table_name, r.row_key, sha256(convert_to(r.row_key, 'UTF8')),
       r.column_name, r.storage_class, r.reason, r.sqlstate
FROM unnest(:'table_no'::bigint[], :'table_name'::text[], :'row_key'::text[], :'column_name'::text[],
            :'storage_class'::text[], :'reason'::text[], :'sqlstate'::text[])
  AS r (table_no, table_name, row_key, column_name, storage_class, reason, sqlstate)
ON CONFLICT (table_no, row_key_digest) DO UPDATE
SET table_name = excluded.table_name,
    column_name = excluded.column_name,
    storage_class = excluded.storage_class,
    reason = excluded.reason,
    sqlstate = excluded.sqlstate,
    last_seen = excluded.last_seen,
    attempts = rejected_row.attempts + 1
