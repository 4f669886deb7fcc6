SELECT table_no, range_no, after, up_to, done, rows
FROM :"schema".copy_range
ORDER BY table_no, range_no
