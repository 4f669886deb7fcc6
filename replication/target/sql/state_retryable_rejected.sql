-- unique_violation, exclusion_violation, foreign_key_violation: another row's change may have cured them.
SELECT row_key
FROM :"schema".rejected_row
WHERE table_no = :'table_no' AND sqlstate IN ('23505', '23P01', '23503')
ORDER BY last_seen, row_key
LIMIT :'limit'
