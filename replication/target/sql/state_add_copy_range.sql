INSERT INTO :"schema".copy_range (table_no, range_no, after, up_to, done, rows)
VALUES (:'table_no', :'range_no', :'after', :'up_to', :'done', :'rows');
