#!/usr/bin/env python3
"""The comparison finds what it must find: a test that cannot fail would make all others worthless."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import pgschema, sqlite_catalog  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.compare import compare  # noqa: E402
from harness.process import temp_dir  # noqa: E402

DDL = """CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INT, at DATETIME, r REAL);
CREATE TABLE pair (a TEXT, b INTEGER, v BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE bag (v TEXT);"""
ROWS = """INSERT INTO t VALUES (1, 'one', 1, '2026-01-01 10:00:00', 0.1), (2, NULL, NULL, NULL, NULL),
  (3, 'drei', 3, '2026-01-01 10:00:00.250000', 1e300);
INSERT INTO pair VALUES ('a', 1, {blob1}), ('a', 2, NULL);
INSERT INTO bag VALUES ('x'), ('x'), (NULL);"""


class Comparison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        self.path = temp_dir("cmp") / "a.db"
        self.addCleanup(self.path.parent.rmdir)
        self.addCleanup(lambda: [f.unlink() for f in self.path.parent.iterdir()])
        self.db = sqlite_catalog.connect(self.path)
        self.db.executescript(DDL + ROWS.format(blob1="x'00ff'"))
        self.cluster.create_database("cmp")
        self.addCleanup(self.cluster.drop_database, "cmp")
        self.pg(pgschema.schema(self.db) + ROWS.format(blob1="'\\x00ff'"))

    def pg(self, sql):
        self.cluster.execute(sql, "cmp")

    def report(self):
        connection = self.cluster.connect("cmp")
        try:
            return compare(self.path, connection)
        finally:
            connection.close()

    def expect(self, missing=0, extra=0, different=0, doubtful=0, rejected=0):
        report = self.report()
        found = (len(report.missing), len(report.extra), len(report.different), len(report.doubtful),
                 report.rejected)
        self.assertEqual(found, (missing, extra, different, doubtful, rejected), report.describe())
        self.assertEqual(report.equal, not (missing or extra or different))
        return report

    def test_equal(self):
        report = self.expect()
        self.assertEqual((report.tables, report.rows), (3, 8))

    def test_one_value(self):
        for change in ("UPDATE t SET name = 'One' WHERE id = 1", "UPDATE t SET name = '' WHERE id = 2",
                       "UPDATE t SET n = 2 WHERE id = 3", "UPDATE t SET at = at + interval '1 us' WHERE id = 3",
                       "UPDATE t SET r = 0.1 + 1.5e-17 WHERE id = 1", "UPDATE t SET r = NULL WHERE id = 3",
                       "UPDATE pair SET v = '\\x00' WHERE b = 1"):
            with self.subTest(change):
                self.pg("BEGIN; " + change + "; COMMIT")
                self.expect(different=1)
                self.pg("TRUNCATE t, pair, bag; " + ROWS.format(blob1="'\\x00ff'"))
                self.expect()

    def test_missing_and_extra(self):
        self.pg("DELETE FROM t WHERE id = 2; UPDATE pair SET b = 3 WHERE b = 2")
        self.expect(missing=2, extra=1)

    def test_multiset(self):
        self.pg("INSERT INTO bag VALUES ('x')")
        self.expect(extra=1)
        self.db.execute("INSERT INTO bag VALUES ('y')")
        self.expect(extra=1, missing=1)

    def test_missing_table_and_column(self):
        self.pg("DROP TABLE bag; ALTER TABLE t DROP COLUMN r")
        self.expect(missing=1, different=1)

    def test_rejected_rows(self):
        self.pg("CREATE SCHEMA liteferry; CREATE TABLE liteferry.rejected_row"
                " (table_name text, row_key text, column_name text, reason text)")
        # Unfit and listed, as it must be.
        self.db.execute("INSERT INTO t (id, n) VALUES (9, 'many')")
        self.pg("INSERT INTO liteferry.rejected_row VALUES ('t', '[9]', 'n', 'text')")
        self.expect(rejected=1)
        # Listed though it fits.
        self.pg("INSERT INTO liteferry.rejected_row VALUES ('t', '[3]', 'n', 'text'); DELETE FROM t WHERE id = 3")
        self.expect(rejected=2, doubtful=1)
        # Listed, and there all the same.
        self.pg("INSERT INTO t (id) VALUES (9)")
        self.expect(rejected=2, doubtful=1, extra=1)
        # Listed, but SQLite has it no more.
        self.db.execute("DELETE FROM t WHERE id = 9")
        self.expect(rejected=1, doubtful=1, extra=1, different=1)

    def test_unfit_and_not_rejected(self):
        self.db.execute("INSERT INTO t (id, n) VALUES (9, 'many')")
        self.expect(different=1)


if __name__ == "__main__":
    unittest.main()
