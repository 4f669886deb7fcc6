-- How far something held is back: table gone, absent, not valid (a foreign key that waits to be
-- validated), present.
-- $1 text: kind; $2 oid: table; $3 text: name.
SELECT CASE
         WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = $2::oid) THEN 'table gone'
         WHEN $1 = 'foreign key'
           THEN coalesce((SELECT CASE WHEN convalidated THEN 'present' ELSE 'not valid' END
                          FROM pg_constraint
                          WHERE conrelid = $2::oid AND conname = $3 AND contype = 'f'), 'absent')
         -- A trigger is disabled or dropped; either way its statements say what it has to become.
         WHEN $1 = 'trigger' THEN 'absent'
         WHEN EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                      WHERE i.indrelid = $2::oid AND x.relname = $3)
           THEN 'present'
         ELSE 'absent'
       END
