#!/usr/bin/env python3
"""Tables that change while they are followed: noticed, nothing is lost, and what cannot be followed halts alone."""
import pathlib
import sys
import time

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
        self.running.until("consistent again", lambda s: s["state"] == "following" and s["consistent"])
        self.assert_equal(self.path)

    def table(self, status, name):
        return next(t for t in status["tables"] if t["name"] == name)

    def not_followed(self, name):
        return self.running.until(f"{name} is not followed",
                                  lambda s: any(t["name"] == name and t["problem"] for t in s["tables"]))

    def count(self, name):
        return self.pg(f"SELECT count(*) FROM {name}")[0][0]

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
        # Compared, not copied again: the rows that did not change were not touched.
        self.assertEqual(self.running.log.read_text().count("copy_started"), 1)
        # And the new triggers work.
        self.db.execute("DELETE FROM t WHERE id < 100")
        self.running.wait()
        self.assert_equal(self.path)

    def test_batch_rebuild_in_steps_that_each_commit(self):
        self.db.executescript("""
            CREATE TABLE _alembic_tmp_t (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO _alembic_tmp_t SELECT id, v FROM t;""")
        self.not_followed("_alembic_tmp_t")
        self.db.execute("INSERT INTO other VALUES (1, 'goes on')")
        wait_until("the other table goes on", lambda: self.count("other") == 1, 30)
        self.db.execute("DROP TABLE t")
        self.db.execute("UPDATE other SET v = 'still'")
        wait_until("the other table goes on", lambda: self.pg("SELECT v FROM other") == [("still",)], 30)
        self.db.executescript("""
            UPDATE _alembic_tmp_t SET v = 'u' WHERE id < 9;
            ALTER TABLE _alembic_tmp_t RENAME TO t;
            DELETE FROM t WHERE id > 400;""")
        self.becomes_equal()

    def test_rebuild_while_the_daemon_is_away(self):
        self.running.kill()
        self.db.executescript("""
            CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO n SELECT id + 1, v FROM t;
            DROP TABLE t;
            ALTER TABLE n RENAME TO t;""")
        self.running.start()
        self.becomes_equal()

    def test_comparison_goes_on_after_a_kill(self):
        self.running.must("pause")
        self.db.executescript("""
            CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO n SELECT id, v || '!' FROM t;
            DROP TABLE t;
            ALTER TABLE n RENAME TO t;""")
        self.running.must("resume")
        for _ in range(4):
            time.sleep(self.random.random() * 0.2)
            self.running.kill()
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

    def test_rows_that_nobody_can_name_go_with_a_new_copy(self):
        self.pg("INSERT INTO keyless VALUES ('a stranger')")
        self.db.execute("VACUUM")
        self.becomes_equal()

    def test_key_lost_and_gained(self):
        self.db.executescript("""
            CREATE TABLE n (id INTEGER, v TEXT);
            INSERT INTO n SELECT id, v FROM t; INSERT INTO n SELECT id, v FROM t WHERE id < 10;
            DROP TABLE t; ALTER TABLE n RENAME TO t;""")
        self.pg("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ALTER id DROP NOT NULL")
        self.becomes_equal()
        self.db.execute("DELETE FROM t WHERE rowid IN (3, 505)")
        self.running.wait()
        self.assert_equal(self.path)

    def test_new_index_and_new_column_that_the_target_has(self):
        self.pg("ALTER TABLE t ADD COLUMN w TEXT")
        self.db.executescript("CREATE UNIQUE INDEX t_v ON t (v); ALTER TABLE t ADD COLUMN w TEXT;")
        self.db.executescript("UPDATE t SET w = v; INSERT OR REPLACE INTO t VALUES (9999, 'v7', 'w');")
        self.becomes_equal()

    def test_column_that_the_target_lacks_halts_its_table_alone(self):
        self.db.execute("ALTER TABLE t ADD COLUMN w TEXT DEFAULT 'd'")
        self.db.execute("INSERT INTO other VALUES (1, 'x')")
        self.db.execute("UPDATE t SET w = 'y' WHERE id = 7")
        status = self.not_followed("t")
        self.assertIn("lacks column w", status["reason"])
        self.assertIn("migrations", status["next_action"])
        self.assertIn("lacks column w", self.table(status, "t")["problem"])
        wait_until("the other table goes on", lambda: self.count("other") == 1, 30)
        status = self.running.until_state("following")
        self.assertFalse(status["consistent"])
        self.assertGreater(status["lag_seconds"], 0)
        self.assertEqual(self.running.command("wait", "--lag", "0", "--timeout", "1s").returncode, 75)
        self.assertIn("liteferry_schema_drift 1", self.running.metrics())
        self.pg("ALTER TABLE t ADD COLUMN w TEXT")
        self.becomes_equal()
        self.assertIn("liteferry_schema_drift 0", self.running.metrics())
        self.assertEqual(self.running.status()["reason"], "")

    def test_column_that_the_target_loses_and_gets_back(self):
        self.pg("ALTER TABLE t DROP COLUMN v")
        self.db.execute("UPDATE t SET v = 'z' WHERE id = 7")
        self.db.execute("INSERT INTO other VALUES (1, 'x')")
        self.not_followed("t")
        wait_until("the other table goes on", lambda: self.count("other") == 1, 30)
        self.pg("ALTER TABLE t ADD COLUMN v TEXT")
        self.becomes_equal()

    def test_new_table_without_counterpart(self):
        self.db.executescript("CREATE TABLE fresh (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO fresh VALUES (1, 'x');")
        self.not_followed("fresh")
        self.running.kill()
        self.running.start()
        self.not_followed("fresh")
        self.db.execute("INSERT INTO other VALUES (1, 'x')")
        wait_until("the other table goes on", lambda: self.count("other") == 1, 30)
        self.pg("CREATE TABLE fresh (id BIGINT PRIMARY KEY, v TEXT)")
        self.becomes_equal()

    def test_new_table_whose_counterpart_has_rows_of_somebody(self):
        self.pg("CREATE TABLE fresh (id BIGINT PRIMARY KEY, v TEXT); INSERT INTO fresh VALUES (77, 'precious')")
        self.db.executescript("CREATE TABLE fresh (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO fresh VALUES (1, 'x');")
        status = self.not_followed("fresh")
        self.assertIn("already has 1 rows", status["reason"])
        self.assertEqual(self.pg("SELECT id FROM fresh"), [(77,)])
        self.pg("DELETE FROM fresh")
        self.becomes_equal()

    def test_rename_of_column_and_table_on_both_sides(self):
        self.db.execute("ALTER TABLE t RENAME COLUMN v TO w")
        self.db.execute("UPDATE t SET w = 'r' WHERE id = 5")
        self.not_followed("t")
        self.pg("ALTER TABLE t RENAME COLUMN v TO w")
        self.becomes_equal()
        self.db.execute("ALTER TABLE t RENAME TO s")
        self.db.execute("DELETE FROM s WHERE id = 6")
        self.not_followed("s")
        self.pg("ALTER TABLE t RENAME TO s")
        self.becomes_equal()

    def test_dropped_table_and_its_return(self):
        self.db.execute("DROP TABLE t")
        self.db.execute("INSERT INTO other VALUES (1, 'x')")
        wait_until("the other table goes on", lambda: self.count("other") == 1, 30)
        status = self.running.until("following", lambda s: s["state"] == "following")
        self.assertTrue(any("t is gone from the source" in note for note in status["notes"]), status["notes"])
        self.assertEqual(self.count("t"), 500)
        self.db.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (500, 'v500');")
        self.becomes_equal()

    def test_released_capture_lets_every_migration_through(self):
        self.db.execute("CREATE UNIQUE INDEX t_v ON t (v)")
        self.running.wait()
        self.running.must("pause", "--release-capture")
        self.assertEqual(self.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall(), [])
        self.running.kill()
        self.running.start()
        status = self.running.until("still released", lambda s: "not captured" in s["reason"])
        self.assertEqual(status["state"], "paused")
        self.assertFalse(status["consistent"])
        self.db.executescript("""
            DROP INDEX t_v; ALTER TABLE t DROP COLUMN v;
            CREATE TABLE made (id INTEGER PRIMARY KEY); INSERT INTO made VALUES (1);
            INSERT INTO t VALUES (1000); DELETE FROM t WHERE id = 4;
            DELETE FROM keyless WHERE rowid % 2; VACUUM;""")
        self.assertEqual(self.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall(), [])
        self.assertGreater(self.running.status()["lag_seconds"], 0)
        self.pg("ALTER TABLE t DROP COLUMN v; CREATE TABLE made (id BIGINT PRIMARY KEY)")
        self.running.kill()
        self.running.start()
        self.running.until("still released", lambda s: "not captured" in s["reason"])
        self.running.must("resume")
        self.becomes_equal()
        self.db.execute("INSERT INTO t VALUES (1001)")
        self.running.wait()
        self.assert_equal(self.path)


if __name__ == "__main__":
    case.main()
