-- Unique indexes of a schema's tables, one row per key column (NULL for an expression), the primary key
-- first.
-- $1 text: schema.
SELECT i.indrelid,
       x.relname,
       i.indisprimary,
       i.indisvalid AND i.indimmediate AND NOT i.indisexclusion
         AND i.indpred IS NULL AND i.indexprs IS NULL,
       a.attname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique
JOIN pg_class x ON x.oid = i.indexrelid
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, no)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND k.no <= i.indnkeyatts
ORDER BY i.indrelid, i.indisprimary DESC, x.relname COLLATE "C", k.no
