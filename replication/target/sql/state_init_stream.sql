-- Sequence numbers of another source mean nothing, so the history starts anew.
DELETE FROM :"schema".history;
INSERT INTO :"schema".stream
  (incarnation, phase, applied_seq, applied_mark, consistent, paused, owner_epoch, owner_id,
   owner_backend, owner_backend_start, owner_seen_at, in_sync_at_ms, system_identifier, timeline)
VALUES
  (:'incarnation', :'phase', :'applied_seq', :'applied_mark', :'consistent', :'paused',
   :'owner_epoch', :'owner_id', :'owner_backend',
   (SELECT backend_start FROM pg_stat_activity WHERE pid = :'owner_backend'),
   clock_timestamp(), :'in_sync_at_ms', :'system_identifier', :'timeline')
ON CONFLICT (id) DO NOTHING;
