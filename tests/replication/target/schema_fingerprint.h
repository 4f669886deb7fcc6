#pragma once

#include <string_view>

namespace liteferry::testing {

// What pg_dump does not write, or writes only in part: the names on partitions, who is attached to
// whom, the storage of constraints' indexes.
inline constexpr std::string_view kFingerprint = R"(
SET search_path = '';
WITH fingerprint AS (
  SELECT format('constraint %s %s %s %s of %s: %s', con.conrelid::regclass, con.conname, con.contype, con.convalidated,
                parent.conname, obj_description(con.oid, 'pg_constraint')) || pg_get_constraintdef(con.oid) AS line
  FROM pg_constraint con LEFT JOIN pg_constraint parent ON parent.oid = con.conparentid
  -- A foreign key to a partitioned table has one part per partition; the server names them.
  WHERE con.conrelid <> 0 AND (parent.oid IS NULL OR parent.conrelid <> con.conrelid)
  UNION ALL
  SELECT format('index %s %s %s %s %s in %s of %s: %s ', i.indexrelid::regclass, i.indisvalid, i.indisclustered,
                i.indisreplident, x.reloptions, x.reltablespace, p.inhparent::regclass,
                obj_description(i.indexrelid, 'pg_class'))
         || pg_get_indexdef(i.indexrelid)
         || (SELECT string_agg(attname || coalesce(attstattarget, -1), ', ' ORDER BY attnum)
             FROM pg_attribute WHERE attrelid = i.indexrelid)
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid LEFT JOIN pg_inherits p ON p.inhrelid = i.indexrelid
  WHERE x.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
  UNION ALL
  SELECT format('trigger %s %s %s: %s ', t.tgrelid::regclass, t.tgname, t.tgenabled,
                obj_description(t.oid, 'pg_trigger')) || pg_get_triggerdef(t.oid)
  FROM pg_trigger t LEFT JOIN pg_constraint con ON con.oid = t.tgconstraint
  WHERE con.oid IS NULL OR con.contype = 't'
  UNION ALL
  SELECT format('table %s %s', oid::regclass, relreplident) FROM pg_class WHERE relkind IN ('r', 'p')
)
SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM fingerprint)";

}  // namespace liteferry::testing
