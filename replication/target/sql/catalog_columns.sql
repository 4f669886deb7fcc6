-- Columns of a schema's tables, in order. Domains are followed down to the type that they are made of; on the
-- way the first type modifier counts, and any NOT NULL.
-- $1 text: schema.
WITH RECURSIVE
attribute AS (
  SELECT a.*
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped
),
layer (declared, depth, oid, typmod, not_null) AS (
  SELECT DISTINCT atttypid, 0, atttypid, -1, false FROM attribute
  UNION ALL
  SELECT l.declared, l.depth + 1, t.typbasetype,
         CASE WHEN l.typmod <> -1 THEN l.typmod ELSE t.typtypmod END,
         l.not_null OR t.typnotnull
  FROM layer l
  JOIN pg_type t ON t.oid = l.oid AND t.typtype = 'd'
),
base AS (
  SELECT DISTINCT ON (declared) declared, oid, typmod, not_null FROM layer ORDER BY declared, depth DESC
)
SELECT a.attrelid,
       a.attname,
       format_type(a.atttypid, a.atttypmod),
       t.oid,
       modifier.value,
       -- format_type() qualifies what is not in search_path; that may be another one when it is used.
       CASE WHEN tn.nspname <> 'pg_catalog' AND pg_type_is_visible(t.oid)
            THEN quote_ident(tn.nspname) || '.' ELSE '' END || format_type(t.oid, modifier.value),
       t.typtype,
       t.typname,
       a.attnotnull OR base.not_null,
       (a.atthasdef AND a.attgenerated = '') OR declared.typdefault IS NOT NULL,
       a.attgenerated <> '',
       a.attidentity,
       element.oid,
       element.typtype,
       element.typname,
       element.typdelim,
       coalesce(NOT coll.collisdeterministic, false)
FROM attribute a
JOIN base ON base.declared = a.atttypid
JOIN pg_type declared ON declared.oid = a.atttypid
JOIN pg_type t ON t.oid = base.oid
-- A true array; name and point, for example, have subscripts too.
LEFT JOIN pg_type element ON element.oid = t.typelem AND element.typarray = t.oid
LEFT JOIN pg_collation coll ON coll.oid = a.attcollation
JOIN pg_namespace tn ON tn.oid = t.typnamespace
CROSS JOIN LATERAL
  (SELECT CASE WHEN a.atttypmod <> -1 THEN a.atttypmod ELSE base.typmod END) AS modifier (value)
ORDER BY a.attrelid, a.attnum
