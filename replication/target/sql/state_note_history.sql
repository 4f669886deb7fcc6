-- Once a minute, for 90 days: enough to trim the log by age, and small.
WITH added AS (
  INSERT INTO :"schema".history (at, seq)
  SELECT now(), :'seq'::bigint
  WHERE NOT EXISTS (SELECT FROM :"schema".history WHERE at > now() - interval '1 minute')
  ON CONFLICT DO NOTHING
  RETURNING at
)
DELETE FROM :"schema".history
WHERE at < now() - interval '90 days' AND EXISTS (SELECT FROM added)
