#!/usr/bin/env python3
"""What the configuration says of names and values is what the copy and the changes after it do."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402


class Mapping(case.Case):
    def problems(self, daemon):
        result = daemon.command("check")
        self.assertEqual(result.returncode, 65, result.stdout + result.stderr)
        return result.stdout

    def make(self, ddl, target):
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.execute("PRAGMA journal_mode=wal")
        db.executescript(ddl)
        self.pg(target)
        return path, db

    def test_renamed_tables_and_columns_in_three_schemas(self):
        path, db = self.make("""
            CREATE TABLE Users (Id INTEGER PRIMARY KEY, FullName TEXT, "group" TEXT);
            CREATE TABLE Log (Line TEXT);
            CREATE TABLE plain (k TEXT PRIMARY KEY, v INT) WITHOUT ROWID;
            INSERT INTO Users VALUES (1, 'Ada', 'x'), (2, 'Bob', NULL);
            INSERT INTO Log VALUES ('a'), ('a'); INSERT INTO plain VALUES ('k', 7);""", """
            CREATE SCHEMA audit; CREATE SCHEMA "My.App"; CREATE SCHEMA main;
            CREATE TABLE main.people (person_id bigint PRIMARY KEY, name text UNIQUE, grp text);
            CREATE TABLE audit."log.lines" (line text);
            CREATE INDEX ON audit."log.lines" (line);
            CREATE TABLE main."pl.ain" (k text PRIMARY KEY, v integer);
            CREATE TABLE audit.people (never bigint PRIMARY KEY);""")
        before = self.cluster.schema_dump(self.database)
        config = {"target": {"schema": "main"}, "tables": {
            "Users": {"target": "people", "columns": {"Id": {"target": "person_id"},
                                                      "FullName": {"target": "NAME"},
                                                      "group": {"target": "grp"}}},
            "Log": {"target": "audit.log.lines"}, "plain": {"target": "pl.ain"}}}
        config["target"]["url"] = self.url
        daemon = self.daemon(path, config)
        daemon.wait()
        read = {"main.people": "person_id", 'audit."log.lines"': "line", 'main."pl.ain"': "k"}

        def rows():
            return [self.pg(f"SELECT * FROM {table} ORDER BY {key}") for table, key in read.items()]

        users, log, plain = rows()
        self.assertEqual(users, [(1, "Ada", "x"), (2, "Bob", None)])
        self.assertEqual([row[0] for row in log], ["a", "a"])
        self.assertEqual(plain, [("k", 7)])
        db.executescript("""
            UPDATE Users SET FullName = 'Eve' WHERE Id = 2; DELETE FROM Users WHERE Id = 1;
            INSERT INTO Log VALUES ('b'); DELETE FROM Log WHERE rowid = 1;
            UPDATE plain SET k = 'l', v = 8;""")
        daemon.wait()
        users, log, plain = rows()
        self.assertEqual(users, [(2, "Eve", None)])
        self.assertEqual([row[0] for row in log], ["a", "b"])
        self.assertEqual(plain, [("l", 8)])
        # The hidden column of Log is in another schema than the others, and goes too.
        self.clean_up(path, daemon, before)

    def test_include_and_exclude(self):
        path, db = self.make("".join(f"CREATE TABLE {n} (id INTEGER PRIMARY KEY);"
                                     f"INSERT INTO {n} VALUES (1);"
                                     for n in ("app_a", "app_b", "app_old", "other")),
                             "CREATE TABLE app_a (id bigint PRIMARY KEY);"
                             "CREATE TABLE app_b (id bigint PRIMARY KEY);"
                             "CREATE TABLE app_old (id bigint PRIMARY KEY)")
        daemon = self.daemon(path, {"source": {"path": str(path), "include": ["app_*"], "exclude": ["*_old"]}})
        daemon.wait()
        db.executescript("INSERT INTO app_a VALUES (2); INSERT INTO app_old VALUES (2); INSERT INTO other VALUES (2)")
        daemon.wait()
        self.assertEqual([self.pg(f"SELECT count(*) FROM {t}")[0][0] for t in ("app_a", "app_b", "app_old")],
                         [2, 1, 0])
        triggers = db.execute("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger' "
                              "AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1").fetchall()
        self.assertEqual(triggers, [("app_a",), ("app_b",)])

    def test_epoch_and_on_invalid_of_columns(self):
        path, db = self.make("""
            CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, ms DATETIME, flag BOOLEAN, note TEXT, strict INT);
            INSERT INTO t VALUES (1, 1700000000, 1700000000123, 2, 'a' || char(0) || 'b', 1),
                                 (2, '2024-01-01', 0, 1, 'c', 'bad');""",
            "CREATE TABLE t (id bigint PRIMARY KEY, at timestamp, ms timestamp, flag boolean, note text, strict integer)")
        columns = {"at": {"epoch": "s"}, "ms": {"epoch": "ms"}, "flag": {"on_invalid": "null"},
                   "note": {"on_invalid": "strip_nul"}}
        daemon = self.daemon(path, {"tables": {"t": {"columns": columns}}})
        daemon.wait()

        def rows():
            return self.pg("SELECT id, at::text, ms::text, flag, note, strict FROM t ORDER BY 1")

        first = (1, "2023-11-14 22:13:20", "2023-11-14 22:13:20.123", None, "ab", 1)
        self.assertEqual(rows(), [first])
        self.assertEqual(daemon.status()["rejected_rows"], 1)
        db.executescript("UPDATE t SET strict = 2, flag = 'maybe', note = x'00' WHERE id = 2;"
                         "UPDATE t SET note = 'd' || char(0) WHERE id = 2")
        daemon.wait()
        self.assertEqual(rows(), [first, (2, "2024-01-01 00:00:00", "1970-01-01 00:00:00", None, "d", 2)])
        # Another epoch is another image of every row.
        self.assertEqual(daemon.stop(), 0)
        columns["ms"]["epoch"] = "us"
        daemon = self.daemon(path, {"tables": {"t": {"columns": columns}}}, name="again")
        daemon.wait()
        self.assertEqual(self.pg("SELECT ms::text FROM t ORDER BY id"),
                         [("1970-01-20 16:13:20.000123",), ("1970-01-01 00:00:00",)])

    def test_a_key_of_null_is_held_back_even_where_the_target_would_take_it(self):
        """A unique constraint takes any number of NULLs, and no change could ever find them again."""
        path, db = self.make("""
            CREATE TABLE t (k TEXT PRIMARY KEY, v INT); INSERT INTO t VALUES (NULL, 1), ('a', 2);
            CREATE TABLE d (k DATE PRIMARY KEY, v INT); INSERT INTO d VALUES ('never', 1), ('2024-01-01', 2);""",
            "CREATE TABLE t (k text UNIQUE, v integer); CREATE TABLE d (k date UNIQUE, v integer)")
        daemon = self.daemon(path, {"tables": {"d": {"columns": {"k": {"on_invalid": "null"}}}}})
        daemon.wait()
        self.assertEqual(self.pg("SELECT k, v FROM t"), [("a", 2)])
        self.assertEqual(self.pg("SELECT k::text, v FROM d"), [("2024-01-01", 2)])
        db.executescript("UPDATE t SET v = 5 WHERE k IS NULL; UPDATE d SET v = 5 WHERE k = 'never'")
        daemon.wait()
        self.assertEqual(self.pg("SELECT k, v FROM t"), [("a", 2)])
        self.assertEqual(self.pg("SELECT k::text, v FROM d"), [("2024-01-01", 2)])
        self.assertEqual(daemon.status()["rejected_rows"], 2)

    def test_what_does_not_fit_is_named_with_the_nearest(self):
        path, _ = self.make("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT);"
                            "CREATE TABLE tags (id INTEGER PRIMARY KEY, title TEXT, body TEXT);",
                            "CREATE TABLE notes (id bigint PRIMARY KEY, title text, body text);"
                            "CREATE VIEW tags AS SELECT * FROM notes")
        cases = [
            ({"tables": {"nots": {"target": "notes"}}}, "nearest name is notes"),
            ({"tables": {"notes": {"columns": {"titel": {"epoch": "s"}}}}}, "nearest name is title"),
            ({"tables": {"notes": {"target": "notez"}}}, "nearest name is notes"),
            ({"tables": {"tags": {"target": "notes"}}}, "tables notes and tags are both paired with notes"),
            ({"tables": {"notes": {"columns": {"body": {"target": "title"}}}}},
             "columns title and body are both paired"),
            ({"tables": {"notes": {"target": "nowhere.notes"}}}, "no counterpart notes in schema nowhere"),
            ({"tables": {"notes": {"target": "liteferry.stream"}}}, "liteferry's own"),
            ({}, "tags is a view"),
        ]
        for number, (config, message) in enumerate(cases):
            daemon = self.daemon(path, config, name=f"case{number}", start=False)
            self.assertIn(message, self.problems(daemon))
        # The daemon says the same, and goes on by itself once it fits.
        daemon.start()
        self.assertIn("tags is a view", daemon.until_state("halted")["reason"])
        self.pg("DROP VIEW tags; CREATE TABLE tags (id bigint PRIMARY KEY, title text, body text)")
        daemon.until_state("following")


if __name__ == "__main__":
    case.main()
