SELECT coalesce(max(seq), 0)
FROM :"schema".history
WHERE at < now() - :'age'::bigint * interval '1 millisecond'
