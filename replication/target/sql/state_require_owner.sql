-- Not FOR SHARE: chunks follow each other without a gap, and a heartbeat would never get through.
SELECT FROM :"schema".stream
WHERE id = 1 AND owner_epoch = :'owner_epoch' AND owner_id = :'owner_id'
FOR KEY SHARE
