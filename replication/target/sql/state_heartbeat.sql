UPDATE :"schema".stream
SET owner_seen_at = clock_timestamp(),
    in_sync_at_ms = coalesce(nullif(:'in_sync_at_ms', 0::bigint), in_sync_at_ms)
WHERE id = 1
  AND owner_epoch = :'owner_epoch'
  AND owner_id = :'owner_id'
