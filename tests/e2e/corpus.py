#!/usr/bin/env python3
"""The notes service and every database of the corpus: copied and followed under random writes, compared, cleaned up."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service, sqlite_catalog  # noqa: E402

NOTES = case.DATA / "notes"


class Corpus(case.Case):
    def follow(self, path, daemon, writer_options, seconds=1.5, script=None):
        """Writes at random before, while and after the daemon runs, a restart in between."""
        kwargs = {"script": script} if script else {}
        writer = self.writer(path, 300, writer_options, **kwargs)
        daemon.start()
        daemon.run_for(seconds)
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        daemon.run_for(seconds)
        stats = writer.stop()
        daemon.wait()
        self.assertGreater(sum(v for k, v in stats.items() if k != "slowest_ms"), 50, stats)

    def end(self, path, daemon, dump):
        """Cleanup; where the data forbid a foreign key, first the refusal and then NOT VALID."""
        self.assertEqual(daemon.stop(), 0)
        result = daemon.command("cleanup")
        if result.returncode != 0:
            self.assertEqual(result.returncode, 65, result.stderr)
            self.assertIn("foreign key", result.stderr + result.stdout)
            daemon.must("cleanup", "--not-valid")
            after = self.cluster.schema_dump(self.database)
            self.assertIn(" NOT VALID", after)
            self.assertEqual(*(re.sub(r" NOT VALID| valid [tf]\b", "", text) for text in (after, dump)))
        else:
            self.assert_no_trace(path, dump)

    def test_notes(self):
        path = self.dir / "notes.db"
        notes_service.create(path, notes=400, revisions=20000, seed=self.seed)
        self.pg((NOTES / "postgres.sql").read_text())
        # As alembic leaves it.
        self.pg("INSERT INTO public.alembic_version VALUES ('0011_sprints')")
        dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(path, {"copy": {"chunk_rows": 1000}}, start=False)
        self.follow(path, daemon, (), 4, script=notes_service.__file__)
        self.assert_equal(path)
        self.assertEqual(daemon.stop(), 0)
        self.follow(path, daemon, ())
        self.assert_equal(path, doubtful=True)
        self.end(path, daemon, dump)

    def test_notes_dirty(self):
        path = self.dir / "notes.db"
        notes_service.create(path, seed=self.seed, dirty=True)
        self.pg((NOTES / "postgres.sql").read_text())
        dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(path)
        daemon.wait()
        report = self.assert_equal(path)
        self.assertEqual(report.rejected, 9, report.describe())
        self.assertEqual(daemon.status()["rejected_rows"], 9)
        self.assertEqual(daemon.stop(), 0)
        # Their users change and delete some of these rows.
        self.follow(path, daemon, (), script=notes_service.__file__)
        report = self.assert_equal(path)
        self.assertEqual(daemon.status()["rejected_rows"], report.rejected)
        self.mend(path)
        daemon.wait()
        report = self.assert_equal(path)
        self.assertEqual(report.rejected, 0, report.describe())
        self.assertEqual(daemon.status()["rejected_rows"], 0)
        # The references to nothing are still there.
        self.end(path, daemon, dump)

    def mend(self, path):
        """The application corrects its rows; each rejection must clear itself."""
        self.sqlite(path).executescript("""
            UPDATE notes SET title = 'mended' WHERE instr(title, char(0));
            UPDATE notes SET is_public = 1 WHERE is_public NOT IN (0, 1);
            UPDATE notes SET created_at = '2026-03-06 12:00:00', updated_at = '2026-03-06 12:00:00'
              WHERE typeof(updated_at) = 'integer';
            UPDATE repos SET created_at = '2026-03-06 12:00:00' WHERE created_at = '';
            UPDATE sprints SET status = 'cancelled' WHERE length(status) > 9;
            UPDATE sprint_items SET labels = '[]' WHERE labels = '{not json';
            UPDATE sprint_items SET position = 99999 WHERE typeof(position) = 'text';
            UPDATE note_revisions SET revision_number = 30000 + id WHERE revision_number > 2147483647;
            UPDATE tags SET name = 'mended' WHERE CAST(name AS BLOB) = x'ff41';""")


def add(database):
    def test(self):
        path = case.borrow(database, self.dir)
        self.make_target(path)
        dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(path, start=False)
        if not sqlite_catalog.tables(self.sqlite(path)):
            # Only virtual tables: nothing to carry, and it says so.
            self.assertIn("no table", daemon.start().until_state("halted")["reason"])
            self.end(path, daemon, dump)
            return
        self.follow(path, daemon, ())
        self.assert_equal(path, doubtful=True)
        self.assertEqual(daemon.stop(), 0)
        # Again, now with values of the wrong kind in between.
        self.follow(path, daemon, ("--odd", "0.02"))
        self.assert_equal(path, doubtful=True)
        self.end(path, daemon, dump)

    setattr(Corpus, "test_" + re.sub(r"\W", "_", database.stem), test)


for each in case.corpus():
    add(each)

if __name__ == "__main__":
    case.main()
