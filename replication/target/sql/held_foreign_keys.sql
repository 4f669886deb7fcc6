-- Foreign keys on the tables and those of any table that refer to them, with what drops them and what
-- puts them back (P5). That of a partitioned table stands for those of its partitions.
-- $1 oid[]: tables, their partitions are meant too; $2 oid: only those that need this unique index, 0 for
-- all.
-- What this role could not put back is not listed. Definitions are printed relative to search_path.
WITH RECURSIVE
tables (relid) AS (
  SELECT oid FROM pg_class WHERE oid = ANY ($1::oid[])
  UNION
  SELECT i.inhrelid
  FROM tables t
  JOIN pg_inherits i ON i.inhparent = t.relid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
),
fk AS (
  SELECT con.*,
         format('%I.%I', n.nspname, c.relname) AS table_name,
         c.relkind,
         (SELECT format('%I.%I', pn.nspname, p.relname)
          FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace
          WHERE p.oid = con.confrelid) AS parent_name,
         pg_get_constraintdef(con.oid) AS def
  FROM pg_constraint con
  JOIN pg_class c ON c.oid = con.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE con.contype = 'f' AND con.conparentid = 0
    AND (con.conrelid IN (SELECT relid FROM tables) OR con.confrelid IN (SELECT relid FROM tables))
    AND ($2::oid = 0 OR con.conindid = $2::oid)
    AND pg_has_role(c.relowner, 'USAGE')
    AND (SELECT bool_and(has_column_privilege(con.confrelid, k, 'REFERENCES')) FROM unnest(con.confkey) AS k)
),
-- The same foreign key on partitions, where its name is another than that of its parent.
part (root, oid, conrelid, conname, depth, renamed) AS (
  SELECT oid, oid, conrelid, conname, 0, false FROM fk
  UNION ALL
  SELECT p.root, con.oid, con.conrelid, con.conname, p.depth + 1, con.conname <> p.conname
  FROM part p
  JOIN pg_constraint con ON con.conparentid = p.oid AND con.contype = 'f'
  -- A foreign key to a partitioned table has parts too, one per partition there: those are the server's.
  JOIN pg_inherits i ON i.inhrelid = con.conrelid AND i.inhparent = p.conrelid
),
renamed AS (
  -- Made first, they are taken over when the parent's is made.
  SELECT p.root,
         string_agg(format(E'ALTER TABLE %I.%I ADD CONSTRAINT %I %s;\n', n.nspname, c.relname, p.conname,
                           pg_get_constraintdef(p.oid)), '' ORDER BY p.depth DESC, c.relname) AS sql
  FROM part p
  JOIN pg_class c ON c.oid = p.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE p.renamed
  GROUP BY p.root
),
-- The rows that refer to none.
orphans AS (
  SELECT fk.oid,
         format('SELECT child.* FROM %s%s AS child WHERE (%s)'
                  ' AND NOT EXISTS (SELECT FROM %s AS parent WHERE %s)',
                CASE WHEN fk.relkind = 'r' THEN 'ONLY ' ELSE '' END, fk.table_name,
                string_agg(format('child.%I IS NOT NULL', c.attname),
                           CASE fk.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END ORDER BY k.no),
                fk.parent_name,
                string_agg(format('parent.%I OPERATOR(%I.%s) child.%I', p.attname, opn.nspname, op.oprname,
                                  c.attname), ' AND ' ORDER BY k.no)) AS query
  FROM fk
  CROSS JOIN LATERAL unnest(fk.conkey, fk.confkey, fk.conpfeqop) WITH ORDINALITY
    AS k (child_no, parent_no, operator, no)
  JOIN pg_attribute c ON c.attrelid = fk.conrelid AND c.attnum = k.child_no
  JOIN pg_attribute p ON p.attrelid = fk.confrelid AND p.attnum = k.parent_no
  JOIN pg_operator op ON op.oid = k.operator
  JOIN pg_namespace opn ON opn.oid = op.oprnamespace
  WHERE coalesce(to_jsonb(fk)->>'conperiod', 'false') = 'false'
  GROUP BY fk.oid, fk.relkind, fk.table_name, fk.confmatchtype, fk.parent_name
),
steps AS (
  -- Added without looking at the rows, then validated: two short locks instead of a long one. Partitioned
  -- tables know that since 18.
  SELECT fk.oid,
         fk.convalidated AND renamed.sql IS NULL
           AND (fk.relkind = 'r' OR current_setting('server_version_num')::int >= 180000) AS two,
         concat(renamed.sql) AS renamed_sql,
         CASE WHEN fk.relkind = 'r' THEN 'ONLY ' ELSE '' END AS only_word
  FROM fk
  LEFT JOIN renamed ON renamed.root = fk.oid
)
SELECT 'foreign key',
       fk.conrelid,
       fk.table_name,
       fk.conname,
       format('ALTER TABLE %s DROP CONSTRAINT %I', fk.table_name, fk.conname),
       concat('-- rows in its way: ' || CASE WHEN strpos(o.query, E'\n') = 0 THEN o.query END || E'\n',
              s.renamed_sql,
              format(E'ALTER TABLE %s%s ADD CONSTRAINT %I %s%s;\n', s.only_word, fk.table_name, fk.conname,
                     fk.def, CASE WHEN s.two THEN ' NOT VALID' END),
              'COMMENT ON CONSTRAINT ' || quote_ident(fk.conname) || ' ON ' || fk.table_name || ' IS '
                || quote_literal(obj_description(fk.oid, 'pg_constraint')) || E';\n',
              CASE WHEN s.two
                   THEN format(E'ALTER TABLE %s VALIDATE CONSTRAINT %I;\n', fk.table_name, fk.conname)
              END)
FROM fk
JOIN steps s ON s.oid = fk.oid
LEFT JOIN orphans o ON o.oid = fk.oid
-- Parents before their partitions: made after it, a parent's would take over one that a partition has
-- of its own.
ORDER BY (SELECT count(*) FROM pg_partition_ancestors(fk.conrelid)), fk.table_name, fk.conname
