#!/usr/bin/env python3
"""A writer at full speed, and a long outage: log and memory stay bounded, the lag comes back to zero.

By hand, in full (the second needs some 2 GB in /tmp, or where LITEFERRY_TEST_TMP says):
  python3 tests/e2e/load.py --seconds 600 Load.test_full_speed
  python3 tests/e2e/load.py --changes 3000000 Load.test_backlog_survives_a_kill_in_the_middle
"""
import argparse
import json
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, sqlite_catalog  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.writer import until_term  # noqa: E402

OPTIONS = argparse.Namespace(seconds=4.0, changes=30_000)
ROWS = 20_000
MEMORY = 300 << 20
LOG = 8 << 20
DDL = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, updated_at TIMESTAMP);
CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, item INTEGER, kind TEXT);
"""


def write(path, seed):
    """The application: as fast as it can, a few rows a transaction, until SIGTERM."""
    rng = random.Random(seed)
    stop = until_term()
    db = sqlite_catalog.connect(path)
    db.execute("PRAGMA synchronous = NORMAL")
    commits = 0
    while not stop:
        db.execute("BEGIN IMMEDIATE")
        for _ in range(rng.randint(1, 4)):
            db.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, '2026-01-01 00:00:00')",
                       (rng.randrange(ROWS), f"name {commits}", rng.random()))
        event = db.execute("INSERT INTO event (item, kind) VALUES (?, 'sold')", (rng.randrange(ROWS),)).lastrowid
        db.execute("DELETE FROM event WHERE id <= ?", (event - ROWS,))
        db.execute("COMMIT")
        commits += 1
    db.close()
    print(json.dumps({"commits": commits}))


class Load(case.Case):
    def memory(self, daemon, what="VmRSS"):
        text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", text)[1]) << 10

    def test_full_speed(self):
        path = self.make_source(DDL)
        daemon = self.daemon(path, {"changelog": {"retention": "0s", "max_size": str(LOG)}, "log": {"level": "info"}})
        daemon.wait()
        writer = self.writer(path, script=__file__)
        most = {"backlog": 0, "lag": 0.0, "log_bytes": 0}
        end = time.monotonic() + OPTIONS.seconds
        while time.monotonic() < end:
            status = daemon.status()
            self.assertNotIn(status["state"], ("halted", "retrying", "paused"), status)
            most["backlog"] = max(most["backlog"], status["backlog_changes"])
            most["lag"] = max(most["lag"], status["lag_seconds"] or 0)
            most["log_bytes"] = max(most["log_bytes"], status["source"]["log_bytes"])
            time.sleep(0.5)
        commits = writer.stop()["commits"]
        daemon.wait(timeout=300)
        self.assertEqual(daemon.status()["lag_seconds"], 0)
        peak = self.memory(daemon, "VmHWM")
        print(f"{commits} commits, {daemon.status()['position']['captured']} changes in {OPTIONS.seconds} s, "
              f"at most {most}, memory {peak >> 20} MiB", flush=True)
        self.assertLess(peak, MEMORY)
        self.assertLess(most["log_bytes"], 6 * LOG)
        db = self.sqlite(path)
        wait_until("the log is cut", lambda: db.execute(
            "SELECT max(seq) - min(seq) FROM _liteferry_log").fetchone()[0] < 2000, 300)
        self.assert_equal(path)

    def test_a_batch_of_many_wide_tables_is_no_larger_than_one_of_few(self):
        tables, rows = 60, 300
        path = self.make_source("".join(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, body TEXT);" for n in range(tables)))
        daemon = self.daemon(path, {"log": {"level": "info"}})
        daemon.wait()
        daemon.must("pause")
        db = self.sqlite(path)
        db.execute("BEGIN")
        for number in range(tables):
            db.executemany(f"INSERT INTO t{number} VALUES (?, ?)", ((i, "x" * 10_000) for i in range(rows)))
        db.execute("COMMIT")
        daemon.must("resume")
        daemon.wait()
        peak = self.memory(daemon, "VmHWM")
        print(f"{tables * rows * 10_000 >> 20} MiB of rows in {tables} tables, memory {peak >> 20} MiB", flush=True)
        self.assertLess(peak, 100 << 20)
        self.assert_equal(path)

    # An outage of PostgreSQL, told by what waits after it.

    def applied(self):
        return self.pg("SELECT applied_seq FROM liteferry.stream")[0][0]

    def grow_backlog(self, path, changes):
        """A third each are inserted, updated (every row of them) and deleted with an insert elsewhere."""
        db = self.sqlite(path)
        part = changes // 6
        for start in range(0, part, 50_000):
            some = range(start, min(start + 50_000, part))
            db.execute("BEGIN")
            db.executemany("INSERT INTO item VALUES (?, ?, 0.1, NULL)", ((i, f"name {i}") for i in some))
            db.executemany("INSERT INTO event (item, kind) VALUES (?, 'sold')", ((i,) for i in some))
            db.executemany("UPDATE item SET price = price * 3 WHERE id = ?", ((i,) for i in some))
            db.executemany("UPDATE event SET kind = 'told' WHERE id = ?", ((i + 1,) for i in some))
            db.executemany("UPDATE item SET name = name || '!' WHERE id = ?", ((i,) for i in some))
            db.executemany("DELETE FROM event WHERE id = ?", ((i + 1,) for i in some if i % 2))
            db.execute("COMMIT")

    def test_backlog_survives_a_kill_in_the_middle(self):
        path = self.make_source(DDL)
        small = OPTIONS.changes < 1_000_000
        config = {"apply": {"max_batch_changes": 300}} if small else {}
        daemon = self.daemon(path, {**config, "log": {"level": "info"}})
        daemon.wait()
        begin = self.applied()
        self.cluster.stop("immediate")
        self.grow_backlog(path, OPTIONS.changes)
        captured = self.sqlite(path).execute("SELECT max(seq) FROM _liteferry_log").fetchone()[0]
        self.assertGreater(captured - begin, OPTIONS.changes * 0.9)
        daemon.until("down", lambda s: s["state"] == "retrying" and s["backlog_changes"] >= captured - begin)
        self.cluster.start()
        started = time.monotonic()
        daemon.must("resume")
        wait_until("a tenth is applied", lambda: self.applied() > begin + (captured - begin) / 10, 600, step=0.002)
        if not small:
            # Long enough for a person to see how it goes.
            status = daemon.until("an estimate", lambda s: s["eta_seconds"] and s["progress"]["fraction"], 120)
            self.assertEqual((status["state"], status["consistent"]), ("catching_up", False))
            print({k: status[k] for k in ("eta_seconds", "progress", "lag_seconds")}, flush=True)
        peak = self.memory(daemon, "VmHWM")
        daemon.kill()
        middle = self.applied()
        self.assertLess(middle, captured, "killed in the middle")
        self.assertFalse(self.pg("SELECT consistent FROM liteferry.stream")[0][0])
        daemon.start()
        status = daemon.until("goes on", lambda s: s["position"]["applied"] is not None)
        self.assertGreaterEqual(status["position"]["applied"], middle)
        daemon.wait(timeout=1800)
        peak = max(peak, self.memory(daemon, "VmHWM"))
        print(f"{captured - begin} changes caught up in {time.monotonic() - started:.1f} s, killed at "
              f"{(middle - begin) / (captured - begin):.0%}, memory {peak >> 20} MiB", flush=True)
        self.assertLess(peak, MEMORY)
        self.assertTrue(daemon.status()["consistent"])
        self.assert_equal(path)


if __name__ == "__main__":
    if "--db" in sys.argv:
        parser = argparse.ArgumentParser()
        parser.add_argument("--db")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--rate")
        args = parser.parse_args()
        write(args.db, args.seed)
    else:
        parser = argparse.ArgumentParser(add_help=False)
        parser.add_argument("--seconds", type=float)
        parser.add_argument("--changes", type=int)
        _, sys.argv[1:] = parser.parse_known_args(namespace=OPTIONS)
        case.main()
