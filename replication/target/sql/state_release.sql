UPDATE :"schema".stream
SET owner_id = '', owner_backend = 0
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
