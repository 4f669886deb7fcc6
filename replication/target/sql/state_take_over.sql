-- A row that is locked belongs to somebody who is at work: a batch of the owner, or one that a lost connection has
-- left behind and the server is about to end. FOR UPDATE also meets the key-share locks of copying workers.
WITH held AS (
  SELECT s.id,
         s.owner_id,
         clock_timestamp() - s.owner_seen_at >= :'lease'::bigint * interval '1 millisecond' AS silent,
         EXISTS (SELECT FROM pg_stat_activity AS a
                 WHERE a.pid = s.owner_backend AND a.backend_start = s.owner_backend_start)
           AS connected,
         -- Another role's backend shows no start time; then the lease decides.
         s.owner_backend <> 0
           AND NOT EXISTS (SELECT FROM pg_stat_activity AS a
                           WHERE a.pid = s.owner_backend
                             AND coalesce(a.backend_start = s.owner_backend_start, true)) AS gone
  FROM :"schema".stream AS s
  WHERE s.id = 1
  FOR UPDATE OF s SKIP LOCKED
)
UPDATE :"schema".stream AS s
SET owner_epoch = s.owner_epoch + 1,
    owner_id = :'owner_id',
    owner_backend = CASE WHEN :'pooled' THEN 0 ELSE pg_backend_pid() END,
    owner_backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),
    owner_seen_at = clock_timestamp()
FROM held
WHERE s.id = held.id
  AND (held.owner_id IN ('', :'owner_id') OR held.gone OR (held.silent AND NOT held.connected))
RETURNING s.owner_epoch
