-- What a constraint looks at: the condition that a row must meet ('' for unique), and for each column its place
-- in a list, the array type of that list's type, and the name that it has in the condition. Fewer rows than
-- `wanted` where it cannot be judged by the columns of the list alone.
-- $1 text: schema, $2 text: table, $3 text: the constraint or unique index, of the table, of one of its
-- partitions or of the domain of column $6, $4 text[], $5 oid[]: columns and their types, domains resolved.
WITH RECURSIVE tables (relid, root) AS (
  SELECT c.oid, true FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $2 AND n.nspname = $1
  UNION ALL
  SELECT i.inhrelid, false FROM tables t JOIN pg_inherits i ON i.inhparent = t.relid
),
domains (relid, attname, typid) AS (
  SELECT a.attrelid, a.attname, a.atttypid
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.relid AND t.root AND a.attname = $6
  UNION ALL
  SELECT d.relid, d.attname, ty.typbasetype FROM domains d JOIN pg_type ty ON ty.oid = d.typid AND ty.typtype = 'd'
),
found (relid, condition, attname, alias, wanted, place) AS (
  -- Only where equal in the columns means equal for the index.
  SELECT i.indrelid, '', a.attname, 'k' || k.place, i.indnkeyatts::int, k.place
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid AND x.relname = $3
  JOIN tables t ON t.relid = i.indrelid
  CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1]::smallint[],
                            i.indcollation[0:i.indnkeyatts - 1]::oid[], i.indclass[0:i.indnkeyatts - 1]::oid[])
    WITH ORDINALITY AS k (number, collation_oid, opclass, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attcollation = k.collation_oid
  JOIN pg_opclass o ON o.oid = k.opclass AND o.opcdefault
  WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  UNION ALL
  SELECT con.conrelid, pg_get_expr(con.conbin, con.conrelid), a.attname, quote_ident(a.attname),
         cardinality(con.conkey), k.place
  FROM tables t
  JOIN pg_constraint con ON con.conrelid = t.relid AND t.root AND con.contype = 'c' AND con.conname = $3
  CROSS JOIN LATERAL unnest(con.conkey) WITH ORDINALITY AS k (number, place)
  JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.number AND a.attnum > 0
  UNION ALL
  SELECT d.relid, pg_get_expr(con.conbin, 0), d.attname, 'value', 1, 1
  FROM domains d
  JOIN pg_constraint con ON con.contypid = d.typid AND con.contype = 'c' AND con.conname = $3
)
SELECT f.condition, f.wanted, array_position($4::text[], f.attname::text) - 1, ty.typarray::bigint, f.alias
FROM found f
JOIN pg_type ty ON ty.oid = ($5::oid[])[array_position($4::text[], f.attname::text)] AND ty.typarray <> 0
WHERE f.relid = (SELECT min(relid) FROM found) AND f.condition IS NOT NULL
ORDER BY f.condition, f.place
