#!/usr/bin/env python3
"""kill -9 of the daemon and crashes of the server at random moments; equality after each."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service  # noqa: E402

NOTES = case.DATA / "notes"


class Kill(case.Case):
    def notes(self, revisions):
        path = self.dir / "notes.db"
        notes_service.create(path, notes=300, revisions=revisions, seed=self.seed)
        self.pg((NOTES / "postgres.sql").read_text())
        return path

    def users(self, path):
        return self.writer(path, 150, script=notes_service.__file__)

    def copied(self, daemon):
        status = daemon.status()
        return sum(t["rows_copied"] for t in status["tables"]) if status else 0

    def test_daemon_in_copy(self):
        """Five copies, each killed five times; what was copied is not copied again."""
        for turn in range(5):
            with self.subTest(copy=turn):
                self.copy_killed()

    def copy_killed(self):
        path = self.notes(revisions=40000)
        daemon = self.daemon(path, {"copy": {"chunk_rows": 200}}, start=False)
        writer = self.users(path)
        for _ in range(5):
            daemon.start()
            daemon.run_for(self.random.uniform(0.05, 0.5))
            # What a killed daemon had committed is at least this.
            before = self.copied(daemon)
            daemon.kill()
            daemon.start()
            after = daemon.until("the copy is known again", lambda s: s["tables"] and sum(
                t["rows_copied"] for t in s["tables"]) >= before, 30)
            self.assertIn(after["state"], ("copying", "catching_up", "following"))
            daemon.kill()
        daemon.start()
        daemon.until_state("following", 120)
        writer.stop()
        daemon.wait()
        self.assert_equal(path)
        self.assertEqual(daemon.stop(), 0)
        self.fresh_target(path)

    def fresh_target(self, path):
        for file in self.dir.glob(path.name + "*"):
            file.unlink()
        self.cluster.drop_database(self.database)
        self.cluster.create_database(self.database)

    def test_daemon_in_follow(self):
        path = self.notes(revisions=2000)
        daemon = self.daemon(path)
        daemon.until_state("following")
        for turn in range(25):
            writer = self.users(path)
            daemon.run_for(self.random.uniform(0.0, 0.6))
            daemon.kill()
            if self.random.random() < 0.3:
                # Killed once more while it starts.
                daemon.start()
                daemon.run_for(self.random.uniform(0.0, 0.2))
                daemon.kill()
            daemon.start()
            writer.stop()
            daemon.wait()
            with self.subTest(turn=turn):
                self.assert_equal(path)

    def test_server(self):
        path = self.notes(revisions=20000)
        daemon = self.daemon(path, {"copy": {"chunk_rows": 500}})
        for turn in range(20):
            writer = self.users(path)
            daemon.run_for(self.random.uniform(0.0, 0.8))
            self.cluster.stop("immediate")
            daemon.run_for(self.random.uniform(0.0, 0.5))
            self.cluster.start()
            writer.stop()
            daemon.wait()
            with self.subTest(turn=turn):
                self.assert_equal(path)
        self.assertEqual(daemon.starts, 1)


if __name__ == "__main__":
    case.main()
