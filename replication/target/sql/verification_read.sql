-- The latest comparison of everything, and when the latest one without a difference ended.
SELECT v.id, floor(extract(epoch FROM v.finished_at) * 1000)::bigint, v.started_by, v.duration_ms,
       v.tables, v.rows, v.differences, v.rejected, v.waiting, v.complete, v.by_table,
       (SELECT floor(extract(epoch FROM max(finished_at)) * 1000)::bigint
        FROM :"schema".verification WHERE complete AND differences = 0)
FROM :"schema".verification AS v
ORDER BY v.id DESC
LIMIT 1
