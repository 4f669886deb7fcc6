-- Sequences of identity and serial columns, each with the query that tells whether it is behind: the largest
-- value of the column, and the last one that the sequence gave (NULL: none yet).
-- $1 oid[]: tables.
SELECT format('%I.%I', n.nspname, c.relname), a.attname, format('%I.%I', sn.nspname, s.relname),
       format('SELECT (SELECT max(%I) FROM %I.%I), (SELECT CASE WHEN is_called THEN last_value END FROM %I.%I)',
              a.attname, n.nspname, c.relname, sn.nspname, s.relname)
FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid AND q.seqincrement > 0
JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND d.refobjid = ANY ($1::oid[])
ORDER BY 1, 2
