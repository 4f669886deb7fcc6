-- What was known by the numbers of before means nothing any more. The update stands last, so that its
-- count tells whether the stream is still ours; if not, the caller's transaction goes back.
DELETE FROM :"schema".history;
DELETE FROM :"schema".source_table;
DELETE FROM :"schema".copy_range;
DELETE FROM :"schema".rejected_row;
UPDATE :"schema".stream
SET incarnation = :'incarnation',
    phase = :'phase',
    applied_seq = :'applied_seq',
    applied_mark = :'applied_mark',
    consistent = false
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
