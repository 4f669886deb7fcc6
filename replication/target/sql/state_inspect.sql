-- Whether the schema is there, whether it is ours, and whether it holds anything at all.
SELECT n.oid IS NOT NULL,
       EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'meta')
         AND EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'rejected_row'),
       EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
FROM (VALUES (1)) AS one
LEFT JOIN pg_namespace AS n ON n.nspname = :'schema'
