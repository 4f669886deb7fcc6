"""What the tests need to know of a SQLite database's schema, read without the product's code."""
import dataclasses
import re
import sqlite3

NEVER_REPLICATED = re.compile(r"^(sqlite_|_liteferry_|_litestream_)", re.I)


def quote(name):
    return '"' + name.replace('"', '""') + '"'


class Text(bytes):
    """TEXT that is not UTF-8: told apart from a BLOB, which is plain bytes."""

    @staticmethod
    def read(raw):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return Text(raw)


def connect(path, timeout=30.0, readonly=False, **kwargs):
    """An autocommit connection that returns TEXT as str, or as Text where it is not UTF-8."""
    uri = "file:" + str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = sqlite3.connect(uri + ("?mode=ro" if readonly else ""), uri=True, timeout=timeout,
                                 isolation_level=None, **kwargs)
    connection.text_factory = Text.read
    return connection


@dataclasses.dataclass
class Column:
    name: str
    type: str
    not_null: bool
    pk: int  # place in the primary key, from 1; 0 for none
    generated: bool


@dataclasses.dataclass
class ForeignKey:
    columns: list
    parent: str
    parent_columns: list
    on_delete: str
    on_update: str


@dataclasses.dataclass
class Table:
    name: str
    columns: list
    without_rowid: bool
    autoincrement: bool
    unique: list  # lists of column names; without partial and expression indexes
    foreign_keys: list

    @property
    def key(self):
        return [c.name for c in sorted((c for c in self.columns if c.pk), key=lambda c: c.pk)]

    @property
    def rowid_alias(self):
        """The column that is the rowid itself, if there is one."""
        key = [c for c in self.columns if c.pk]
        if not self.without_rowid and len(key) == 1 and key[0].type.upper() == "INTEGER":
            return key[0].name
        return None

    @property
    def quoted(self):
        return quote(self.name)


def tables(connection):
    """Every ordinary table, without virtual tables, their shadows, and what is never replicated."""
    found = []
    for row in connection.execute("PRAGMA main.table_list").fetchall():
        _, name, kind, _, without_rowid = row[:5]
        if kind == "table" and not NEVER_REPLICATED.match(name):
            found.append(_table(connection, name, bool(without_rowid)))
    return sorted(found, key=lambda t: t.name)


def _table(connection, name, without_rowid):
    columns = [Column(r[1], r[2] or "", bool(r[3]), r[5], r[6] in (2, 3))
               for r in connection.execute(f"PRAGMA main.table_xinfo({quote(name)})") if r[6] != 1]
    sql = connection.execute("SELECT sql FROM sqlite_master WHERE type='table' AND name=?",
                             (name,)).fetchone()[0] or ""
    unique = []
    for _, index, is_unique, origin, partial in connection.execute(
            f"PRAGMA main.index_list({quote(name)})").fetchall():
        if is_unique and not partial and origin != "pk":
            parts = [r[2] for r in connection.execute(f"PRAGMA main.index_xinfo({quote(index)})")
                     if r[5]]
            if all(part is not None for part in parts):
                unique.append(parts)
    keys = {}
    for r in connection.execute(f"PRAGMA main.foreign_key_list({quote(name)})").fetchall():
        key = keys.setdefault(r[0], ForeignKey([], r[2], [], r[6], r[5]))
        key.columns.append(r[3])
        key.parent_columns.append(r[4])
    return Table(name, columns, without_rowid, bool(re.search(r"\bAUTOINCREMENT\b", sql, re.I)),
                 unique, [keys[k] for k in sorted(keys)])
