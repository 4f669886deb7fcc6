UPDATE :"schema".stream
SET system_identifier = :'system_identifier', timeline = :'timeline'
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
