#!/usr/bin/env python3
"""Tables that liteferry itself creates: every corpus, compared; and what target.create_tables means."""
import pathlib
import re
import subprocess
import sys

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service, sqlite_catalog  # noqa: E402
from harness.cluster import DEBIAN  # noqa: E402

# Rows that no type takes, and the rejections they make: three rows share the key NULL.
REJECTED = {"pgloader_sqlite.db": (3, 1)}

SOURCE = """
CREATE TABLE author (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  active BOOLEAN NOT NULL DEFAULT 1 CHECK (active IN (0, 1)), joined DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE book (isbn TEXT PRIMARY KEY, author_id INTEGER REFERENCES author (id) ON DELETE CASCADE,
  price DECIMAL(8, 2) CHECK (price >= 0), loose, title TEXT, shown TEXT AS (title || '!') STORED);
CREATE INDEX book_price ON book (price) WHERE price > 10;
CREATE TABLE keyless (a INT, b REAL);
"""
ROWS = """
INSERT INTO author (id, name) VALUES (1, 'Ann'), (2, 'ben');
INSERT INTO book (isbn, author_id, price, loose, title) VALUES ('1', 1, 9.99, 'x', 'One'), ('2', 2, 12, 7, 'Two');
INSERT INTO keyless VALUES (1, 0.1), (1, 0.1), (NULL, 2.5);
"""


class Schema(case.Case):
    def make(self, ddl=SOURCE + ROWS):
        path = self.dir / "app.db"
        connection = sqlite_catalog.connect(path)
        connection.execute("PRAGMA journal_mode=wal")
        connection.executescript(ddl)
        connection.close()
        return path

    def creating(self, path, mode="always", **more):
        return self.daemon(path, {"target": {"create_tables": mode, **more}})

    def carry(self, path, rejected=(0, 0)):
        """Creates, copies, follows a few changes; equal, and no more rejected than that."""
        daemon = self.creating(path)
        if not sqlite_catalog.tables(self.sqlite(path)):
            self.assertIn("no table", daemon.until_state("halted")["reason"])
            return
        daemon.wait()
        report = self.assert_equal(path, doubtful=True)
        self.assertEqual((report.rejected, daemon.status()["rejected_rows"]), rejected,
                         report.describe())
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        daemon.wait()
        self.assert_equal(path, doubtful=True)

    def test_notes(self):
        path = self.dir / "notes.db"
        notes_service.create(path, notes=100, revisions=2000, seed=self.seed)
        self.carry(path)
        # What stands there in the end is what the script says.
        daemon = self.daemons[-1]
        self.assertEqual(daemon.stop(), 0)
        script = daemon.must("schema")
        daemon.must("cleanup")
        made = self.cluster.schema_dump(self.database)
        self.cluster.create_database("by_script")
        self.addCleanup(self.cluster.drop_database, "by_script")
        self.load(script, "by_script")
        self.assertEqual(made, self.cluster.schema_dump("by_script"))

    def load(self, script, database):
        """As a person would."""
        result = subprocess.run([str(DEBIAN / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-d",
                                 self.cluster.dsn(database)], input=script, capture_output=True,
                                text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr + script)

    def test_notes_dirty(self):
        path = self.dir / "notes.db"
        notes_service.create(path, seed=self.seed, dirty=True)
        self.carry(path)

    def test_scripts_load(self):
        """The notes service and every corpus, in every form of the script."""
        notes = self.dir / "notes.db"
        notes_service.create(notes, seed=self.seed)
        for path in [notes] + [case.borrow(each, self.dir) for each in case.corpus()]:
            daemon = self.daemon(path, start=False)
            for number, options in enumerate([(), ("--no-scan",), ("--names", "fold"),
                                              ("--transaction", "no")]):
                with self.subTest(name=path.name, options=options):
                    database = f"load{number}"
                    self.cluster.create_database(database)
                    self.load(daemon.must("schema", "-q", *options), database)
                    self.cluster.drop_database(database)

    def test_auto_creates_all_when_none_is_there(self):
        path = self.make()
        daemon = self.creating(path, "auto")
        daemon.wait()
        self.sqlite(path).execute("INSERT INTO author (name) VALUES ('cid')")
        daemon.wait()
        self.assert_equal(path)
        self.assertEqual(daemon.stop(), 0)
        daemon.must("cleanup")
        # What SQLite refuses is refused here too.
        for statement in ("INSERT INTO author (name) VALUES ('ANN')",
                          "INSERT INTO book (isbn, price) VALUES ('3', -1)",
                          "INSERT INTO book (isbn, author_id) VALUES ('3', 99)"):
            with self.assertRaises(psycopg2.IntegrityError, msg=statement):
                self.pg(statement)
        self.pg("INSERT INTO book (isbn, title) VALUES ('3', 'Three')")
        self.assertEqual(self.pg("SELECT shown FROM book WHERE isbn = '3'"), [("Three!",)])

    def test_auto_touches_nothing_when_one_is_there(self):
        path = self.make()
        self.pg("CREATE TABLE keyless (a bigint, b double precision)")
        daemon = self.creating(path, "auto")
        daemon.until("a complaint about author", lambda s: "author" in str(s["reason"]))
        self.assertEqual(self.pg("SELECT relname FROM pg_class WHERE relname IN ('author', 'book')"), [])

    def test_never_creates_nothing(self):
        path = self.make()
        daemon = self.creating(path, "never")
        daemon.until_state("halted")
        self.assertEqual(self.pg("SELECT 1 FROM pg_class WHERE relname = 'author'"), [])

    def test_always_adds_what_is_missing(self):
        path = self.make()
        self.pg("CREATE TABLE author (id int PRIMARY KEY, name varchar, active boolean, joined text)")
        daemon = self.creating(path, "always")
        daemon.wait()
        self.assert_equal(path)
        self.assertEqual(self.pg("SELECT data_type FROM information_schema.columns "
                                 "WHERE table_name = 'author' AND column_name = 'id'"), [("integer",)])
        # Also one that the application adds later.
        self.sqlite(path).executescript("CREATE TABLE later (id INTEGER PRIMARY KEY, v BLOB);"
                                        "INSERT INTO later VALUES (1, x'00ff');")
        daemon.until("the new table", lambda s: any(t["name"] == "later" and t["rows_copied"] == 1
                                                    for t in s["tables"]))
        daemon.wait()
        self.assert_equal(path)

    def test_settings_decide_names_and_types(self):
        path = self.make("CREATE TABLE Event (Id INTEGER PRIMARY KEY, At INTEGER NOT NULL, Kind TEXT);"
                         "INSERT INTO Event VALUES (1, 1700000000123, 'a');")
        daemon = self.daemon(path, {"target": {"create_tables": "auto"}, "tables": {
            "Event": {"target": "event", "columns": {
                "Id": {"target": "id"}, "At": {"target": "happened_at", "epoch": "ms"},
                "Kind": {"type": "varchar(5)"}}}}})
        daemon.wait()
        self.assertEqual(self.pg("SELECT id, happened_at::text, \"Kind\" FROM event"),
                         [(1, "2023-11-14 22:13:20.123+00", "a")])

    def test_what_cannot_be_created_is_said(self):
        path = self.make()
        daemon = self.daemon(path, {"target": {"create_tables": "auto"}, "tables": {
            "author": {"columns": {"name": {"type": "no_such_type"}}}}})
        status = daemon.until_state("halted")
        self.assertIn("cannot create table author", status["reason"])
        self.assertEqual(self.pg("SELECT 1 FROM pg_class WHERE relname = 'book'"), [])


def add(database):
    def test(self):
        self.carry(case.borrow(database, self.dir), REJECTED.get(database.name, (0, 0)))

    setattr(Schema, "test_always_" + re.sub(r"\W", "_", database.stem), test)


for each in case.corpus():
    add(each)

if __name__ == "__main__":
    case.main()
