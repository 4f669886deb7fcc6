-- Triggers of users that are not disabled, with what stops them and what puts them back into the state they
-- have (P5): one by one, since whether a statement reaches the triggers of partitions depends on the version.
-- $1 oid[]: tables, their partitions are meant too.
WITH RECURSIVE
tables (relid) AS (
  SELECT oid FROM pg_class WHERE oid = ANY ($1::oid[])
  UNION
  SELECT i.inhrelid
  FROM tables t
  JOIN pg_inherits i ON i.inhparent = t.relid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
),
user_trigger AS (
  SELECT t.oid, t.tgrelid, t.tgname, t.tgenabled,
         format('%I.%I', n.nspname, c.relname) AS table_name,
         -- On 12 only a superuser may touch a partition's copy of a trigger: there it is dropped with its
         -- original.
         current_setting('server_version_num')::int < 130000 AND c.relkind = 'p' AND t.tgtype & 1 = 1
           AS drop_it
  FROM pg_trigger t
  JOIN tables ON tables.relid = t.tgrelid
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_constraint con ON con.oid = t.tgconstraint
  WHERE t.tgenabled <> 'D'
    AND pg_has_role(c.relowner, 'USAGE')
    -- Copies on partitions count as internal before 15; what is the server's own belongs to a constraint.
    AND (NOT t.tgisinternal
         OR (current_setting('server_version_num')::int >= 130000
             AND (con.oid IS NULL OR con.contype = 't')))
),
statement AS (
  SELECT user_trigger.*,
         format('ALTER TABLE ONLY %s ', table_name) AS alter_sql,
         CASE tgenabled WHEN 'R' THEN 'ENABLE REPLICA TRIGGER ' WHEN 'A' THEN 'ENABLE ALWAYS TRIGGER '
                        ELSE 'ENABLE TRIGGER ' END || quote_ident(tgname) AS enable_sql
  FROM user_trigger
)
SELECT 'trigger',
       tgrelid,
       table_name,
       tgname,
       CASE WHEN drop_it THEN format('DROP TRIGGER %I ON %s', tgname, table_name)
            ELSE format('%sDISABLE TRIGGER %I', alter_sql, tgname) END,
       CASE WHEN drop_it
            THEN concat(pg_get_triggerdef(oid), E';\n', alter_sql, enable_sql, E';\n',
                        format('COMMENT ON TRIGGER %I ON %s IS ', tgname, table_name)
                          || quote_literal(obj_description(oid, 'pg_trigger')) || E';\n')
            ELSE concat(alter_sql, enable_sql, E';\n') END
FROM statement
ORDER BY table_name, tgname
