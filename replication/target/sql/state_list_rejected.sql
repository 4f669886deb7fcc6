SELECT table_no, table_name, row_key, column_name, storage_class, reason, sqlstate
FROM :"schema".rejected_row
ORDER BY table_no, first_seen, row_key
LIMIT :'limit'
