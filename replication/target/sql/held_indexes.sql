-- Secondary indexes, unique and exclusion constraints, with what drops them and what puts them back (P5). One
-- row is an index with those of the partitions that are attached to it, at any depth.
-- $1 oid[]: tables, their partitions are meant too; $2 text[]: indexes to leave alone; $3 oid: only this
-- index, 0 for all.
-- What this role could not put back is not listed, nor are invalid indexes. Definitions are printed
-- relative to search_path, DateStyle and others: HeldConstraints sets them.
WITH RECURSIVE
tables (relid) AS (
  SELECT oid FROM pg_class WHERE oid = ANY ($1::oid[])
  UNION
  SELECT i.inhrelid
  FROM tables t
  JOIN pg_inherits i ON i.inhparent = t.relid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
),
tree (root, node, parent, depth) AS (
  SELECT i.indexrelid, i.indexrelid, 0::oid, 0
  FROM tables t
  JOIN pg_index i ON i.indrelid = t.relid
  WHERE NOT EXISTS (SELECT FROM pg_inherits p WHERE p.inhrelid = i.indexrelid)
  UNION ALL
  SELECT t.root, p.inhrelid, t.node, t.depth + 1
  FROM tree t
  JOIN pg_inherits p ON p.inhparent = t.node
),
part AS (
  SELECT t.root, t.node, t.parent, t.depth,
         i.indrelid, i.indisunique, i.indisexclusion, i.indisreplident, i.indisclustered,
         x.relname,
         format('%I.%I', n.nspname, x.relname) AS index_name,
         format('%I.%I', n.nspname, c.relname) AS table_name,
         con.oid AS constraint_oid, con.conname, con.contype,
         concat(CASE WHEN con.condeferrable THEN ' DEFERRABLE' END,
                CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' END) AS deferral,
         pg_get_constraintdef(con.oid) AS constraint_def,
         -- An exclusion constraint's definition has its storage parameters in it, a unique one's has not.
         (SELECT format(' WITH (%s)', string_agg(quote_ident(option_name) || '=' || quote_literal(option_value),
                                                 ', '))
          FROM pg_options_to_table(x.reloptions)
          WHERE con.contype = 'u'
          HAVING count(*) > 0) AS parameters,
         s.spcname,
         -- The primary key stays, and so does what this role could not make again. An index that
         -- depends on an extension has more to it than its definition. A partition that is a foreign
         -- table has no index, so an index put together from the parts would never become valid.
         i.indisvalid AND NOT i.indisprimary
           AND pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
           AND (s.oid IS NULL OR has_tablespace_privilege(s.oid, 'CREATE'))
           AND NOT EXISTS (SELECT FROM pg_depend d
                           WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                             AND d.deptype IN ('x', 'e'))
           AND NOT EXISTS (SELECT FROM pg_inherits p
                           JOIN pg_class f ON f.oid = p.inhrelid AND f.relkind = 'f'
                           WHERE p.inhparent = i.indrelid AND c.relkind = 'p') AS movable
  FROM tree t
  JOIN pg_index i ON i.indexrelid = t.node
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_tablespace s ON s.oid = x.reltablespace
  LEFT JOIN pg_constraint con
    ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('p', 'u', 'x')
),
statement AS (
  SELECT part.*,
         format(E'SET LOCAL default_tablespace = %L;\n', coalesce(spcname, ''))
           || CASE
                WHEN constraint_oid IS NULL THEN pg_get_indexdef(node)
                ELSE format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s%s%s', table_name, conname,
                            left(constraint_def, length(constraint_def) - length(deferral)),
                            parameters, deferral)
              END || E';\n' AS create_sql,
         format(E'ALTER INDEX %s ATTACH PARTITION %s;\n',
                (SELECT p.index_name FROM part p WHERE p.node = part.parent), index_name) AS attach_sql,
         concat('COMMENT ON CONSTRAINT ' || quote_ident(conname) || ' ON ' || table_name || ' IS '
                  || quote_literal(obj_description(constraint_oid, 'pg_constraint')) || E';\n',
                'COMMENT ON INDEX ' || index_name || ' IS '
                  || quote_literal(obj_description(node, 'pg_class')) || E';\n',
                (SELECT string_agg(format(E'ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s;\n',
                                          index_name, a.attnum, a.attstattarget), '' ORDER BY a.attnum)
                 FROM pg_attribute a
                 WHERE a.attrelid = node AND a.attstattarget >= 0),
                CASE WHEN indisclustered
                     THEN format(E'ALTER TABLE ONLY %s CLUSTER ON %I;\n', table_name, relname) END,
                CASE WHEN indisreplident
                     THEN format(E'ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %I;\n', table_name,
                                 relname) END) AS finish_sql,
         -- Without any replica identity a published table would refuse UPDATE and DELETE.
         CASE WHEN indisreplident
              THEN format(E'ALTER TABLE ONLY %s REPLICA IDENTITY FULL;\n', table_name) ELSE '' END
           AS identity_sql
  FROM part
),
unit AS (
  SELECT root,
         string_agg(identity_sql, '') AS identity_sql,
         string_agg(create_sql, '' ORDER BY depth DESC, index_name)
           || coalesce(string_agg(attach_sql, '' ORDER BY depth DESC, index_name)
                       FILTER (WHERE depth > 0), '')
           || string_agg(finish_sql, '' ORDER BY depth DESC, index_name) AS restore_sql
  FROM statement
  GROUP BY root
  HAVING bool_and(movable) AND NOT bool_or(relname = ANY ($2::text[])) AND ($3::oid = 0 OR root = $3::oid)
),
-- The keys that occur more than once: what a unique index would refuse.
key_column AS (
  SELECT u.root, k.no, format('(%s)', pg_get_indexdef(u.root, k.no, false)) AS key
  FROM unit u
  JOIN pg_index i ON i.indexrelid = u.root AND i.indisunique AND NOT i.indisexclusion
  CROSS JOIN LATERAL generate_series(1, i.indnkeyatts::int) AS k (no)
),
duplicates AS (
  SELECT k.root,
         format('SELECT %s, count(*) FROM %s WHERE %s%s GROUP BY %s HAVING count(*) > 1',
                string_agg(k.key, ', ' ORDER BY k.no),
                (SELECT CASE WHEN c.relkind = 'r' THEN 'ONLY ' ELSE '' END || p.table_name
                 FROM part p JOIN pg_class c ON c.oid = p.indrelid
                 WHERE p.node = k.root),
                CASE WHEN coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) THEN 'true'
                     ELSE string_agg(k.key || ' IS NOT NULL', ' AND ' ORDER BY k.no) END,
                coalesce(' AND (' || pg_get_expr(i.indpred, i.indrelid) || ')', ''),
                string_agg(k.no::text, ', ' ORDER BY k.no)) AS query
  FROM key_column k
  JOIN pg_index i ON i.indexrelid = k.root
  GROUP BY k.root, i.*, i.indpred, i.indrelid
)
SELECT CASE WHEN p.indisexclusion AND p.contype = 'x' THEN 'exclusion constraint'
            WHEN p.indisunique THEN 'unique key'
            ELSE 'index' END,
       p.indrelid,
       p.table_name,
       p.relname,
       u.identity_sql || CASE WHEN p.constraint_oid IS NULL THEN format('DROP INDEX %s', p.index_name)
                              ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', p.table_name, p.conname)
                         END,
       coalesce('-- rows in its way: ' || CASE WHEN strpos(d.query, E'\n') = 0 THEN d.query END || E'\n', '')
         || u.restore_sql
FROM unit u
JOIN part p ON p.node = u.root
LEFT JOIN duplicates d ON d.root = u.root
ORDER BY p.table_name, p.relname
