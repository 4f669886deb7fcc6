SELECT s.incarnation, s.phase, s.applied_seq, s.applied_mark, s.consistent, s.paused,
       s.owner_epoch, s.owner_id, s.owner_backend,
       floor(extract(epoch FROM clock_timestamp() - s.owner_seen_at) * 1000)::bigint,
       EXISTS (SELECT FROM pg_stat_activity AS a
               WHERE a.pid = s.owner_backend AND a.backend_start = s.owner_backend_start),
       s.in_sync_at_ms, s.system_identifier, s.timeline
FROM :"schema".stream AS s
WHERE s.id = 1
