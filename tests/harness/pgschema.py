"""A plain PostgreSQL schema for any SQLite database: the same names, types after the declared ones."""
import re

from harness import sqlite_catalog
from harness.sqlite_catalog import quote


def pg_type(declared):
    """What a person would choose for a declared type."""
    text = declared.upper().strip()
    match = re.search(r"\((\d+)\s*(?:,\s*(\d+))?\)", text)
    size = match.groups() if match else (None, None)
    name = re.sub(r"\(.*?\)", "", text).strip()
    if name == "":
        return "text"
    if "BOOL" in name:
        return "boolean"
    if "INT" in name:
        return "integer" if name in ("INT", "TINYINT", "SMALLINT", "MEDIUMINT") else "bigint"
    if "CHAR" in name:
        return f"character varying({size[0]})" if size[0] else "character varying"
    if "CLOB" in name or "TEXT" in name:
        return "text"
    if "BLOB" in name or "BINARY" in name:
        return "bytea"
    if any(word in name for word in ("REAL", "FLOA", "DOUB")):
        return "double precision"
    if "TIMESTAMPTZ" in name:
        return "timestamp with time zone"
    if "DATETIME" in name or "TIMESTAMP" in name:
        return "timestamp without time zone"
    for word, type_name in (("DATE", "date"), ("TIME", "time without time zone"), ("JSONB", "jsonb"),
                            ("JSON", "json"), ("UUID", "uuid")):
        if word in name:
            return type_name
    if size[0]:
        return f"numeric({size[0]},{size[1] or 0})"
    return "numeric"


def _names(columns):
    return ", ".join(quote(c) for c in columns)


def _create_table(table):
    lines = []
    for column in table.columns:
        line = f"{quote(column.name)} {pg_type(column.type)}"
        if column.not_null or column.pk:
            line += " NOT NULL"
        if table.autoincrement and column.pk:
            line += " GENERATED ALWAYS AS IDENTITY"
        lines.append(line)
    if table.key:
        lines.append(f"PRIMARY KEY ({_names(table.key)})")
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {quote(table.name)} (\n  {body}\n);"


def _foreign_key(table, key, tables):
    parent = tables.get(key.parent.lower())
    if parent is None:
        return None
    target = [c for c in key.parent_columns if c is not None] or parent.key
    candidates = [sorted(u) for u in [parent.key, *parent.unique]]
    if sorted(target) not in candidates:
        return None
    return (f"ALTER TABLE {quote(table.name)} ADD FOREIGN KEY ({_names(key.columns)}) "
            f"REFERENCES {quote(parent.name)} ({_names(target)}) "
            f"ON DELETE {key.on_delete} ON UPDATE {key.on_update};")


def schema(connection, foreign_keys=True):
    """The DDL, as one string."""
    found = sqlite_catalog.tables(connection)
    by_name = {t.name.lower(): t for t in found}
    statements = [_create_table(t) for t in found]
    for table in found:
        statements += [f"CREATE UNIQUE INDEX ON {quote(table.name)} ({_names(unique)});"
                       for unique in table.unique]
    if foreign_keys:
        for table in found:
            statements += filter(None, (_foreign_key(table, k, by_name) for k in table.foreign_keys))
    return "\n".join(statements)
