UPDATE :"schema".source_table
SET signature = ''
WHERE number = :'number'
