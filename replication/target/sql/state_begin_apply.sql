UPDATE :"schema".stream
SET applied_seq = :'to_seq',
    applied_mark = :'to_mark',
    phase = :'phase',
    consistent = :'consistent',
    owner_seen_at = clock_timestamp()
WHERE id = 1
  AND applied_seq = :'from_seq'
  AND owner_epoch = :'owner_epoch'
  AND owner_id = :'owner_id'
