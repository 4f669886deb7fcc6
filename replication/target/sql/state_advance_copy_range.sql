UPDATE :"schema".copy_range
SET after = :'after', done = :'done', rows = :'rows'
WHERE table_no = :'table_no' AND range_no = :'range_no'
