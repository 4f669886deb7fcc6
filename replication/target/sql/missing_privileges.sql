-- What the current role lacks, one sentence part each.
-- $1 text: schema; $2 text: schema of liteferry's own tables.
WITH
tab AS (
  SELECT c.oid, c.relkind, c.relowner, c.relispartition,
         format('"%s"."%s"', n.nspname, c.relname) AS name,
         pg_has_role(c.relowner, 'USAGE') AS owned
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    -- Tables of extensions (PostGIS has some) are nobody's data.
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
lack (rank, name, line) AS (
  SELECT 1, n.nspname,
         format('may not use schema "%s" (owner "%s")', n.nspname, pg_get_userbyid(n.nspowner))
  FROM pg_namespace n
  WHERE n.nspname = $1 AND NOT has_schema_privilege(n.oid, 'USAGE')
  UNION ALL
  SELECT 2, n.nspname,
         format('may not create in schema "%s" (owner "%s"): indexes could not be put back',
                n.nspname, pg_get_userbyid(n.nspowner))
  FROM pg_namespace n
  WHERE n.nspname = $1 AND NOT has_schema_privilege(n.oid, 'CREATE')
  UNION ALL
  SELECT 3, tab.name,
         format('does not own table %s (owner "%s"): ALTER TABLE needs it', tab.name,
                pg_get_userbyid(tab.relowner))
  FROM tab
  WHERE NOT owned
  UNION ALL
  SELECT 4, tab.name, format('is subject to row security on table %s', tab.name)
  FROM tab
  WHERE row_security_active(tab.oid)
  UNION ALL
  SELECT 5, con.conname::text,
         format('does not own table "%s"."%s" (owner "%s"), whose foreign key "%s" refers to %s',
                n.nspname, c.relname, pg_get_userbyid(c.relowner), con.conname, tab.name)
  FROM tab
  JOIN pg_constraint con ON con.confrelid = tab.oid AND con.contype = 'f' AND con.conparentid = 0
  JOIN pg_class c ON c.oid = con.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname <> $1 AND NOT pg_has_role(c.relowner, 'USAGE')
  UNION ALL
  SELECT 6, con.conname::text,
         format('has no REFERENCES privilege on table "%s"."%s", which foreign key "%s" of %s refers to',
                n.nspname, c.relname, con.conname, tab.name)
  FROM tab
  JOIN pg_constraint con ON con.conrelid = tab.oid AND con.contype = 'f' AND con.conparentid = 0
  JOIN pg_class c ON c.oid = con.confrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE tab.owned
    AND NOT (SELECT bool_and(has_column_privilege(c.oid, k, 'REFERENCES')) FROM unnest(con.confkey) AS k)
  UNION ALL
  SELECT 7, x.relname::text,
         format('may not create in tablespace "%s", where index "%s" of %s is', s.spcname, x.relname, tab.name)
  FROM tab
  JOIN pg_index i ON i.indrelid = tab.oid AND NOT i.indisprimary
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_tablespace s ON s.oid = x.reltablespace
  WHERE tab.owned AND NOT has_tablespace_privilege(s.oid, 'CREATE')
  UNION ALL
  SELECT 8, $2::text, format('may not create schema "%s" in database "%s"', $2::text, current_database())
  WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $2::text)
    AND NOT has_database_privilege(current_database(), 'CREATE')
  UNION ALL
  SELECT 9, n.nspname,
         format('does not own schema "%s" (owner "%s")', n.nspname, pg_get_userbyid(n.nspowner))
  FROM pg_namespace n
  WHERE n.nspname = $2::text AND NOT pg_has_role(n.nspowner, 'USAGE')
)
SELECT format('role "%s" %s', current_user, line) FROM lack ORDER BY rank, name COLLATE "C", line
