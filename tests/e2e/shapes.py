#!/usr/bin/env python3
"""Shapes of data and of writes that are easy to get wrong."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, proxy as proxies  # noqa: E402
from harness.sqlite_catalog import quote  # noqa: E402


class Shapes(case.Case):
    def follow(self, ddl, rows=None, config=None, journal="wal"):
        """A followed database: (path, connection, daemon)."""
        path = self.make_source(ddl, journal=journal)
        db = self.sqlite(path)
        if rows:
            db.executescript(rows)
        self.dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(path, config)
        daemon.wait()
        self.assert_equal(path)
        return path, db, daemon

    def settle(self, path, daemon):
        daemon.wait()
        report = self.assert_equal(path)
        self.assertEqual(report.rejected, 0, report.describe())
        self.assertEqual(daemon.status()["rejected_rows"], 0)

    def outage(self, path, daemon, config):
        """The same stream through a proxy that can refuse: (daemon, proxy)."""
        self.assertEqual(daemon.stop(), 0)
        proxy = proxies.Proxy(self.cluster.socket, self.dir)
        self.addCleanup(proxy.close)
        daemon = self.daemon(path, config, url=proxy.url(self.database), name="proxied")
        daemon.wait()
        return daemon, proxy

    def test_value_of_100_mb(self):
        path, db, daemon = self.follow(
            "CREATE TABLE big (id INTEGER PRIMARY KEY, t TEXT, b BLOB);",
            "INSERT INTO big VALUES (1, hex(zeroblob(50000000)), NULL), (2, 'small', x'00');")
        db.execute("UPDATE big SET b = zeroblob(100000000) WHERE id = 2")
        db.execute("INSERT INTO big VALUES (3, 'after', NULL)")
        self.settle(path, daemon)

    def test_names_that_need_quoting(self):
        names = ['select "x"', "Ünïcode", "semi;colon", "two\nlines", "percent%s", "dash--comment", "'quoted'", "order"]
        ddl = "".join(f"CREATE TABLE {quote(n)} ({quote(n)} INTEGER PRIMARY KEY, {quote('co' + n)} TEXT UNIQUE);"
                      for n in names)
        path, db, daemon = self.follow(ddl)
        for name in names:
            db.execute(f"INSERT INTO {quote(name)} VALUES (1, 'a'), (2, 'b')")
            db.execute(f"INSERT OR REPLACE INTO {quote(name)} VALUES (3, 'a')")
            db.execute(f"UPDATE {quote(name)} SET {quote(name)} = 20 WHERE {quote(name)} = 2")
        self.settle(path, daemon)
        self.clean_up(path, daemon, self.dump)

    def test_unique_swaps_in_one_transaction(self):
        path, db, daemon = self.follow(
            "CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE, b INTEGER, c INTEGER, UNIQUE (b, c));",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
            "INSERT INTO u SELECT i, 'a' || i, i / 10, i % 10 FROM n;")
        for _ in range(60):
            rows = self.random.sample(range(1, 101), self.random.choice((2, 2, 3, 7)))
            values = dict(db.execute(f"SELECT id, a FROM u WHERE id IN ({','.join(map(str, rows))})"))
            db.execute("BEGIN IMMEDIATE")
            for row in rows:
                db.execute("UPDATE u SET a = ? WHERE id = ?", (f"between {row}", row))
            for row, other in zip(rows, rows[1:] + rows[:1]):
                db.execute("UPDATE u SET a = ? WHERE id = ?", (values[other], row))
            db.execute("COMMIT")
        # One row goes, another takes its value; a row takes the place and value of a third.
        db.executescript("BEGIN; UPDATE u SET b = (SELECT a FROM u WHERE id = 1) WHERE id = 2; DELETE FROM u WHERE id = 1;"
                         "UPDATE u SET a = b, b = NULL WHERE id = 2; COMMIT;"
                         "REPLACE INTO u SELECT 200, a, NULL, NULL FROM u WHERE id = 3;"
                         "UPDATE OR REPLACE u SET b = 5, c = 5 WHERE id = 4;")
        self.settle(path, daemon)

    def test_unique_swaps_across_windows(self):
        """After an outage the backlog is applied in windows that no longer are transactions of the source."""
        config = {"apply": {"max_batch_changes": 10}}
        path, db, daemon = self.follow(
            "CREATE TABLE u (id INTEGER PRIMARY KEY, a INTEGER NOT NULL UNIQUE);",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO u SELECT i, i FROM n;",
            config)
        daemon, proxy = self.outage(path, daemon, config)
        for turn in range(4):
            proxy.outage(True)
            values = [row[0] for row in db.execute("SELECT a FROM u")]
            self.random.shuffle(values)
            ids = [row[0] for row in db.execute("SELECT id FROM u ORDER BY random()")]
            if turn % 2:
                db.execute("BEGIN IMMEDIATE")
            for i in ids:
                db.execute("UPDATE u SET a = -id WHERE id = ?", (i,))
            for i, value in zip(ids, values):
                db.execute("UPDATE u SET a = ? WHERE id = ?", (value, i))
            if turn % 2:
                db.execute("COMMIT")
            proxy.outage(False)
            daemon.must("resume")
            with self.subTest(turn=turn):
                self.settle(path, daemon)

    def test_cascades(self):
        path, db, daemon = self.follow("""
            CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b (id) ON DELETE SET NULL,
              parent INTEGER REFERENCES a (id) ON DELETE CASCADE);
            CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id) ON UPDATE CASCADE ON DELETE CASCADE);
            CREATE TABLE c (code TEXT PRIMARY KEY, a_id INTEGER REFERENCES a (id) ON UPDATE CASCADE ON DELETE SET NULL);
            CREATE TABLE d (id INTEGER PRIMARY KEY, code TEXT NOT NULL REFERENCES c (code) ON UPDATE CASCADE ON DELETE CASCADE);
            """)
        db.execute("PRAGMA foreign_keys=ON")
        db.executescript("""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
              INSERT INTO a SELECT i, NULL, CASE WHEN i > 1 THEN i / 2 END FROM n;
            INSERT INTO b SELECT id, id FROM a; UPDATE a SET b_id = 61 - id;
            INSERT INTO c SELECT 'c' || id, id FROM a; INSERT INTO d SELECT id, 'c' || id FROM a;""")
        self.settle(path, daemon)
        db.execute("UPDATE a SET id = id + 1000 WHERE id = 60")
        db.execute("UPDATE c SET code = 'renamed' WHERE code = 'c7'")
        db.execute("DELETE FROM c WHERE code = 'c8'")
        self.settle(path, daemon)
        db.execute("DELETE FROM a WHERE id = 3")
        self.settle(path, daemon)
        db.execute("DELETE FROM a WHERE id = 1")
        self.assertEqual(db.execute("SELECT count(*) FROM a").fetchone(), (0,))
        self.settle(path, daemon)
        self.clean_up(path, daemon, self.dump)

    def test_rollback_journal(self):
        path, _, daemon = self.follow("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);", journal="delete")
        writer = self.writer(path, 80)
        daemon.run_for(4)
        stats = writer.stop()
        self.assertEqual(stats["busy"], 0, "commits that the daemon kept waiting for too long")
        self.settle(path, daemon)
        self.clean_up(path, daemon, self.dump)

    def test_tables_without_a_key(self):
        path, db, daemon = self.follow("CREATE TABLE k (a TEXT, b INTEGER); CREATE TABLE n (v REAL);",
                                       "INSERT INTO k VALUES ('same', 1), ('same', 1), (NULL, NULL);")
        db.executescript("INSERT INTO k VALUES ('same', 1); DELETE FROM k WHERE rowid = 1;"
                         "UPDATE k SET b = 2 WHERE rowid = 2; INSERT INTO n VALUES (1.5), (1.5), (NULL);"
                         "UPDATE n SET rowid = 77 WHERE rowid = 2;")
        self.settle(path, daemon)
        self.clean_up(path, daemon, self.dump)

    def test_keys_of_every_kind(self):
        path, db, daemon = self.follow("""
            CREATE TABLE w (a TEXT, b BLOB, v INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
            CREATE TABLE x (k BLOB PRIMARY KEY, v TEXT);
            CREATE TABLE y (k TEXT PRIMARY KEY COLLATE NOCASE, v INTEGER);
            CREATE TABLE z (k REAL PRIMARY KEY, v INTEGER);""")
        db.executescript("""
            INSERT INTO w VALUES ('a', x'00', 1), ('a', x'', 2), ('', x'ff', 3); UPDATE w SET b = x'0000' WHERE v = 1;
            INSERT INTO x VALUES (x'', 'empty'), (x'00ff', 'two'); DELETE FROM x WHERE k = x'';
            INSERT INTO y VALUES ('Key', 1), ('other', 2); REPLACE INTO y VALUES ('KEY', 3); UPDATE y SET k = 'OTHER' WHERE k = 'other';
            INSERT INTO z VALUES (0.1, 1), (-0.0, 2), (1e300, 3); UPDATE z SET k = 1 / 3.0 WHERE v = 1;""")
        self.settle(path, daemon)
        self.clean_up(path, daemon, self.dump)

    def test_rejected_rows_clear_themselves(self):
        path = self.make_source("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, d DATETIME);")
        self.pg("ALTER TABLE t ADD CHECK (n <> 13)")
        db = self.sqlite(path)
        db.executescript("INSERT INTO t VALUES (1, 1, NULL), (2, 'many', NULL), (3, 13, NULL), (4, 4, 'some day');")
        daemon = self.daemon(path)
        daemon.wait()
        self.assertEqual(sorted(self.pg("SELECT id FROM t")), [(1,)])
        self.assertEqual(daemon.status()["rejected_rows"], 3)
        self.assertEqual(len(self.pg("SELECT * FROM liteferry.rejected_row")), 3)
        db.execute("INSERT INTO t VALUES (5, 13, NULL), (6, 6, NULL)")
        daemon.wait()
        self.assertEqual(daemon.status()["rejected_rows"], 4)
        db.execute("UPDATE t SET n = id, d = '2026-01-01' WHERE id > 1")
        self.settle(path, daemon)


if __name__ == "__main__":
    case.main()
