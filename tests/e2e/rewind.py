#!/usr/bin/env python3
"""A source or a target that goes back in time is recognised: halted or reconciled, never passed over."""
import os
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import wait_until  # noqa: E402

DDL = """
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE);
CREATE TABLE keyless (v TEXT);
"""


class Rewind(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.write(self.path, 0, 300)

    def launch(self, config=None):
        self.running = self.daemon(self.path, config)
        self.running.wait()

    def write(self, path, start, count):
        db = sqlite3.connect(path)
        with db:
            db.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"v{i}") for i in range(start, start + count)))
            db.execute("INSERT INTO keyless SELECT v FROM t WHERE id >= ?", (start,))
            db.execute("UPDATE t SET v = v || '!' WHERE id % 7 = 0")
            db.execute("DELETE FROM t WHERE id % 11 = 3")
        db.close()

    def backup(self):
        copy = self.dir / "backup.db"
        source, target = sqlite3.connect(self.path), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        return copy

    def restore(self, copy):
        """As a person does it: the files are replaced while the daemon looks on."""
        for suffix in ("-wal", "-shm"):
            if os.path.exists(f"{self.path}{suffix}"):
                os.unlink(f"{self.path}{suffix}")
        shutil.copy(copy, f"{self.path}.new")
        os.replace(f"{self.path}.new", self.path)

    def becomes_equal(self):
        wait_until("both sides are equal", lambda: self.compare(self.path).equal, 60)
        self.running.until("consistent", lambda s: s["state"] == "following" and s["consistent"])
        self.assert_equal(self.path)

    def halts_and_reconciles(self, words):
        status = self.running.until_state("halted")
        self.assertIn(words, status["reason"])
        self.assertIn("resume --reconcile", status["next_action"])
        self.assertNotEqual(self.running.command("wait", "--timeout", "1s").returncode, 0)
        self.running.must("resume", "--reconcile")
        self.becomes_equal()
        self.write(self.path, 5000, 20)
        self.running.wait()
        self.assert_equal(self.path)

    def test_source_restored_behind_the_position(self):
        self.launch()
        copy = self.backup()
        self.write(self.path, 1000, 50)
        self.running.wait()
        self.restore(copy)
        self.halts_and_reconciles("went back in time")

    def test_source_restored_into_the_same_file(self):
        """Nothing is newer than the position, and nothing tells the file from before: the log goes back."""
        self.launch()
        copy = self.backup()
        self.write(self.path, 1000, 50)
        self.running.wait()
        source, target = sqlite3.connect(copy), sqlite3.connect(self.path)
        source.backup(target)
        source.close()
        target.close()
        self.running.until_state("halted")
        self.running.until("the lag grows", lambda s: s["lag_seconds"] is not None and s["lag_seconds"] > 0.2)
        self.running.must("resume", "--reconcile")
        self.becomes_equal()
        self.running.wait()
        self.write(self.path, 5000, 20)
        self.running.wait()
        self.assert_equal(self.path)

    def test_source_restored_and_at_the_same_sequence_again(self):
        self.launch()
        copy = self.backup()
        self.write(self.path, 1000, 50)
        self.running.wait()
        self.running.kill()
        self.restore(copy)
        self.write(self.path, 2000, 50)
        self.running.start()
        self.halts_and_reconciles("another entry at that position")

    def test_source_restored_and_already_past_the_position(self):
        self.launch()
        copy = self.backup()
        self.write(self.path, 1000, 20)
        self.running.wait()
        self.running.kill()
        self.restore(copy)
        self.write(self.path, 2000, 500)
        self.running.start()
        self.halts_and_reconciles("another entry at that position")

    def test_wal_deleted(self):
        self.launch()
        self.running.kill()
        db = sqlite3.connect(self.path)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        holder = sqlite3.connect(self.path)
        holder.execute("PRAGMA wal_autocheckpoint = 0")
        holder.execute("INSERT INTO t VALUES (900000, 'lost')")
        holder.commit()
        self.running.start()
        wait_until("it is applied", lambda: self.pg("SELECT count(*) FROM t WHERE id = 900000")[0][0] == 1, 30)
        self.running.kill()
        # The process dies with the machine; somebody tidies the folder up.
        bytes_before = self.path.read_bytes()
        holder.close()
        for suffix in ("-wal", "-shm"):
            if os.path.exists(f"{self.path}{suffix}"):
                os.unlink(f"{self.path}{suffix}")
        self.path.write_bytes(bytes_before)
        self.write(self.path, 3000, 50)
        self.running.start()
        self.halts_and_reconciles("went back in time")

    def test_source_restored_from_before_the_migration(self):
        copy = self.backup()
        self.launch()
        self.write(self.path, 1000, 50)
        self.running.wait()
        self.restore(copy)
        self.halts_and_reconciles("lost liteferry's tables")

    def test_reconciles_by_itself_when_configured(self):
        self.launch({"apply": {"on_rewind": "reconcile"}})
        copy = self.backup()
        self.write(self.path, 1000, 50)
        self.running.wait()
        self.restore(copy)
        self.becomes_equal()

    def test_file_replaced_by_a_vacuumed_copy_of_itself(self):
        self.launch()
        db = sqlite3.connect(self.path)
        db.execute("DELETE FROM keyless WHERE rowid % 3 = 0")
        db.commit()
        db.execute(f"VACUUM INTO '{self.dir}/copy.db'")
        db.close()
        self.restore(self.dir / "copy.db")
        self.write(self.path, 4000, 30)
        self.becomes_equal()

    def test_source_gone_and_back(self):
        self.launch()
        away = self.dir / "away.db"
        os.rename(self.path, away)
        self.running.until("source down", lambda s: s["state"] in ("retrying", "halted"))
        os.rename(away, self.path)
        self.write(self.path, 4000, 30)
        self.becomes_equal()

    def restore_target(self, config=None):
        """To a time that the changelog no longer goes back to."""
        self.launch({"changelog": {"retention": "0s"}, **(config or {})})
        self.running.kill()
        self.pg("CREATE SCHEMA saved")
        for table in ("t", "keyless"):
            self.pg(f"CREATE TABLE saved.{table} AS TABLE public.{table}")
        self.pg("CREATE TABLE saved.stream AS TABLE liteferry.stream")
        self.running.start()
        self.write(self.path, 1000, 200)
        self.running.wait()
        self.running.until("trimmed", lambda s: s["position"]["oldest_kept"] == s["position"]["captured"], 90)
        self.running.kill()
        for table in ("t", "keyless"):
            self.pg(f"TRUNCATE public.{table}; INSERT INTO public.{table} SELECT * FROM saved.{table}")
        self.pg("UPDATE liteferry.stream s SET applied_seq = o.applied_seq, applied_mark = o.applied_mark "
                "FROM saved.stream o")
        self.pg("DROP SCHEMA saved CASCADE")
        self.running.start()

    def test_target_restored_behind_the_kept_log(self):
        self.restore_target()
        self.halts_and_reconciles("older than the oldest kept change")

    def test_target_restored_behind_the_kept_log_and_reconciled_when_configured(self):
        self.restore_target({"apply": {"on_rewind": "reconcile"}})
        self.becomes_equal()

    def test_target_restored_from_before_the_migration(self):
        """Tables with rows, and nothing that tells of liteferry."""
        self.launch()
        self.running.kill()
        self.pg("DROP SCHEMA liteferry CASCADE; DELETE FROM t WHERE id < 100")
        self.write(self.path, 1000, 20)
        self.running.start()
        status = self.running.until_state("halted")
        self.assertIn("already has", status["reason"])
        self.assertIn("target.existing_rows: replace", status["next_action"])
        self.running.kill()
        self.running.configure({"target": {"existing_rows": "replace"}})
        self.running.start()
        self.running.wait()
        self.assert_equal(self.path)


if __name__ == "__main__":
    case.main()
