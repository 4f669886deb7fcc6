INSERT INTO :"schema".source_table (number, name, target, signature, schema_version)
VALUES (:'number', :'name', :'target', :'signature', :'schema_version')
ON CONFLICT (number) DO UPDATE
SET name = excluded.name,
    target = excluded.target,
    signature = excluded.signature,
    schema_version = excluded.schema_version
