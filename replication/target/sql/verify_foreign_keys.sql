-- Foreign keys of some tables, each with the query for its rows that refer to none. Those that stand aside are
-- not here: their record has such a query.
-- $1 oid[]: tables.
SELECT format('%I.%I', n.nspname, c.relname), con.conname,
       format('SELECT FROM %s%s AS child WHERE (%s) AND NOT EXISTS (SELECT FROM %s AS parent WHERE %s)',
              CASE WHEN c.relkind = 'r' THEN 'ONLY ' ELSE '' END, format('%I.%I', n.nspname, c.relname),
              string_agg(format('child.%I IS NOT NULL', a.attname),
                         CASE con.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END ORDER BY k.no),
              format('%I.%I', pn.nspname, p.relname),
              string_agg(format('parent.%I OPERATOR(%I.%s) child.%I', b.attname, opn.nspname, op.oprname,
                                a.attname), ' AND ' ORDER BY k.no))
FROM pg_constraint con
JOIN pg_class c ON c.oid = con.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = con.confrelid
JOIN pg_namespace pn ON pn.oid = p.relnamespace
CROSS JOIN LATERAL unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY
  AS k (child_no, parent_no, operator, no)
JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.child_no
JOIN pg_attribute b ON b.attrelid = con.confrelid AND b.attnum = k.parent_no
JOIN pg_operator op ON op.oid = k.operator
JOIN pg_namespace opn ON opn.oid = op.oprnamespace
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.conrelid = ANY ($1::oid[])
  AND coalesce(to_jsonb(con)->>'conperiod', 'false') = 'false'
GROUP BY con.oid, con.conname, con.confmatchtype, c.relkind, n.nspname, c.relname, pn.nspname, p.relname
ORDER BY 1, 2
