#!/usr/bin/env python3
"""The changelog stays small: what is applied and old enough, or beyond the size limit, is trimmed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import wait_until  # noqa: E402

DDL = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"


class Changelog(case.Case):
    def tearDown(self):
        self.cluster.revive()
        super().tearDown()

    def log(self, sql):
        return self.sqlite(self.path).execute(sql).fetchone()

    def insert(self, db, count):
        db.execute("BEGIN")
        db.executemany("INSERT INTO t VALUES (?, ?)", [(i, i) for i in range(count)])
        db.execute("COMMIT")

    def trimmed(self, daemon, entries):
        wait_until("the changelog is trimmed", lambda: self.log(
            "SELECT count(*) FROM _liteferry_log")[0] <= entries, 60)
        status = daemon.status()
        oldest, newest = self.log("SELECT min(seq), max(seq) FROM _liteferry_log")
        self.assertEqual(newest, status["position"]["captured"], "the newest entry stays")
        self.assertLessEqual(oldest, status["position"]["applied"])

    def run_trimmed(self, changelog, entries, journal):
        self.path = self.make_source(DDL, journal=journal)
        daemon = self.daemon(self.path, {"changelog": changelog})
        daemon.wait()
        db = self.sqlite(self.path)
        self.insert(db, entries)
        daemon.wait()
        self.trimmed(daemon, 200)
        # Numbers go on where they were, also after a restart.
        newest = self.log("SELECT max(seq) FROM _liteferry_log")[0]
        self.assertEqual(daemon.stop(), 0)
        db.execute("UPDATE t SET v = -v WHERE id = 7")
        self.assertEqual(self.log("SELECT max(seq) FROM _liteferry_log")[0], newest + 1)
        daemon.start()
        daemon.wait()
        self.assert_equal(self.path)

    def test_by_age(self):
        self.run_trimmed({"retention": "0s"}, 20_000, "wal")

    def test_by_age_in_rollback_journal_mode(self):
        self.run_trimmed({"retention": "0s"}, 3_000, "delete")

    def test_by_size(self):
        """A day old is nothing here, but the limit of 1 MiB is passed."""
        self.path = self.make_source(DDL)
        daemon = self.daemon(self.path, {"changelog": {"max_size": "1MiB"}})
        daemon.wait()
        self.insert(self.sqlite(self.path), 100_000)
        daemon.wait()
        self.trimmed(daemon, 80_000)
        self.assert_equal(self.path)

    # PostgreSQL is away, and what waits outgrows the limit.

    def outgrow(self, when_full):
        self.path = self.make_source(DDL)
        db = self.sqlite(self.path)
        db.execute("INSERT INTO t VALUES (-1, 0)")
        daemon = self.daemon(self.path, {"changelog": {"max_size": "1MiB", "when_full": when_full}})
        daemon.wait()
        self.cluster.stop("immediate")
        self.insert(db, 100_000)
        wait_until("it is told", lambda: "changelog_full" in daemon.log.read_text(), 60)
        return db, daemon

    def test_beyond_the_limit_it_is_kept_and_said_so(self):
        db, daemon = self.outgrow("keep")
        daemon.until("the note", lambda s: any("changelog.max_size" in note for note in s["notes"]))
        db.execute("UPDATE t SET v = 7 WHERE id = -1")
        daemon.until("it goes on", lambda s: s["backlog_changes"] == 100_001)
        size, limit = (float(next(line for line in daemon.metrics().splitlines() if line.startswith(name + " ")).split()[1])
                       for name in ("liteferry_replication_lag_bytes", "liteferry_changelog_limit_bytes"))
        self.assertGreater(size, limit)
        self.cluster.start()
        daemon.must("resume")
        daemon.wait()
        daemon.until("no note", lambda s: not any("changelog.max_size" in note for note in s["notes"]))
        self.assert_equal(self.path)

    def test_beyond_the_limit_the_capture_is_released(self):
        db, daemon = self.outgrow("release")
        status = daemon.until_state("paused")
        self.assertIn("changelog.max_size", status["reason"])
        self.assertIn("liteferry resume", status["next_action"])
        newest = self.log("SELECT max(seq) FROM _liteferry_log")
        db.execute("UPDATE t SET v = v + 1 WHERE id % 3 = 0")
        self.assertEqual(self.log("SELECT max(seq) FROM _liteferry_log"), newest, "nothing is captured")
        self.cluster.start()
        daemon.must("resume")
        daemon.until("equal again", lambda s: s["state"] == "following" and s["consistent"], 120)
        self.assert_equal(self.path)
        db.execute("UPDATE t SET v = -v WHERE id = 8")
        daemon.wait()
        self.assert_equal(self.path)


if __name__ == "__main__":
    case.main()
