-- Division by zero (22012) unless it hits the one row: then nothing that follows in the transaction runs.
WITH moved AS (
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
  RETURNING id
)
SELECT 1 / count(*) FROM moved
