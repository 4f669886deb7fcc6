#!/usr/bin/env python3
"""Tables that are rebuilt while they are followed lose their triggers: noticed, and nothing is lost."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import wait_until  # noqa: E402

DDL = """
CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
CREATE TABLE other (id INTEGER PRIMARY KEY, v TEXT);
CREATE TABLE keyless (v TEXT);
"""


class SchemaChange(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.db = self.sqlite(self.path)
        self.db.executescript("""
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
            INSERT INTO t SELECT i, 'v' || i FROM n;
            INSERT INTO keyless SELECT v FROM t;""")
        self.running = self.daemon(self.path)
        self.running.wait()

    def becomes_equal(self):
        wait_until("both sides are equal", lambda: self.compare(self.path).equal, 60)
        self.running.until_state("following")
        self.assert_equal(self.path)

    def test_batch_rebuild_as_alembic_does_it(self):
        self.db.executescript("""
            BEGIN;
            CREATE TABLE _alembic_tmp_t (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO _alembic_tmp_t SELECT id, v FROM t;
            DROP TABLE t;
            ALTER TABLE _alembic_tmp_t RENAME TO t;
            DELETE FROM t WHERE id % 3 = 0;
            UPDATE t SET v = 'new' WHERE id % 3 = 1;
            COMMIT;""")
        self.becomes_equal()
        # And the new triggers work.
        self.db.execute("DELETE FROM t WHERE id < 100")
        self.running.wait()
        self.assert_equal(self.path)

    def test_rebuild_while_the_daemon_is_away(self):
        self.running.kill()
        self.db.executescript("""
            CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO n SELECT id + 1, v FROM t;
            DROP TABLE t;
            ALTER TABLE n RENAME TO t;""")
        self.running.start()
        self.becomes_equal()

    def test_vacuum_renumbers_rowids(self):
        self.db.execute("DELETE FROM keyless WHERE rowid % 2 = 0")
        self.db.execute("VACUUM")
        self.db.execute("UPDATE keyless SET v = 'after' WHERE rowid < 50")
        self.becomes_equal()
        self.db.execute("DELETE FROM keyless WHERE rowid > 100")
        self.running.wait()
        self.assert_equal(self.path)

    def test_new_index_and_new_column_that_the_target_has(self):
        self.pg("ALTER TABLE t ADD COLUMN w TEXT")
        self.db.executescript("CREATE UNIQUE INDEX t_v ON t (v); ALTER TABLE t ADD COLUMN w TEXT;")
        self.db.executescript("UPDATE t SET w = v; INSERT OR REPLACE INTO t VALUES (9999, 'v7', 'w');")
        self.becomes_equal()

    def test_column_that_the_target_lacks_halts_until_it_is_there(self):
        self.db.execute("ALTER TABLE t ADD COLUMN w TEXT DEFAULT 'd'")
        self.db.execute("UPDATE other SET v = v")
        status = self.running.until_state("halted")
        self.assertIn("lacks column w", status["reason"])
        self.pg("ALTER TABLE t ADD COLUMN w TEXT")
        self.running.until_state("following")
        self.becomes_equal()


if __name__ == "__main__":
    case.main()
