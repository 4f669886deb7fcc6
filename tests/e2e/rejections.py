#!/usr/bin/env python3
"""Rows that PostgreSQL cannot hold: each is named, the others arrive, and it clears when the row is corrected."""
import json
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service  # noqa: E402
from harness.process import wait_until  # noqa: E402

NOTES = case.DATA / "notes"

SOURCE = """
CREATE TABLE r (id INTEGER PRIMARY KEY, qty INT, word TEXT, ip TEXT, divisor INT, lucky INT, code INT, a INT, b INT);
CREATE TABLE moments (at TEXT PRIMARY KEY, v INT);
"""
TARGET = """
CREATE DOMAIN short_word AS text CHECK (length(value) <= 5);
CREATE FUNCTION picky(n int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
  IF n = 13 THEN RAISE EXCEPTION 'no luck'; END IF;
  IF n = 14 THEN RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'; END IF;
  RETURN true; END $$;
CREATE TABLE r (id bigint PRIMARY KEY, qty int CHECK (qty >= 0), word short_word, ip inet, divisor int,
  share int GENERATED ALWAYS AS (100 / divisor) STORED, lucky int CHECK (picky(lucky)), code int UNIQUE DEFERRABLE
  INITIALLY DEFERRED, a int, b int, EXCLUDE USING gist (int4range(a, b) WITH &&) WHERE (a IS NOT NULL));
CREATE TABLE moments (at timestamp PRIMARY KEY, v int);
"""


def bad_column(row):
    """The column of table r for which PostgreSQL alone, or nobody, takes this row; None for a good one."""
    tests = (("qty", row["qty"] is not None and row["qty"] < 0), ("word", len(row["word"] or "") > 5),
             ("ip", row["ip"] == "nowhere"), ("divisor", row["divisor"] == 0), ("lucky", row["lucky"] in (13, 14)))
    return next((name for name, bad in tests if bad), None)


class Rejections(case.Case):
    def rejected(self):
        """{(table, key): (column, SQLSTATE)}"""
        return {(table, key): (column, state) for table, key, column, state in self.pg(
            "SELECT table_name, row_key, column_name, sqlstate FROM liteferry.rejected_row")}

    def assert_everybody_agrees(self, daemon):
        """The state table, status as JSON and as text, the metric."""
        rejected = self.rejected()
        status = daemon.status()
        self.assertEqual(status["rejected_rows"], len(rejected))
        counted = {t["name"]: t["rejected"] for t in status["tables"]}
        for table, count in counted.items():
            self.assertEqual(count, sum(key[0] == table for key in rejected), table)
        samples = {(r["table"], r["key"]) for r in status["rejections"]}
        self.assertLessEqual(samples, set(rejected))
        for table, count in counted.items():
            self.assertEqual(sum(s[0] == table for s in samples), min(count, 3), table)
        text = daemon.must("status")
        for table, key in samples:
            self.assertIn(f"{table} {key}", text)
        if rejected:
            self.assertEqual(len(self.pg(status["rejected_query"])), len(rejected))
            self.assertIn(status["rejected_query"], text)
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/metrics", timeout=10) as answer:
            self.assertIn(f"\nliteferry_rejected_rows {len(rejected)}\n", answer.read().decode())

    def test_dirty_notes(self):
        path = self.dir / "notes.db"
        notes_service.create(path, seed=self.seed, dirty=True)
        self.pg((NOTES / "postgres.sql").read_text())
        daemon = self.daemon(path)
        daemon.wait()
        db = self.sqlite(path)
        first = {t: db.execute(f"SELECT min(id), max(id) FROM {t}").fetchone()
                 for t in ("notes", "repos", "sprints", "sprint_items", "note_revisions", "tags")}
        note = first["notes"][0]
        planted = {
            ("notes", note): ("title", f"UPDATE notes SET title = 'mended' WHERE id = {note}"),
            ("notes", note + 2): ("is_public", f"UPDATE notes SET is_public = 1 WHERE id = {note + 2}"),
            ("notes", note + 4): ("updated_at", f"UPDATE notes SET updated_at = created_at WHERE id = {note + 4}"),
            ("repos", first["repos"][0]): ("created_at", "UPDATE repos SET created_at = updated_at"),
            ("sprints", first["sprints"][0]): ("status", "UPDATE sprints SET status = 'active' WHERE length(status) > 9"),
            ("sprint_items", first["sprint_items"][0]): (
                "labels", "UPDATE sprint_items SET labels = '[]' WHERE labels = '{not json'"),
            ("sprint_items", first["sprint_items"][1]): (
                "position", "UPDATE sprint_items SET position = 99999 WHERE typeof(position) = 'text'"),
            ("note_revisions", first["note_revisions"][1]): (
                "revision_number", "DELETE FROM note_revisions WHERE revision_number > 2147483647"),
            ("tags", first["tags"][1]): ("name", f"DELETE FROM tags WHERE id = {first['tags'][1]}"),
        }
        self.assertEqual({key: column for key, (column, _) in self.rejected().items()},
                         {(table, json.dumps([key])): column for (table, key), (column, _) in planted.items()})
        self.assert_everybody_agrees(daemon)
        self.assert_equal(path)
        left, writer = set(self.rejected()), None
        # The writer numbers a note's next revision after its largest, and would number on from the planted one.
        for (table, key), (_, mend) in sorted(planted.items(), key=lambda item: item[0][0] != "note_revisions"):
            if table != "note_revisions" and not writer:
                writer = self.writer(path, 100, script=notes_service.__file__)
            db.execute(mend)
            wait_until(f"{mend}: cleared", lambda: (table, json.dumps([key])) not in self.rejected(), 30)
            left.discard((table, json.dumps([key])))
            self.assertLessEqual(set(self.rejected()), left)
        writer.stop()
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_everybody_agrees(daemon)
        self.assertEqual(self.assert_equal(path).rejected, 0)

    def start(self, source, target, rows=""):
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.execute("PRAGMA journal_mode=wal")
        db.executescript(source + rows)
        self.pg(target)
        daemon = self.daemon(path)
        daemon.wait()
        return path, db, daemon

    def change_at_random(self, db, count):
        for _ in range(count):
            db.execute("BEGIN")
            for _ in range(self.random.randint(1, 30)):
                row = self.random.randint(1, 300)
                db.execute("INSERT OR REPLACE INTO r (id, qty, word, ip, divisor, lucky) VALUES (?,?,?,?,?,?)", (
                    row, self.random.choice((1, 2, 3, None, -1)), self.random.choice(("a", "b", None, "too long")),
                    self.random.choice(("10.0.0.1", "::1", None, "nowhere")), self.random.choice((1, 2, 3, 4, 0)),
                    self.random.choice((1, 2, 3, 4, 5, 6, 7, 13, 14))))
                if self.random.random() < 0.1:
                    db.execute("DELETE FROM r WHERE id = ?", (self.random.randint(1, 300),))
            db.execute("COMMIT")

    def assert_exactly_the_bad_rows(self, db, daemon):
        names = [c[1] for c in db.execute("PRAGMA table_info(r)")]
        rows = [dict(zip(names, row)) for row in db.execute("SELECT * FROM r")]
        bad = {("r", f"[{row['id']}]") for row in rows if bad_column(row)}
        rejected = self.rejected()
        self.assertEqual({key for key in rejected if key[0] == "r"}, bad)
        self.assertGreater(len(bad), 10)
        good = sorted(row["id"] for row in rows if not bad_column(row))
        self.assertEqual([i for i, in self.pg("SELECT id FROM r ORDER BY id")], good)
        self.assertLessEqual({"23514", "22P02", "22012", "P0001", "42501"}, {state for _, state in rejected.values()})
        self.assert_everybody_agrees(daemon)

    def test_reasons_that_only_the_server_knows(self):
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.execute("PRAGMA journal_mode=wal")
        db.executescript(SOURCE)
        self.change_at_random(db, 30)
        self.pg(TARGET)
        daemon = self.daemon(path, {"copy": {"chunk_rows": 100}})
        daemon.wait()
        self.assert_exactly_the_bad_rows(db, daemon)
        for _ in range(3):
            self.change_at_random(db, 10)
            daemon.wait()
            self.assert_exactly_the_bad_rows(db, daemon)
            self.assert_equal(path, doubtful=True)
        db.execute("UPDATE r SET qty = 1, word = 'a', ip = NULL, divisor = 1, lucky = 1")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_everybody_agrees(daemon)
        self.assert_equal(path)

    def test_partitions_and_keys(self):
        path, db, daemon = self.start(
            "CREATE TABLE parts (id INTEGER NOT NULL, year INT NOT NULL, PRIMARY KEY (id, year));"
            "CREATE TABLE hosts (ip TEXT PRIMARY KEY, name TEXT);",
            "CREATE TABLE parts (id bigint, year int, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);"
            "CREATE TABLE parts_now PARTITION OF parts FOR VALUES FROM (2000) TO (2030);"
            "CREATE TABLE hosts (ip inet PRIMARY KEY, name text);",
            "INSERT INTO parts VALUES (1, 1999), (2, 2000), (3, 2031);"
            "INSERT INTO hosts VALUES ('10.0.0.1', 'a'), ('nowhere', 'b');")
        self.assertEqual(self.rejected(), {("parts", "[1,1999]"): ("", "23514"), ("parts", "[3,2031]"): ("", "23514"),
                                           ("hosts", '["nowhere"]'): ("ip", "22P02")})
        db.executescript("""
            BEGIN; INSERT INTO hosts VALUES ('10.0.0.2', 'c'), ('elsewhere', 'd'), ('10.0.0.3', 'e');
            UPDATE hosts SET name = 'x'; UPDATE parts SET year = 2001 WHERE id = 1; UPDATE parts SET year = 1 WHERE id = 2;
            COMMIT""")
        daemon.wait()
        self.assertEqual(set(self.rejected()), {("parts", "[2,1]"), ("parts", "[3,2031]"), ("hosts", '["nowhere"]'),
                                                ("hosts", '["elsewhere"]')})
        self.assert_equal(path, doubtful=True)
        db.executescript("UPDATE hosts SET ip = '::' || length(ip) WHERE ip LIKE '%where'; DELETE FROM parts WHERE id = 3;"
                         "UPDATE parts SET year = 2002")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_equal(path)

    def test_constraints_between_rows(self):
        path, db, daemon = self.start(SOURCE, TARGET, "INSERT INTO r (id, code, a, b) VALUES (1, 1, 0, 10), (2, 2, 10, 20);")
        self.assertEqual(daemon.status()["held"], 0)
        # Both constraints hold again; rows may still swap in one transaction.
        db.executescript("BEGIN; UPDATE r SET code = 9, a = 50, b = 60 WHERE id = 1;"
                         "UPDATE r SET code = 1, a = 0, b = 10 WHERE id = 2; UPDATE r SET code = 2, a = 10, b = 20 WHERE id = 1;"
                         "COMMIT")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_equal(path)
        db.executescript("INSERT INTO r (id, code, a, b) VALUES (3, 1, 30, 40), (4, 4, 5, 7), (5, 5, 40, 50)")
        daemon.wait()
        self.assertEqual(self.rejected(), {("r", "[3]"): ("", "23505"), ("r", "[4]"): ("", "23P01")})
        self.assert_everybody_agrees(daemon)
        self.assert_equal(path, doubtful=True)
        # The rows in their way change, not they themselves.
        db.execute("UPDATE r SET code = 77, a = 100, b = 101 WHERE id = 2")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_equal(path)
        # A row that was good and is bad now is absent.
        db.execute("UPDATE r SET code = 77 WHERE id = 5")
        daemon.wait()
        self.assertEqual(set(self.rejected()), {("r", "[5]")})
        self.assertEqual(self.pg("SELECT count(*) FROM r WHERE id = 5"), [(0,)])
        db.execute("DELETE FROM r WHERE id = 5")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_everybody_agrees(daemon)

    def test_keys_that_are_one_on_the_target(self):
        same = ("2026-01-01 00:00:00", "2026-01-01T00:00:00")
        path, db, daemon = self.start(SOURCE, TARGET, f"INSERT INTO moments VALUES ('{same[0]}', 1), ('{same[1]}', 2);")
        self.assertEqual(len(self.rejected()), 1)
        taken = self.pg("SELECT v FROM moments")
        # Neither a retry nor a change of the refused row takes the other's place.
        db.executescript("INSERT INTO moments VALUES ('2026-01-02 00:00:00', 3);")
        daemon.wait()
        db.execute("UPDATE moments SET v = v + 10 WHERE v <> ?", taken[0])
        daemon.wait()
        self.assertEqual(len(self.rejected()), 1)
        self.assertIn(taken[0], self.pg("SELECT v FROM moments"))
        db.execute("DELETE FROM moments WHERE v = ?", taken[0])
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_equal(path)

    def test_foreign_keys_made_meanwhile(self):
        path, db, daemon = self.start(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY, v INT);"
            "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INT);",
            "CREATE TABLE parent (id bigint PRIMARY KEY, v int);"
            "CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint);",
            "INSERT INTO parent VALUES (1, 1), (2, 2); INSERT INTO child VALUES (1, 1), (2, 2);")
        self.pg("ALTER TABLE child ADD CONSTRAINT child_fk FOREIGN KEY (parent_id) REFERENCES parent")
        db.execute("UPDATE parent SET v = 10")  # deleted and inserted anew on the target
        daemon.wait()
        self.assert_equal(path)
        self.assertEqual(self.pg("SELECT name FROM liteferry.held"), [("child_fk",)])
        self.pg("ALTER TABLE child ADD CONSTRAINT child_again FOREIGN KEY (parent_id) REFERENCES parent")
        db.execute("INSERT INTO child VALUES (3, 99)")
        daemon.wait()
        self.assertEqual(self.rejected(), {})
        self.assert_equal(path)
        self.assertEqual(daemon.stop(), 0)
        self.pg("DELETE FROM child WHERE id = 3;"
                "ALTER TABLE child ADD CONSTRAINT cascading FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE")
        daemon.start()
        daemon.wait()
        db.execute("UPDATE parent SET v = 20")
        db.execute("INSERT OR REPLACE INTO child VALUES (3, 1)")
        daemon.wait()
        self.assert_equal(path)
        self.assertEqual(self.pg("SELECT name FROM liteferry.held ORDER BY 1"),
                         [("cascading",), ("child_again",), ("child_fk",)])


if __name__ == "__main__":
    case.main()
