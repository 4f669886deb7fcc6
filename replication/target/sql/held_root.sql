-- The index that an index of a table or of one of its partitions belongs to, and that one's table.
-- $1 oid: table; $2 text: name of the index.
WITH RECURSIVE
tables (relid) AS (
  SELECT $1::oid
  UNION
  SELECT i.inhrelid
  FROM tables t
  JOIN pg_inherits i ON i.inhparent = t.relid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
),
up (oid) AS (
  SELECT x.oid
  FROM tables t
  JOIN pg_index i ON i.indrelid = t.relid
  JOIN pg_class x ON x.oid = i.indexrelid
  WHERE x.relname = $2
  UNION
  SELECT p.inhparent
  FROM up
  JOIN pg_inherits p ON p.inhrelid = up.oid
)
SELECT i.indexrelid, i.indrelid
FROM up
JOIN pg_index i ON i.indexrelid = up.oid
WHERE NOT EXISTS (SELECT FROM pg_inherits p WHERE p.inhrelid = up.oid)
ORDER BY i.indrelid = $1::oid DESC
LIMIT 1
