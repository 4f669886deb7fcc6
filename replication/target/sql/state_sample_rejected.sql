-- A few of each table; the order costs nothing and stays the same.
SELECT r.table_no, r.table_name, r.row_key, r.column_name, r.storage_class, r.reason, r.sqlstate
FROM (SELECT DISTINCT table_no FROM :"schema".rejected_row) AS t
CROSS JOIN LATERAL (SELECT * FROM :"schema".rejected_row AS s WHERE s.table_no = t.table_no
                    ORDER BY s.table_no, s.row_key_digest LIMIT :'limit') AS r
ORDER BY r.table_no, r.first_seen, r.row_key
