"""The base of the end-to-end tests: one cluster per program, one database and folder per test."""
import argparse
import glob
import itertools
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

from harness import pgschema, sqlite_catalog
from harness.cluster import Cluster, Unavailable
from harness.compare import compare
from harness.daemon import Daemon, program
from harness.process import ROOT, temp_dir
from harness.writer import Writer

DATA = ROOT / "tests" / "data"
SKIPPED = 77  # the SKIP_RETURN_CODE of ctest

_options = argparse.Namespace(postgres="15", seed=None)
_numbers = itertools.count(1)


def corpus():
    """Paths of the real databases to run against: those in the folder that CORPORA names."""
    folder = os.environ.get("CORPORA", "")
    found = sorted(glob.glob(f"{folder}/**/*.db", recursive=True)) if folder else []
    if not found:
        print("NOT RUN: tests over real databases. CORPORA " +
              (f"names '{folder}', where none is" if folder else "names no folder"), file=sys.stderr)
    return [pathlib.Path(path) for path in found]


def borrow(database, folder):
    """A copy of a database of the corpus that a test may write to; its path."""
    target = pathlib.Path(folder) / database.name
    shutil.copy(database, target)
    target.chmod(0o644)
    return target


class Case(unittest.TestCase):
    """Every test has its own database, folder and random generator; what it started is stopped."""

    settings = {}  # of the cluster

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.make_cluster()
        cls.addClassCleanup(cls.cluster.close)

    @classmethod
    def make_cluster(cls, **kwargs):
        return Cluster(_options.postgres, cls.settings, **kwargs)

    def setUp(self):
        self.seed = _options.seed if _options.seed is not None else random.SystemRandom().getrandbits(31)
        self.random = random.Random(self.seed)
        self.dir = temp_dir("e2e")
        self.database = f"db{next(_numbers)}"
        self.cluster.create_database(self.database)
        self.daemons = []
        self.writers = []
        self.begin = time.monotonic()

    def tearDown(self):
        for writer in self.writers:
            if writer.alive():
                writer.process.kill()
                writer.process.communicate()
        for daemon in self.daemons:
            daemon.kill()
        failed = self._failed()
        print(f"{self.id()}: {'FAILED' if failed else 'ok'}, --seed {self.seed}, "
              f"{time.monotonic() - self.begin:.1f} s", flush=True)
        if failed:
            for daemon in self.daemons:
                print(daemon.tail(), flush=True)
        self.cluster.drop_database(self.database)
        if not (failed and os.environ.get("LITEFERRY_KEEP")):
            shutil.rmtree(self.dir, ignore_errors=True)

    def _failed(self):
        result = self._outcome.result
        return any(test is self or getattr(test, "test_case", None) is self
                   for test, _ in result.errors + result.failures)

    # What most tests do.

    @property
    def url(self):
        return self.cluster.url(self.database)

    def sqlite(self, path):
        connection = sqlite_catalog.connect(path)
        self.addCleanup(connection.close)
        return connection

    def make_source(self, ddl, name="app.db", journal="wal"):
        """A new SQLite database with this schema, and a plain one on PostgreSQL to match."""
        path = self.dir / name
        connection = sqlite_catalog.connect(path)
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.executescript(ddl)
        connection.close()
        self.make_target(path)
        return path

    def make_target(self, path, foreign_keys=True):
        connection = sqlite_catalog.connect(path)
        ddl = pgschema.schema(connection, foreign_keys)
        connection.close()
        if ddl:
            self.pg(ddl)

    def pg(self, sql, parameters=None):
        return self.cluster.execute(sql, self.database, parameters)

    def daemon(self, path, config=None, url=None, name="daemon", start=True):
        daemon = Daemon(self.dir, path, url or self.url, config, name)
        self.daemons.append(daemon)
        return daemon.start() if start else daemon

    def writer(self, path, rate=0, options=(), **kwargs):
        writer = Writer(path, self.random.getrandbits(31), rate, options, **kwargs)
        self.writers.append(writer)
        return writer

    def compare(self, path, tables=None):
        connection = self.cluster.connect(self.database)
        try:
            return compare(path, connection, tables=tables)
        finally:
            connection.close()

    def assert_equal(self, path, doubtful=False, tables=None):
        """Every row and value; rejected rows are absent and really unfit unless `doubtful`."""
        report = self.compare(path, tables)
        self.assertTrue(report.equal, report.describe())
        if not doubtful:
            self.assertEqual(report.doubtful, [], report.describe())
        return report

    def assert_no_trace(self, path, dump_before):
        connection = sqlite_catalog.connect(path)
        left = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '\\_liteferry%' ESCAPE '\\'"
                                  " OR sql LIKE '%\\_liteferry%' ESCAPE '\\'").fetchall()
        self.assertEqual(left, [])
        self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        connection.close()
        self.assertEqual(self.pg("SELECT 1 FROM pg_namespace WHERE nspname = 'liteferry'"), [])
        self.assertEqual(self.cluster.schema_dump(self.database), dump_before)

    def clean_up(self, path, daemon, dump_before):
        """Ends the daemon, runs cleanup, and looks for what it left."""
        self.assertEqual(daemon.stop(), 0)
        daemon.must("cleanup")
        self.assert_no_trace(path, dump_before)


def main(module="__main__"):
    """Like unittest.main, with --postgres VERSION and --seed N; status 77 when the version is not to be had."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--postgres", default="15")
    parser.add_argument("--seed", type=int)
    _, rest = parser.parse_known_args(namespace=_options)
    if not os.access(program(), os.X_OK):
        sys.exit(f"{program()} is missing; run make build")
    try:
        Cluster(_options.postgres).close()
    except Unavailable as reason:
        print(f"\n*** SKIPPED, nothing was tested: PostgreSQL {_options.postgres}: {reason} ***\n", flush=True)
        sys.exit(SKIPPED)
    unittest.main(module=module, argv=[sys.argv[0], *rest], verbosity=2)
