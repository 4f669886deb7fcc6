#!/usr/bin/env python3
"""The changelog stays small: what is applied and old enough, or beyond the size limit, is trimmed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import wait_until  # noqa: E402

DDL = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"


class Changelog(case.Case):
    def log(self, sql):
        return self.sqlite(self.path).execute(sql).fetchone()

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
        db.executemany("INSERT INTO t VALUES (?, ?)", [(i, i) for i in range(entries)])
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
        db = self.sqlite(self.path)
        db.executemany("INSERT INTO t VALUES (?, ?)", [(i, i) for i in range(100_000)])
        daemon.wait()
        self.trimmed(daemon, 80_000)
        self.assert_equal(self.path)


if __name__ == "__main__":
    case.main()
