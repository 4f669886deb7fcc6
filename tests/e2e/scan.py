#!/usr/bin/env python3
"""`check --scan` and `--suggest`: the verdict on every value beforehand is the one of the copy."""
import collections
import concurrent.futures
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service, sqlite_catalog  # noqa: E402
from harness.daemon import program  # noqa: E402
from harness.process import clean_environment, spawn, wait_until  # noqa: E402

NOTES = case.DATA / "notes"

DIRTY = {  # tests/data/notes/dirty.sql: table, column and a part of the reason
    ("notes", "title", "NUL"), ("notes", "is_public", "neither true nor false"),
    ("notes", "updated_at", "epoch"), ("repos", "created_at", "empty"),
    ("sprints", "status", "more characters"), ("sprint_items", "labels", "JSON"),
    ("sprint_items", "position", "whole number"), ("note_revisions", "revision_number", "range"),
    ("tags", "name", "UTF-8")}

BAR = re.compile(rb"scan  (\d+\.\d)%  ")

# Only the server knows: unique values, CHECK, foreign keys.
SERVER_ONLY = ("23505", "23503", "23514", "23P01")


class Scan(case.Case):
    def check(self, daemon, *options, status=None):
        result = daemon.command("check", *options)
        self.assertNotIn("HINT: This is a bug", result.stderr)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def scan(self, daemon, status=None):
        return json.loads(self.check(daemon, "--scan", "--json", status=status).stdout)["scan"]

    def rejected(self):
        """{table: {key: sqlstate}} of what the copy held back."""
        rows = collections.defaultdict(dict)
        for table, key, state in self.pg(
                "SELECT table_name, row_key, sqlstate FROM liteferry.rejected_row"):
            rows[table][key] = state
        return rows

    def assert_as_the_copy(self, scan, rejected):
        """The rows that scan() named are those that were rejected, but for what only the server finds."""
        for table in scan["tables"]:
            name = table["source"]
            held = {k: s for k, s in rejected[name].items() if s not in SERVER_ONLY}
            # Keys of NULL may be shared by several rows, which then share a record.
            nulls = sum(1 for key in held if None in json.loads(key))
            self.assertEqual(table["null_keys"]["count"] > 0, nulls > 0, name)
            self.assertEqual(table["rejected_rows"] - table["null_keys"]["count"],
                             len(held) - nulls, f"{name}: {table}\n{held}")
            keys = [json.loads(key) for key in held]
            for column in table["columns"]:
                for reason in column["reasons"]:
                    for sample in reason["samples"]:
                        self.assertIn(sample["key"], keys, f"{name}: {reason}")

    def test_names_the_nine_dirty_rows_of_the_notes(self):
        path = self.dir / "notes.db"
        notes_service.create(path, seed=self.seed, dirty=True)
        self.pg((NOTES / "postgres.sql").read_text())
        daemon = self.daemon(path, start=False)
        scan = self.scan(daemon, status=65)
        self.assertEqual(scan["rejected_rows"], 9)
        found = [(t["source"], c["source"], r["reason"]) for t in scan["tables"]
                 for c in t["columns"] for r in c["reasons"] for _ in range(r["count"])]
        self.assertEqual(len(found), 9, found)
        for table, column, part in DIRTY:
            self.assertTrue(any(f[:2] == (table, column) and part in f[2] for f in found),
                            f"{table}.{column}: {found}")
        text = self.check(daemon, "--scan", status=65).stdout
        self.assertNotIn("cancelled-and-archived", text)
        self.assertIn("9 would be rejected", text)
        values = self.check(daemon, "--scan", "--show-values", status=65).stdout
        self.assertIn("'cancelled-and-archived'", values)
        daemon.start().wait()
        self.assert_as_the_copy(scan, self.rejected())

    def test_suggested_configuration_lets_the_rows_in(self):
        path = self.dir / "app.db"
        db = sqlite_catalog.connect(path)
        db.executescript("""
            CREATE TABLE CustomerOrder (OrderId INTEGER PRIMARY KEY, CreatedAt DATETIME, PaidAt DATETIME,
                                        JulianDay REAL, "TickUs" BIGINT, Note TEXT);
            CREATE TABLE "user" (id INTEGER PRIMARY KEY, "on" TIMESTAMP, born DATE);
            CREATE TABLE Leftover (id INTEGER PRIMARY KEY);
            INSERT INTO CustomerOrder VALUES
              (1, 1700000000123, 1700000000, 2460000.5, 1700000000000001, 'x'),
              (2, 1710000000456, 1710000000, 2460100.25, 1710000000000002, NULL),
              (3, NULL, NULL, NULL, NULL, 'a' || char(0) || 'b');
            INSERT INTO "user" VALUES (1, 1700000000.5, '2000-01-01'), (2, '2024-01-01 00:00:00', NULL);""")
        db.close()
        self.pg("""CREATE TABLE customer_order (order_id bigint PRIMARY KEY, created_at timestamptz, paid_at timestamptz,
                                                julian_day timestamp, tick_us timestamptz, note text);
                   CREATE TABLE "user" (id bigint PRIMARY KEY, "on" timestamptz, born date)""")
        daemon = self.daemon(path, start=False)
        before = self.check(daemon)
        self.assertEqual(before.returncode, 65)
        suggested = self.check(daemon, "--suggest").stdout
        self.assertIn('# exclude: [Leftover]', suggested)
        self.assertIn("# on_invalid: strip_nul", suggested)
        for unit in ("s", "ms", "us", "julian"):
            self.assertRegex(suggested, rf"(?m)^ +epoch: \"?{unit}\"?$")
        # As it is printed, with the two offers taken: then everything fits.
        taken = re.sub(r"(?m)^( *)# (exclude|on_invalid|Note|columns|tables)(?=: |:$)", r"\1\2", suggested)
        for text in (suggested, taken):
            file = self.dir / "suggested.yaml"
            file.write_text(text)
            result = subprocess.run(
                [program(), "check", "--scan", "-c", str(file), "--target", self.url],
                capture_output=True, text=True, env=clean_environment(), check=False, timeout=60)
            self.assertEqual(result.returncode, 65 if text is suggested else 0,
                             text + result.stdout + result.stderr)
        command = [program(), "run", "-c", str(file), "--target", self.url]
        with open(self.dir / "run.log", "wb") as log:
            process = spawn(command, stdout=log, stderr=log, env=clean_environment())
        self.addCleanup(process.kill)
        wait = [program(), "wait", "-c", str(file), "--target", self.url]
        done = subprocess.run(wait, capture_output=True, text=True, env=clean_environment(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr + (self.dir / "run.log").read_text())
        self.assertEqual(self.pg("""SELECT order_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'),
                                           to_char(paid_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                                           julian_day::text, extract(microseconds FROM tick_us)::int, note
                                    FROM customer_order ORDER BY 1"""), [
            (1, "2023-11-14 22:13:20.123", "2023-11-14 22:13:20", "2023-02-25 00:00:00", 20000001, "x"),
            (2, "2024-03-09 16:00:00.456", "2024-03-09 16:00:00", "2023-06-04 18:00:00", 2, None),
            (3, None, None, None, None, "ab")])
        self.assertEqual(self.pg('SELECT extract(epoch FROM "on")::float FROM "user" ORDER BY id'),
                         [(1700000000.5,), (1704067200.0,)])
        process.terminate()
        self.assertEqual(process.wait(60), 0)

    def test_profiles_what_has_no_counterpart(self):
        path = self.make_source("CREATE TABLE known (id INTEGER PRIMARY KEY, a)")
        self.sqlite(path).executescript("""CREATE TABLE lonely (a, b TEXT);
            INSERT INTO lonely VALUES (1, 'x'), (2.5, NULL), (x'00', 'true'); INSERT INTO known VALUES (1, 'a');""")
        daemon = self.daemon(path, start=False)
        tables = {t["source"]: t for t in self.scan(daemon, status=65)["tables"]}
        self.assertEqual(tables["lonely"]["target"], "")
        a, b = tables["lonely"]["columns"]
        self.assertEqual(a["storage"], {"null": 0, "integer": 1, "real": 1, "text": 0, "blob": 1})
        self.assertEqual((b["text_forms"]["boolean"], b["storage"]["null"]), (1, 1))
        planned = [c["planned_type"] for c in tables["lonely"]["columns"]]
        self.assertEqual(planned[1], "text")
        ddl = daemon.command("schema", "--set", "target.create_tables=always").stdout
        self.assertRegex(ddl, rf"(?s)CREATE TABLE lonely \(.*a {planned[0]}")
        self.assertEqual(tables["known"]["rejected_rows"], 0)
        # Without any target at all.
        away = self.daemon(path, url="postgresql://app@127.0.0.1:1/none", name="away", start=False)
        self.assertEqual(len(self.scan(away, status=69)["tables"]), 2)

    def test_counts_rows_once_whatever_the_ranges(self):
        path = self.make_source("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT); CREATE TABLE r (n INT);"
                                "CREATE TABLE w (k TEXT PRIMARY KEY, n INT) WITHOUT ROWID")
        db = self.sqlite(path)
        db.executescript("""
            WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 600000)
              INSERT INTO t SELECT i * 3, i FROM c;
            INSERT INTO r SELECT n FROM t WHERE id <= 900000;
            INSERT INTO w SELECT printf('%08x', id), n FROM t WHERE id <= 900000;
            UPDATE t SET n = 'bad' WHERE id % 100000 = 0; UPDATE r SET n = 1 << 40 WHERE n % 50000 = 0;
            ANALYZE;""")
        for jobs in (1, 3):
            daemon = self.daemon(path, {"copy": {"jobs": jobs}}, name=f"jobs{jobs}", start=False)
            tables = {t["source"]: t for t in self.scan(daemon, status=65)["tables"]}
            self.assertEqual({n: (t["rows"], t["rejected_rows"]) for n, t in tables.items()},
                             {"t": (600000, 6), "r": (300000, 6), "w": (300000, 0)})
            samples = tables["t"]["columns"][1]["reasons"][0]["samples"]
            self.assertEqual([s["key"] for s in samples], [[100000 * 3 * i] for i in (1, 2, 3)])

    def scan_on_a_terminal(self, daemon, options, meanwhile):
        """(status, stdout, stderr) of a scan, which stands still at its first sign of life until
        meanwhile(process) is over; for a second at most, since the scan may hold a lock that this waits for."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = spawn([program(), "check", "--scan", *options, "-c", str(daemon.config)],
                        stdout=subprocess.PIPE, stderr=slave, env=clean_environment(TERM="xterm"))
        self.addCleanup(process.kill)
        os.close(slave)
        seen = bytearray()

        def bar():
            seen.extend(os.read(master, 4096))
            return BAR.search(seen)
        wait_until("a bar", bar, 30)
        process.send_signal(signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            done = pool.submit(meanwhile, process)
            concurrent.futures.wait([done], 1)
            process.send_signal(signal.SIGCONT)
            done.result(60)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output, bytes(seen)

    def big(self, journal, rows=700000):
        path = self.make_source("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT)", journal=journal)
        self.sqlite(path).executescript(f"""
            WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {rows})
              INSERT INTO t SELECT i, hex(i), hex(i) FROM c;""")
        return path, self.daemon(path, {"copy": {"jobs": 1}}, start=False)

    def test_reads_in_short_snapshots(self):
        """A commit gets in meanwhile, and its row is seen: no snapshot lasts as long as the scan."""
        rows = 700000
        for journal in ("wal", "delete"):
            for _ in range(6):
                path, daemon = self.big(journal, rows)
                writer = sqlite_catalog.connect(path, check_same_thread=False)
                self.addCleanup(writer.close)
                status, output, seen = self.scan_on_a_terminal(
                    daemon, ["--json"],
                    lambda _: writer.execute("INSERT INTO t VALUES (1 << 40, '', '')"))  # noqa: B023
                self.assertEqual(status, 0, output)
                self.pg("DROP TABLE t")
                writer.close()
                path.unlink()
                if float(BAR.search(seen)[1]) < 50:
                    break
                rows *= 2  # this machine is too fast: the scan was nearly over when the row came
            else:
                self.fail(f"{rows} rows are read before a bar is seen")
            self.assertEqual(json.loads(output)["scan"]["rows"], rows + 1, journal)

    def test_interrupt_ends_it_and_the_terminal_has_a_bar(self):
        _, daemon = self.big("delete")
        status, output, seen = self.scan_on_a_terminal(
            daemon, [], lambda process: process.send_signal(signal.SIGINT))
        self.assertEqual((status, output), (-signal.SIGINT, b""))
        self.assertRegex(seen, rb"scan  \d+\.\d%  \[#*-+\]  0/1 tables  ")


def add(database):
    def test(self):
        path = case.borrow(database, self.dir)
        self.make_target(path)
        daemon = self.daemon(path, start=False)
        if not sqlite_catalog.tables(self.sqlite(path)):
            return
        self.writer(path, 0, ("--odd", "0.2", "--commits", "120")).finish()
        scan = self.scan(daemon)
        daemon.start().wait()
        self.assert_as_the_copy(scan, self.rejected())
        total = {t["source"]: t["rows"] for t in scan["tables"]}
        for table in sqlite_catalog.tables(self.sqlite(path)):
            count = self.sqlite(path).execute(f"SELECT count(*) FROM {table.quoted}").fetchone()[0]
            self.assertEqual(total[table.name], count, table.name)

    setattr(Scan, "test_as_the_copy_" + re.sub(r"\W", "_", database.stem), test)


for each in case.corpus():
    add(each)

if __name__ == "__main__":
    case.main()
