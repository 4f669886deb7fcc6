UPDATE :"schema".stream
SET phase = :'phase', consistent = :'consistent'
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
