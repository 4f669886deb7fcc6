SELECT number, name, target, signature, schema_version
FROM :"schema".source_table
ORDER BY number
