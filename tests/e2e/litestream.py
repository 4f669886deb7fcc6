#!/usr/bin/env python3
"""Litestream and liteferry on one database: copy, following, a restore from Litestream's replica, cutover."""
import os
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service, sqlite_catalog  # noqa: E402
from harness.litestream import Litestream  # noqa: E402
from harness.process import wait_until  # noqa: E402


class BesideLitestream(case.Case):
    def users(self):
        return self.writer(self.path, rate=60, script=notes_service.__file__)

    # Marks are users: no client renames or deletes those.
    def has(self, copy, name):
        db = sqlite_catalog.connect(copy, readonly=True)
        try:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            return db.execute("SELECT count(*) FROM users WHERE username = ?", (name,)).fetchone()[0] == 1
        finally:
            db.close()

    def mark(self, name):
        db = sqlite_catalog.connect(self.path)
        db.execute("INSERT INTO users (username) VALUES (?)", (name,))
        db.close()

    def restored_with(self, name):
        """A restore from the replica that has this mark: Litestream writes once a second."""
        def restored():
            copy = self.dir / "restored.db"
            copy.unlink(missing_ok=True)
            self.litestream.restore(copy)
            return copy if self.has(copy, name) else None

        return wait_until(f"Litestream has kept {name}", restored, 120, step=0.5)

    def test_from_copy_to_cutover(self):
        self.path = self.dir / "app.db"
        notes_service.create(self.path, notes=300, revisions=4000, seed=1)
        self.pg((notes_service.DATA / "postgres.sql").read_text())
        self.litestream = Litestream(self.dir, self.path).start()
        self.addCleanup(self.litestream.kill)
        users = self.users()
        daemon = self.daemon(self.path, {"copy": {"chunk_rows": 500}, "cutover": {"max_pause": "20s"}})
        daemon.until_answers()
        daemon.until_state("following", 120)
        daemon.wait(lag="10s")
        self.mark("before")
        copy = self.restored_with("before")

        # What is written now the restore does not have.
        self.mark("after")
        users.stop()
        daemon.wait()
        self.assert_equal(self.path)
        self.assertEqual(self.litestream.stop(), 0)
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        os.replace(copy, self.path)
        self.assertFalse(self.has(self.path, "after"))
        # As Litestream wants it after a restore: what it knew of the old file goes.
        shutil.rmtree(self.dir / ".app.db-litestream")
        status = daemon.until_state("halted", 120)
        self.assertIn("resume --reconcile", status["next_action"])

        self.litestream.start()
        users = self.users()
        daemon.must("resume", "--reconcile")
        daemon.until("consistent again", lambda s: s["state"] == "following" and s["consistent"], 120)
        self.mark("later")
        self.restored_with("later")
        users.stop()
        daemon.wait()
        self.assert_equal(self.path)

        users = self.users()
        daemon.must("verify")
        daemon.must("cutover", "start")
        users.stop()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "moved to PostgreSQL"):
            self.mark("too late")
        self.assert_equal(self.path)
        self.assertTrue(self.litestream.alive() and daemon.alive())
        self.assertEqual(self.litestream.stop(), 0)
        self.assertEqual(self.litestream.complaints(), [])
        copy = self.restored_with("later")
        with self.assertRaisesRegex(sqlite3.IntegrityError, "moved to PostgreSQL"):
            sqlite3.connect(copy).execute("INSERT INTO users (username) VALUES ('too late')")


if __name__ == "__main__":
    case.main()
