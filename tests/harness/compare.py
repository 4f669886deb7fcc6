"""Compares a SQLite database with its copy on PostgreSQL, row by row and value by value.

Shares nothing with the program: what a value has to become on PostgreSQL is written down once more in
expected.py. By hand: python3 compare.py --db app.db --dsn 'host=/tmp/x dbname=app user=app'
"""
import argparse
import collections
import dataclasses
import hashlib
import json
import pathlib
import sys

import psycopg2
import psycopg2.extras

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import sqlite_catalog  # noqa: E402
from harness.expected import Unfit, converter  # noqa: E402
from harness.sqlite_catalog import Text, quote  # noqa: E402

_SHOWN = 10


@dataclasses.dataclass
class Report:
    tables: int = 0
    rows: int = 0
    rejected: int = 0
    # Each a list of lines for people; the first three must be empty, or the copy is not equal.
    missing: list = dataclasses.field(default_factory=list)
    extra: list = dataclasses.field(default_factory=list)
    different: list = dataclasses.field(default_factory=list)
    # Rows that were rejected though they look convertible from here.
    doubtful: list = dataclasses.field(default_factory=list)

    @property
    def equal(self):
        return not (self.missing or self.extra or self.different)

    def describe(self):
        text = f"{self.tables} tables, {self.rows} rows, {self.rejected} rejected"
        for name in ("missing", "extra", "different", "doubtful"):
            lines = getattr(self, name)
            if lines:
                text += f"\n{len(lines)} {name}:"
                text += "".join(f"\n  {line}" for line in lines[:_SHOWN])
        return text


@dataclasses.dataclass
class _Column:
    source: str
    target: str
    type: object
    not_null: bool


class _Types:
    """The types of a table's columns on PostgreSQL, domains resolved to what they stand on."""

    SQL = """
        WITH RECURSIVE base AS (
          SELECT a.attrelid, a.attname, a.attnotnull, a.atttypid AS oid, a.atttypmod AS typmod, a.attnum
            FROM pg_attribute a
           WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
          UNION ALL
          SELECT b.attrelid, b.attname, b.attnotnull OR t.typnotnull, t.typbasetype,
                 CASE WHEN t.typtypmod = -1 THEN b.typmod ELSE t.typtypmod END, b.attnum
            FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
        SELECT b.attname, b.attnotnull, t.typname, b.typmod, t.typtype, format_type(b.oid, b.typmod),
               (SELECT array_agg(enumlabel ORDER BY enumsortorder)::text[] FROM pg_enum WHERE enumtypid = t.oid)
          FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd' ORDER BY b.attnum"""

    def __init__(self, connection, schema, table):
        with connection.cursor() as cursor:
            cursor.execute(self.SQL, (f"{quote(schema)}.{quote(table)}",))
            self.rows = {row[0]: row[1:] for row in cursor.fetchall()}


def _pick(name, names):
    """By exact name, else by the only one that is equal but for case."""
    if name in names:
        return name
    folded = [n for n in names if n.lower() == name.lower()]
    return folded[0] if len(folded) == 1 else None


def key_json(values):
    """A row's key as the state tables show it: see KeyToJson's documentation."""
    def one(value):
        if isinstance(value, Text):
            return {"text": value.hex()}
        if isinstance(value, bytes):
            return {"blob": value.hex()}
        if isinstance(value, float):
            return {"real": value}
        return value
    return [one(v) for v in values]


def _comparable_key(parsed):
    """Hashable form of a parsed key; reals by value, since hex floats have several spellings."""
    parts = []
    for part in parsed:
        if isinstance(part, dict):
            (kind, value), = part.items()
            if kind == "real" and isinstance(value, str):
                value = float.fromhex(value)
            parts.append((kind, str(value).lower() if kind != "real" else repr(value)))
        else:
            parts.append((type(part).__name__, part))
    return tuple(parts)


def read_rejected(connection, state_schema="liteferry"):
    """{table: {key: reason}} of <state_schema>.rejected_row; empty where there is none."""
    rejected = collections.defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", (f"{quote(state_schema)}.rejected_row",))
        if cursor.fetchone()[0] is None:
            return rejected
        cursor.execute(f"SELECT to_jsonb(r)::text FROM {quote(state_schema)}.rejected_row r")
        for (text,) in cursor.fetchall():
            row = json.loads(text)
            key = row["row_key"]
            key = json.loads(key) if isinstance(key, str) else key
            rejected[row["table_name"]][_comparable_key(key)] = (
                f"{row.get('column_name') or 'row'}: {row.get('reason')}")
    return rejected


class _Comparison:
    def __init__(self, sqlite, postgres, schema, report):
        self.sqlite, self.postgres, self.schema, self.report = sqlite, postgres, schema, report

    def table(self, table, target, rejected):
        types = _Types(self.postgres, self.schema, target).rows
        columns = []
        for column in table.columns:
            name = _pick(column.name, types)
            if name is None:
                self.report.different.append(f"{table.name}.{column.name}: no such column on PostgreSQL")
                return
            not_null, typname, typmod, typtype, shown, labels = types[name]
            columns.append(_Column(column.name, name,
                                   converter(self.postgres, typname, typmod, typtype, shown, labels),
                                   not_null))
        key = [[c.name for c in table.columns].index(k) for k in table.key]
        self._rows(table, target, columns, key, rejected)
        self.report.tables += 1

    def _source_rows(self, table, columns, key, rejected):
        """(key or None, row, key as shown) of each row that PostgreSQL must hold."""
        names = ", ".join(quote(c.source) for c in columns)
        scan = "" if table.key else ("rowid, ")
        shared_found = set()
        for values in self.sqlite.execute(f"SELECT {scan}{names} FROM {table.quoted}"):
            row_id = None
            if scan:
                row_id, values = values[0], values[1:]
            self.report.rows += 1
            shown_key = key_json([values[i] for i in key] if key else [row_id])
            found = _comparable_key(shown_key)
            # SQLite allows several rows with the same key that holds a NULL; they share a record.
            shared = None in shown_key
            reason = rejected.get(found) if shared else rejected.pop(found, None)
            if shared and reason is not None:
                shared_found.add(found)
            try:
                row = tuple(self._cell(c, v) for c, v in zip(columns, values))
            except Unfit as unfit:
                if reason is None:
                    self.report.different.append(
                        f"{table.name} {shown_key}: {unfit}, yet it was not rejected")
                else:
                    self.report.rejected += 1
                continue
            if reason is not None:
                self.report.rejected += 1
                self.report.doubtful.append(f"{table.name} {shown_key}: {reason}")
                continue
            yield tuple(row[i] for i in key) if key else None, row, shown_key
        for found in shared_found:
            del rejected[found]

    @staticmethod
    def _cell(column, value):
        if value is None:
            if column.not_null:
                raise Unfit(f"{column.source}: NULL")
            return None
        try:
            return column.type.from_sqlite(value)
        except Unfit as unfit:
            raise Unfit(f"{column.source}: {unfit}") from None

    def _target_rows(self, target, columns):
        names = ", ".join(c.type.select(quote(c.target)) for c in columns)
        with self.postgres.cursor(name="compare") as cursor:
            cursor.itersize = 20000
            cursor.execute(f"SELECT {names} FROM {quote(self.schema)}.{quote(target)}")
            for values in cursor:
                yield tuple(None if v is None else c.type.from_postgres(v)
                            for c, v in zip(columns, values))

    def _rows(self, table, target, columns, key, rejected):
        if not key:
            self._multiset(table, target, columns, rejected)
            return
        # Digests only: a table may be larger than memory would like.
        expected = {}
        for row_key, row, shown in self._source_rows(table, columns, key, rejected):
            if row_key in expected:
                self.report.different.append(
                    f"{table.name} {shown}: two rows of SQLite become this key, and none was rejected")
            expected[row_key] = _digest(row)
        differing = {}
        for row in self._target_rows(target, columns):
            row_key = tuple(row[i] for i in key)
            digest = expected.pop(row_key, None)
            if digest is None:
                self.report.extra.append(f"{table.name} {row_key!r}")
            elif digest != _digest(row):
                differing[row_key] = row
        self.report.missing += [f"{table.name} {k!r}" for k in expected]
        if differing:
            self._explain(table, columns, key, differing)
        self._stale(table, rejected)

    def _explain(self, table, columns, key, differing):
        again = _Comparison(self.sqlite, self.postgres, self.schema, Report())
        for row_key, row, shown in again._source_rows(table, columns, key, {}):
            other = differing.get(row_key)
            if other is not None:
                cells = [f"{c.source}: {_short(a)} in SQLite, {_short(b)} on PostgreSQL"
                         for c, a, b in zip(columns, row, other) if a != b]
                self.report.different.append(f"{table.name} {shown}: {'; '.join(cells)}")

    def _multiset(self, table, target, columns, rejected):
        counts = collections.Counter()
        example = {}
        for _, row, shown in self._source_rows(table, columns, [], rejected):
            digest = _digest(row)
            counts[digest] += 1
            example[digest] = f"{table.name} rowid {shown}: {_short(row)}"
        for row in self._target_rows(target, columns):
            digest = _digest(row)
            counts[digest] -= 1
            example.setdefault(digest, f"{table.name}: {_short(row)}")
        for digest, count in counts.items():
            if count:
                (self.report.missing if count > 0 else self.report.extra).append(
                    f"{example[digest]} ({abs(count)} times)")
        self._stale(table, rejected)

    def _stale(self, table, rejected):
        for key, reason in rejected.items():
            self.report.different.append(
                f"{table.name} {key}: still listed as rejected ({reason}), but SQLite has no such row")


def _digest(row):
    return hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _short(value):
    text = repr(value)
    return text if len(text) < 120 else text[:117] + "..."


def compare(path, connection, schema="public", tables=None, state_schema="liteferry"):
    """Report over every ordinary table, or those named. `connection` is psycopg2's."""
    report = Report()
    sqlite = sqlite_catalog.connect(path)
    rejected = read_rejected(connection, state_schema)
    with connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; "
                       "SET extra_float_digits = 1; SET bytea_output = 'hex'")
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
                       (quote(schema),))
        targets = [row[0] for row in cursor.fetchall()]
    autocommit, connection.autocommit = connection.autocommit, False
    sqlite.execute("BEGIN")
    comparison = _Comparison(sqlite, connection, schema, report)
    for table in sqlite_catalog.tables(sqlite):
        if tables is not None and table.name not in tables:
            continue
        target = _pick(table.name, targets)
        if target is None:
            report.missing.append(f"table {table.name}: not on PostgreSQL")
            continue
        comparison.table(table, target, rejected.pop(table.name, {}))
    for name, keys in rejected.items():
        if tables is None and keys:
            report.different.append(f"{name}: {len(keys)} rows listed as rejected of no such table")
    connection.rollback()
    connection.autocommit = autocommit
    sqlite.close()
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--dsn", required=True)
    args = parser.parse_args()
    report = compare(args.db, psycopg2.connect(args.dsn))
    print(report.describe())
    return 0 if report.equal else 1


if __name__ == "__main__":
    sys.exit(main())
