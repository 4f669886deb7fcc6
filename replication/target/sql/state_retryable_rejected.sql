-- unique_violation, exclusion_violation: another row's change may have cured them.
SELECT row_key
FROM :"schema".rejected_row
WHERE table_no = :'table_no' AND sqlstate IN ('23505', '23P01')
ORDER BY last_seen, row_key
LIMIT :'limit'
