DELETE FROM :"schema".rejected_row
WHERE table_no = :'table_no'
  AND row_key_digest IN (SELECT sha256(convert_to(key, 'UTF8')) FROM unnest(:'keys'::text[]) AS key)
