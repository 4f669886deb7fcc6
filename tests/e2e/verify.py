#!/usr/bin/env python3
"""`verify`: no false alarm while writes go on, every planted difference found, and brought right by `--repair`.

By hand, under writes for an hour, gently:
  python3 tests/e2e/verify.py --minutes 60 --rate 30 --pause 2 Verify.test_no_false_alarm
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.daemon import program  # noqa: E402
from harness.process import clean_environment, spawn  # noqa: E402

SOAK = argparse.Namespace(minutes=0.0, rate=0.0, pause=0.0)

# Every way in which a row may be named.
KEYS = """
CREATE TABLE by_rowid (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, r REAL, b BLOB);
CREATE TABLE by_text (code TEXT PRIMARY KEY, n INTEGER, body TEXT);
CREATE TABLE by_nocase (name TEXT COLLATE NOCASE PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE by_two (a INTEGER NOT NULL, b TEXT NOT NULL, n REAL, PRIMARY KEY (a, b));
CREATE TABLE by_blob (k BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE by_unique (e TEXT NOT NULL UNIQUE, n INTEGER);
CREATE TABLE keyless (n INTEGER, t TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES by_rowid (id), note TEXT);
"""

# Only keys of which the target cannot confuse two, whatever is written.
INTEGERS = """
CREATE TABLE by_rowid (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, r REAL, b BLOB);
CREATE TABLE keyless (n INTEGER, t TEXT, b BOOLEAN);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES by_rowid (id), note TEXT, at TIMESTAMP);
"""

# Column, type on PostgreSQL, a value of SQLite, and a change that must be found: an expression on c.
PLANTED = [
    ("double precision", "0.1", "0.10000000000000002"),
    ("double precision", "-1e-310", "-1.00000000000003e-310"),
    ("real", "0.5", "0.50000006"),
    ("bigint", "9007199254740993", "c - 1"),
    ("boolean", "1", "NOT c"),
    ("numeric", "'1.50'", "1.5"),
    ("numeric(12,4)", "'7.1234'", "c + 0.0001"),
    ("text", "'word'", "c || ' '"),
    ("text", "'word'", "'Word'"),
    ("text", "NULL", "''"),
    ("text", "''", "NULL"),
    ("text", "'caf' || char(233)", "'cafe' || chr(769)"),
    ("text", "'a' || char(9, 10, 13, 92) || 'b'", "replace(c, chr(13), '')"),
    ("varchar(10)", "'ab'", "'ab '"),
    ("char(5)", "'ab '", "'abc'"),
    ("bytea", "x'00ff5c6e'", "c || '\\x00'"),
    ("date", "'2024-02-29'", "c + 1"),
    ("time", "'23:59:59.999999'", "c - interval '1 microsecond'"),
    ("timestamp", "'2024-02-29 12:00:00.123456'", "c + interval '1 microsecond'"),
    ("timestamptz", "'2024-02-29T12:00:00.123456+02:00'", "c - interval '1 microsecond'"),
    ("timestamptz", "'2024-06-30 12:00:00'", "c + interval '1 hour'"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
    ("json", "'{\"a\": 1.0}'", "'{\"a\": 1}'"),
    ("json", "'{\"a\":1}'", "'{\"a\": 1}'"),
    ("jsonb", "'{\"b\":[1.0,{\"c\":null}],\"a\":2}'", "'{\"a\": 2, \"b\": [1, {\"c\": null}]}'"),
    ("jsonb", "'{\"a\":\"x\"}'", "'{\"a\": \"x\", \"b\": null}'"),
    ("mood", "'ok'", "'sad'"),
    ("inet", "'10.0.0.1'", "'10.0.0.1/31'"),
    ("interval", "'1 day'", "'24 hours'"),
    ("integer[]", "'{1,NULL,3}'", "'{1,0,3}'"),
    ("text[]", "'{a,\"b c\"}'", "'{a,\"b c \"}'"),
]


class Verify(case.Case):
    def verify(self, daemon, *args, status=0):
        result = daemon.command("verify", "--json", *args, timeout=300)
        self.assertEqual(result.returncode, status, result.stdout[-4000:] + result.stderr + daemon.tail())
        return json.loads(result.stdout)

    def follow(self, ddl, rows="", config=None, journal="wal"):
        path = self.make_source(ddl, journal=journal)
        db = self.sqlite(path)
        db.executescript(rows)
        daemon = self.daemon(path, config)
        daemon.wait()
        return path, db, daemon

    def many(self, db, count):
        """So many rows in each table of KEYS."""
        numbers = f"WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < {count})"
        for insert in ("by_rowid SELECT i, 'name ' || i, i * 7, i / 3.0, randomblob(8)",
                       "by_text SELECT 'code ' || i, i, 'body'",
                       "by_nocase SELECT 'Name' || i, i",
                       "by_two SELECT i % 50, 'b' || i, i / 7.0",
                       "by_blob SELECT randomblob(16), i",
                       "by_unique SELECT 'e' || i, i",
                       "keyless SELECT i % 10, 'same'",
                       "child SELECT i, i, 'note'"):
            db.execute(f"INSERT OR IGNORE INTO {insert.replace(' SELECT', ' ' + numbers + ' SELECT', 1)} FROM x")

    # No false alarm.

    def alarms(self, journal, rate, ddl=KEYS, options=()):
        path, db, daemon = self.follow(ddl, journal=journal)
        if ddl is KEYS:
            self.many(db, 3000)
            daemon.wait()
        writer = self.writer(path, SOAK.rate or rate, options=options)
        end = time.monotonic() + SOAK.minutes * 60
        runs = rows = rejected = 0
        while runs < 8 or time.monotonic() < end:
            found = self.verify(daemon, "--jobs", str(1 + runs % 3))
            self.assertTrue(found["equal"] and found["differing"] == [], found)
            rows += found["source_rows"]
            rejected = max(rejected, found["rejected"])
            runs += 1
            time.sleep(SOAK.pause)
        counts = writer.stop()
        daemon.wait()
        found = self.verify(daemon)
        self.assertEqual(found["waiting"], 0, found)
        self.assert_equal(path, doubtful=True)
        self.assertGreater(counts["commits"], 20)
        print(f"{runs} runs, {rows} rows compared, up to {rejected} rejected, {counts}", flush=True)
        return rejected

    def test_no_false_alarm(self):
        self.alarms("wal", 0)

    def test_no_false_alarm_with_a_rollback_journal(self):
        self.alarms("delete", 60)

    def test_no_false_alarm_with_rejections(self):
        self.assertGreater(self.alarms("wal", 0, INTEGERS, ["--odd", "0.1"]), 0)

    def test_no_false_alarm_while_catching_up(self):
        """Windows: rows on PostgreSQL may be newer than its position."""
        path, db, daemon = self.follow(KEYS, config={"apply": {"max_batch_changes": 300}})
        self.many(db, 20000)
        runs = 0
        while daemon.status()["state"] != "following" or runs < 3:
            self.verify(daemon)
            runs += 1
            if runs < 3:
                db.execute("UPDATE by_rowid SET n = n + 1")
                db.execute("UPDATE by_text SET code = code || 'x' WHERE n % 2 = 0")
        daemon.wait()
        self.assertEqual(self.verify(daemon)["waiting"], 0)

    # Every difference.

    def planted_tables(self):
        ddl = target = rows = ""
        for i, (kind, value, _) in enumerate(PLANTED):
            ddl += f"CREATE TABLE v{i} (id INTEGER PRIMARY KEY, c);"
            target += f"CREATE TABLE v{i} (id bigint PRIMARY KEY, c {kind});"
            rows += f"INSERT INTO v{i} VALUES (1, {value}), (2, {value}), (3, {value});"
        return ddl, "CREATE TYPE mood AS ENUM ('ok', 'sad');" + target, rows

    def test_planted_values(self):
        ddl, target, rows = self.planted_tables()
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.executescript("PRAGMA journal_mode=wal;" + ddl + rows)
        self.pg(target)
        # The server's own ideas of how values look must not matter.
        role = self.pg("SELECT current_user")[0][0]
        for setting in ("TimeZone = 'Asia/Kathmandu'", "DateStyle = 'German'", "extra_float_digits = -3",
                        "bytea_output = 'escape'", "IntervalStyle = 'sql_standard'"):
            self.pg(f'ALTER ROLE "{role}" IN DATABASE "{self.database}" SET {setting}')
        daemon = self.daemon(path)
        daemon.wait()
        self.assertEqual(self.pg("SELECT * FROM liteferry.rejected_row"), [])
        self.assertTrue(self.verify(daemon)["equal"])
        for i, (_, _, change) in enumerate(PLANTED):
            self.pg(f"UPDATE v{i} SET c = {change} WHERE id = 2")
        found = self.verify(daemon, "--repair", status=1)
        self.assertEqual(sorted((d["table"], d["kind"], d["key"], d["columns"]) for d in found["differing"]),
                         sorted((f"v{i}", "different", [2], ["c"]) for i in range(len(PLANTED))))
        self.assertEqual(found["keys_logged"], len(PLANTED))
        self.assertTrue(found["daemon_running"])
        daemon.wait()
        self.assertTrue(self.verify(daemon)["equal"])

    def test_planted_rows(self):
        path, db, daemon = self.follow(KEYS)
        self.many(db, 500)
        daemon.wait()
        self.assertTrue(self.verify(daemon)["equal"])
        expected = []
        for table, key, where, extra in (
                ("by_rowid", [7], "id = 7", "SELECT -5, 'x'"), ("by_text", ["code 7"], "code = 'code 7'", "SELECT 'none'"),
                ("by_nocase", ["Name7"], "name = 'Name7'", "SELECT 'name7x'"),
                ("by_two", [7, "b7"], "b = 'b7'", "SELECT 7, ''"),
                ("by_blob", None, None, "SELECT '\\x0a'::bytea"), ("by_unique", ["e7"], "e = 'e7'", "SELECT ' '")):
            if where:
                self.pg(f"DELETE FROM {table} WHERE {where}")
                expected.append((table, "missing", key))
            names = ", ".join(row[0] for row in self.pg(
                f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 "
                f"ORDER BY attnum LIMIT {2 if table in ('by_rowid', 'by_two') else 1}"))
            self.pg(f"INSERT INTO {table} ({names}) {extra}")
        expected += [("by_rowid", "extra", [-5]), ("by_text", "extra", ["none"]), ("by_nocase", "extra", ["name7x"]),
                     ("by_two", "extra", [7, ""]), ("by_blob", "extra", [{"blob": "0a"}]), ("by_unique", "extra", [" "])]
        self.pg("DELETE FROM keyless WHERE _liteferry_rowid = 9")
        self.pg("INSERT INTO keyless SELECT * FROM keyless WHERE _liteferry_rowid = 11")
        self.pg("INSERT INTO keyless (n, t, _liteferry_rowid) VALUES (1, 'none', 1000000), (1, 'same', NULL)")
        expected += [("keyless", "missing", [9]), ("keyless", "extra", [11]), ("keyless", "extra", [1000000]),
                     ("keyless", "extra", [None])]
        found = self.verify(daemon, "--repair", status=1)
        self.assertEqual(sorted(map(repr, ((d["table"], d["kind"], d["key"]) for d in found["differing"]))),
                         sorted(map(repr, expected)))
        # No entry of the changelog can name the row without a rowid.
        self.assertEqual(found["keys_logged"], len(expected) - 1)
        self.pg("DELETE FROM keyless WHERE _liteferry_rowid IS NULL")
        daemon.wait()
        self.assertTrue(self.verify(daemon)["equal"])
        self.assert_equal(path)

    def test_rejected_rows_are_told_apart(self):
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.executescript("PRAGMA journal_mode=wal; CREATE TABLE t (id INTEGER PRIMARY KEY, n);"
                         "INSERT INTO t VALUES (1, 'no number'), (2, 2), (3, -1);")
        self.pg("CREATE TABLE t (id bigint PRIMARY KEY, n bigint CHECK (n > 0))")
        daemon = self.daemon(path)
        daemon.wait()
        found = self.verify(daemon)
        self.assertEqual((found["rejected"], found["differences"]), (2, 0))
        # A rejection that nobody recorded is a missing row; one of a row that is gone is stale.
        self.pg("DELETE FROM liteferry.rejected_row WHERE row_key = '[3]'")
        self.pg("""INSERT INTO liteferry.rejected_row (table_no, table_name, row_key, row_key_digest, column_name,
                   storage_class, reason, sqlstate) SELECT table_no, table_name, '[9]', sha256('[9]'), '', '', 'gone', ''
                   FROM liteferry.rejected_row""")
        found = self.verify(daemon, "--repair", status=1)
        self.assertEqual(sorted((d["kind"], d["key"]) for d in found["differing"]),
                         [("missing", [3]), ("stale_rejection", [9])])
        daemon.wait()
        found = self.verify(daemon)
        self.assertEqual((found["rejected"], found["differences"]), (2, 0))
        # Nor may a row stand where a rejected one is absent.
        self.pg("INSERT INTO t VALUES (1, 5)")
        found = self.verify(daemon, "--repair", status=1)
        self.assertEqual([d["key"] for d in found["differing"]], [[1]])
        daemon.wait()
        found = self.verify(daemon)
        self.assertEqual((found["rejected"], found["differences"]), (2, 0))

    # Beside the rows.

    def test_findings(self):
        path = self.dir / "app.db"
        db = self.sqlite(path)
        db.executescript("""PRAGMA journal_mode=wal; PRAGMA foreign_keys=off;
            CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);
            INSERT INTO p VALUES (1), (9); INSERT INTO c VALUES (1, 1), (2, 77);""")
        self.pg("""CREATE TABLE p (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, alone text);
            CREATE TABLE c (id bigint PRIMARY KEY, p bigint CONSTRAINT c_fk REFERENCES p); CREATE TABLE other (x int)""")
        daemon = self.daemon(path)
        daemon.wait()
        findings = self.verify(daemon)["findings"]
        self.assertEqual({f["kind"] for f in findings}, {"held", "orphans", "sequence", "target_only"})
        self.assertIn("1 row refers to none", [f["message"] for f in findings if f["kind"] == "orphans"])
        text = daemon.must("verify")
        self.assertIn("4 rows", text)
        self.assertIn("equal", text)
        # What should be replicated and is not makes it 1, what cannot be compared yet 75.
        self.assertEqual(daemon.stop(), 0)
        self.pg("UPDATE liteferry.source_table SET signature = '' WHERE name = 'c'; UPDATE c SET p = 1 WHERE id = 2")
        self.assertIn("not_comparable", {f["kind"] for f in self.verify(daemon, status=75)["findings"]})
        db.execute("CREATE TABLE fresh (id INTEGER PRIMARY KEY)")
        self.assertIn("not_followed", {f["kind"] for f in self.verify(daemon, status=1)["findings"]})

    # Bringing right.

    def damage(self):
        self.pg("DELETE FROM by_rowid WHERE id % 3 = 0")
        self.pg("UPDATE by_text SET n = n + 1, body = NULL WHERE n % 2 = 0")
        self.pg("TRUNCATE by_nocase")
        self.pg("UPDATE by_two SET a = a + 1000")
        self.pg("INSERT INTO by_blob SELECT decode(md5(i::text), 'hex'), i FROM generate_series(1, 3000) AS i")
        self.pg("DELETE FROM by_unique WHERE n > 100")
        self.pg("UPDATE keyless SET t = 'other' WHERE n = 3")

    def test_resync_under_writes(self):
        path, db, daemon = self.follow(KEYS)
        self.many(db, 3000)
        daemon.wait()
        writer = self.writer(path, 200)
        self.damage()
        result = daemon.command("resync", "--all", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(json.loads(result.stdout)["keys_logged"], 8000)
        daemon.must("resync", "by_text", "by_two")
        writer.stop()
        daemon.wait()
        found = self.verify(daemon)
        self.assertEqual(found["waiting"], 0)
        self.assert_equal(path)
        self.assertEqual(daemon.command("resync").returncode, 64)
        self.assertEqual(daemon.command("resync", "--all", "by_text").returncode, 64)
        self.assertEqual(daemon.command("resync", "none_such").returncode, 64)

    def test_without_the_daemon(self):
        path, db, daemon = self.follow(KEYS)
        self.many(db, 300)
        daemon.wait()
        self.assertEqual(daemon.stop(), 0)
        db.execute("UPDATE by_rowid SET n = n + 1 WHERE id <= 20")
        db.execute("DELETE FROM by_text WHERE n <= 10")
        db.execute("INSERT INTO by_blob VALUES (x'01', 1)")
        found = self.verify(daemon)
        self.assertEqual((found["differences"], found["waiting"], found["daemon_running"]), (0, 31, False))
        self.pg("DELETE FROM by_rowid WHERE id BETWEEN 15 AND 25")
        found = self.verify(daemon, "--table", "by_rowid", "--repair", status=1)
        self.assertEqual((found["missing"], found["waiting"], found["keys_logged"]), (5, 20, 5))
        daemon.start()
        daemon.wait()
        self.assertTrue(self.verify(daemon)["equal"])
        self.assert_equal(path)

    def test_one_table_only(self):
        path, db, daemon = self.follow(KEYS)
        self.many(db, 100)
        daemon.wait()
        self.pg("DELETE FROM by_text")
        found = self.verify(daemon, "--table", "by_rowid", "--table", "by_two")
        self.assertEqual([t["name"] for t in found["tables"]], ["by_rowid", "by_two"])
        self.assertEqual(len(self.verify(daemon, "--table", "by_text", status=1)["differing"]), 100)
        self.assertEqual(daemon.command("verify", "--table", "none_such").returncode, 64)
        text = daemon.command("verify", "--table", "by_text")
        self.assertEqual(text.returncode, 1)
        self.assertIn("100 differ (100 missing", text.stdout)
        self.assertIn("and 80 more", text.stdout)

    def test_schedule(self):
        path, db, daemon = self.follow(KEYS, config={"verify": {"schedule": "1s"}})
        self.many(db, 200)
        daemon.wait()
        first = daemon.until("a scheduled comparison", lambda s: s["verify"]["rows"] and s["verify"]["rows"] > 1000)
        self.assertEqual((first["verify"]["differences"], first["verify"]["complete"]), (0, True))
        self.pg("DELETE FROM by_rowid WHERE id <= 3")
        found = daemon.until("what differs", lambda s: s["verify"]["differences"] == 3)
        self.assertEqual(self.pg("SELECT started_by FROM liteferry.verification ORDER BY id DESC LIMIT 1"),
                         [("schedule",)])
        metrics = dict(line.rsplit(" ", 1) for line in daemon.metrics().splitlines() if not line.startswith("#"))
        self.assertEqual(float(metrics["liteferry_verify_rows_different"]), 3)
        self.assertGreaterEqual(float(metrics['liteferry_verify_differences_total{table="by_rowid"}']), 3)
        self.assertGreater(float(metrics["liteferry_verify_last_success_timestamp_seconds"]), 1.7e9)
        self.assertLess(found["verify"]["last_success"], found["verify"]["last_finished"])
        daemon.must("resync", "by_rowid")
        daemon.wait()
        daemon.until("equality", lambda s: s["verify"]["differences"] == 0)
        # Without a schedule, a comparison by hand is what status tells; without a daemon too.
        self.assertEqual(daemon.stop(), 0)
        self.pg("DELETE FROM liteferry.verification")
        self.verify(daemon)
        self.assertEqual(daemon.status()["verify"]["differences"], 0)
        self.assertIn("0 differences", daemon.must("status"))
        other = self.daemon(path, name="unscheduled")
        other.until("the result of the command", lambda s: s["verify"]["last_finished"])

    def test_kill_in_the_middle(self):
        path, db, daemon = self.follow(KEYS)
        self.many(db, 60000)
        daemon.wait(timeout=120)
        self.pg("UPDATE by_rowid SET n = 0 WHERE id > 100")
        for delay in (0.05, 0.15, 0.3, 0.5):
            process = spawn([program(), "verify", "--repair", "-c", str(daemon.config)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
            db.execute("UPDATE by_text SET n = n + 1 WHERE n % 100 = 0")
        daemon.must("resync", "--all")
        daemon.wait(timeout=120)
        self.assertTrue(self.verify(daemon)["equal"])
        self.assert_equal(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--rate", type=float, help="transactions a second")
    parser.add_argument("--pause", type=float, help="seconds between two comparisons")
    _, sys.argv[1:] = parser.parse_known_args(namespace=SOAK)
    case.main()
