UPDATE :"schema".stream
SET consistent = :'consistent'
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
