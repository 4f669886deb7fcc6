SELECT table_no, max(table_name), count(*)
FROM :"schema".rejected_row
GROUP BY table_no
ORDER BY table_no
