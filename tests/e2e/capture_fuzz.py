#!/usr/bin/env python3
"""Random schemas and random statements while the daemon follows: both databases become equal.

LITEFERRY_FUZZ_SEEDS sets how many databases are tried, of a dozen schemas each.
"""
import os
import pathlib
import random
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402

SCHEMAS = 12  # pairs of tables in one database
ROUNDS = 3
STATEMENTS = 400


class Pair:
    """Two tables, the second perhaps a child of the first; few values, so that they collide."""

    def __init__(self, dice, number):
        self.dice = dice
        self.tables = [f"p{number}", f"c{number}"]
        self.keys = {}
        self.ddl = []
        for table in self.tables:
            self.create(table)
        if dice.random() < 0.35:
            self.trigger(number)

    def conflict(self):
        return self.dice.choice(("", "", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE"))

    def create(self, table):
        dice = self.dice
        kind = dice.choice(("integer", "integer", "text", "nocase", "composite", "unique", "none"))
        self.keys[table] = kind
        columns = {"integer": "k INTEGER PRIMARY KEY" + self.conflict(),
                   "text": "k TEXT NOT NULL PRIMARY KEY" + self.conflict(),
                   "nocase": "k TEXT NOT NULL COLLATE NOCASE PRIMARY KEY" + self.conflict(),
                   "composite": "k BIGINT NOT NULL",
                   "unique": "k TEXT NOT NULL UNIQUE" + self.conflict(),
                   "none": "k BIGINT"}[kind]
        columns += ", a BIGINT" + (" UNIQUE" + self.conflict() if dice.random() < 0.4 else "")
        columns += ", b TEXT" + dice.choice(("", " COLLATE NOCASE"))
        if dice.random() < 0.3:
            columns += " NOT NULL" + self.conflict() + " DEFAULT 'b'"
        if dice.random() < 0.3:
            columns += " UNIQUE" + self.conflict()
        columns += ", d REAL, e BLOB"
        parent = self.tables[0]
        if table != parent and self.keys[parent] == "integer" and dice.random() < 0.7:
            action = dice.choice(("CASCADE", "SET NULL"))
            columns += f", up BIGINT REFERENCES {parent}(k) ON DELETE {action} ON UPDATE {action}"
        else:
            columns += ", up BIGINT"
        if kind == "composite":
            columns += ", l TEXT NOT NULL DEFAULT 'l', PRIMARY KEY(l, k)"
        if dice.random() < 0.3:
            columns += ", UNIQUE(b, a)" + self.conflict()
        tail = dice.choice((" WITHOUT ROWID", "")) if kind in ("composite", "text", "nocase") else ""
        self.ddl.append(f"CREATE TABLE {table}({columns}){tail}")
        # Those that PostgreSQL does not have.
        for number, terms in enumerate(("lower(b)", "a WHERE d > 0", "coalesce(b, 'x'), a", "b COLLATE NOCASE, d")):
            if dice.random() < 0.15:
                terms, _, where = terms.partition(" WHERE ")
                self.ddl.append(f"CREATE UNIQUE INDEX {table}_{number} ON {table}({terms})"
                                + (f" WHERE {where}" if where else ""))

    def trigger(self, number):
        table, other = self.dice.sample(self.tables, 2)
        event = self.dice.choice(("INSERT", "DELETE", "UPDATE"))
        row = "OLD" if event == "DELETE" else "NEW"
        body = self.dice.choice((f"UPDATE {other} SET d = 5 WHERE a IS {row}.a",
                                 f"DELETE FROM {other} WHERE a IS {row}.up",
                                 f"SELECT RAISE(IGNORE) WHERE {row}.up IS 3",
                                 f"UPDATE OR REPLACE {other} SET a = {row}.a WHERE up IS {row}.up"))
        self.ddl.append(f"CREATE TRIGGER app{number} AFTER {event} ON {table} BEGIN {body}; END")

    def value(self, column, table):
        if column == "k" and self.keys[table] in ("text", "nocase", "unique") or column in ("b", "l"):
            return self.dice.choice(("a", "A", "b", "B", "ä", "a ", "", "x'y", "NULL?", "\n"))
        if column == "d":
            return self.dice.choice((None, 0.1 + 0.2, -1.5, 1e300, 2.0))
        if column == "e":
            return self.dice.choice((None, b"", b"\0\xff", b"abc"))
        return self.dice.choice((None, 0, 1, 2, 3, 4, 5, -1, 2**62))

    def statement(self):
        """(sql, parameters) of something that changes rows."""
        dice = self.dice
        table = dice.choice(self.tables)
        columns = ["k", "a", "b", "d", "e", "up"]
        policy = dice.choice(("", "", " OR REPLACE", " OR REPLACE", " OR IGNORE", " OR FAIL"))
        what = dice.random()
        if what < 0.55:
            if dice.random() < 0.2:
                columns.remove("k")
            tail = dice.choice(("", "", "", " ON CONFLICT DO UPDATE SET a = excluded.up", " ON CONFLICT DO NOTHING"))
            rows = dice.choice((1, 1, 3))
            marks = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
            return (f"INSERT{policy} INTO {table}({', '.join(columns)}) VALUES {marks}{tail}",
                    [self.value(c, table) for _ in range(rows) for c in columns])
        where = dice.choice(columns[:4])
        if what < 0.9:
            column = dice.choice(columns)
            return (f"UPDATE{policy} {table} SET {column} = ? WHERE {where} IS ?",
                    [self.value(column, table), self.value(where, table)])
        return f"DELETE FROM {table} WHERE {where} IS ?", [self.value(where, table)]


class CaptureFuzz(case.Case):
    def test_random_schemas_and_statements(self):
        for number in range(int(os.environ.get("LITEFERRY_FUZZ_SEEDS", "1"))):
            with self.subTest(database=number):
                self.one_database(random.Random(self.seed + number), f"app{number}.db")

    def one_database(self, dice, name):
        if name != "app0.db":
            self.cluster.drop_database(self.database)
            self.cluster.create_database(self.database)
        pairs = [Pair(dice, i) for i in range(SCHEMAS)]
        story = ";\n".join(line for pair in pairs for line in pair.ddl)
        path = self.make_source(story + ";", name=name)
        db = self.sqlite(path)
        if dice.random() < 0.7:
            db.execute("PRAGMA foreign_keys=ON")
        if dice.random() < 0.3:
            db.execute("PRAGMA recursive_triggers=ON")
        self.run_some(db, dice, pairs)
        daemon = self.daemon(path, name=name)
        daemon.wait()
        for _ in range(ROUNDS):
            self.run_some(db, dice, pairs)
            daemon.wait()
            report = self.compare(path)
            self.assertTrue(report.equal, f"{report.describe()}\n{story}")
        self.assertEqual(daemon.stop(), 0)

    def run_some(self, db, dice, pairs):
        done = 0
        for _ in range(STATEMENTS):
            try:
                if not db.in_transaction and dice.random() < 0.2:
                    db.execute("BEGIN")
                elif db.in_transaction and dice.random() < 0.3:
                    db.execute(dice.choice(("COMMIT", "COMMIT", "ROLLBACK")))
                done += db.execute(*dice.choice(pairs).statement()).rowcount
            except sqlite3.Error:
                pass  # a constraint, as it should be
        if db.in_transaction:
            db.execute("COMMIT")
        self.assertGreater(done, STATEMENTS / 10)


if __name__ == "__main__":
    case.main()
