"""What the benchmarks share: one PostgreSQL that really syncs, sources by shape, runs that are timed."""
import contextlib
import dataclasses
import datetime
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import time

from harness import sqlite_catalog
from harness.cluster import Cluster
from harness.daemon import Daemon
from harness.process import clean_environment, temp_dir, wait_until

# A server as one is set up for such a night; what is measured must not be our throw-away settings.
SERVER = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB",
          "maintenance_work_mem": "128MB", "track_commit_timestamp": "on"}


@dataclasses.dataclass
class Figure:
    """One line of the table: a ratio, and what it has to reach (None: only told)."""
    name: str
    against: str
    ratio: float
    bound: float | None
    at_least: bool = True
    detail: str = ""

    @property
    def holds(self):
        if self.bound is None:
            return None
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound


class Rig:
    """A cluster and a folder; `scale` is 1 for the sizes of the issue tracker's bounds."""

    def __init__(self, scale, rounds, seed):
        self.scale = scale
        self.rounds = rounds
        self.random = random.Random(seed)
        self.folder = temp_dir("bench")
        self.cluster = Cluster("15", SERVER)
        self.numbers = 0

    def close(self):
        self.cluster.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rows(self, full, least=1000):
        return max(least, int(full * self.scale))

    def median(self, measure):
        """The median of the rounds' ratios; measure() takes both sides of one ratio within one round."""
        return statistics.median(measure() for _ in range(self.rounds))

    @contextlib.contextmanager
    def database(self):
        self.numbers += 1
        name = f"bench{self.numbers}"
        self.cluster.create_database(name)
        try:
            yield name
        finally:
            self.cluster.drop_database(name)

    @contextlib.contextmanager
    def daemon(self, source, database, config=None, start=True):
        """`liteferry run` in a folder of its own on a copy of `source`, the application's file."""
        self.numbers += 1
        work = self.folder / f"run{self.numbers}"
        work.mkdir()
        path = work / "app.db"
        shutil.copy(source, path)
        running = Daemon(work, path, self.cluster.url(database),
                         {"log": {"level": "info"}, **(config or {})})
        try:
            if start:
                running.start()
            yield running
        finally:
            running.kill()
            shutil.rmtree(work)

    def psql(self, database, script):
        """Seconds that psql takes for the script, as the plain role."""
        begin = time.monotonic()
        result = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.cluster.dsn(database)],
                                input=script, capture_output=True, text=True, check=False,
                                env=clean_environment())
        if result.returncode != 0:
            raise RuntimeError(f"psql: {result.stderr}")
        return time.monotonic() - begin

    def checkpoint(self):
        """So that nobody pays for what the one before him wrote."""
        self.cluster.admin("CHECKPOINT")


# Sources.

NARROW = ("id INTEGER PRIMARY KEY, code INTEGER NOT NULL, qty INTEGER, word TEXT, price REAL, note TEXT, "
          "created TEXT")
NARROW_PG = ("id bigint PRIMARY KEY, code bigint NOT NULL, qty bigint, word text, price double precision, "
             "note text, created text")


def narrow_rows(rows, rng, first=1):
    for i in range(first, first + rows):
        yield (i, i * 7 % 1000003, rng.randrange(1000), f"word {i % 5000}", rng.random() * 1000,
               "some words of a note, number " + str(i), "2026-03-06 12:00:00.123456")


def create(path, script, fill):
    """A new database in WAL mode; fill(db) inside one transaction."""
    db = sqlite_catalog.connect(path)
    db.execute("PRAGMA journal_mode=wal")
    db.executescript(script)
    db.execute("BEGIN")
    fill(db)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


def narrow(rig, full):
    """items: seven columns, about 130 bytes a row."""
    rows = rig.rows(full)
    path = rig.folder / f"narrow{rows}.db"
    if not path.exists():
        create(path, f"CREATE TABLE items ({NARROW});", lambda db: db.executemany(
            "INSERT INTO items VALUES (?,?,?,?,?,?,?)", narrow_rows(rows, rig.random)))
    return path, rows


def paced(rate):
    """1, 2, 3 …, `rate` of them a second; 0: as fast as they are taken."""
    begin, number = time.time(), 0
    while True:
        number += 1
        yield number
        if rate:
            time.sleep(max(0, begin + number / rate - time.time()))


# Times, by the daemon's own log: a poll from outside would add its period.

FOLLOWING = "state state=following"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+")


def moments(daemon):
    """(time, line) of each line of the log since its latest start."""
    lines = pathlib.Path(daemon.log).read_text().splitlines()
    begin = max(i for i, line in enumerate(lines) if line.startswith("--- start"))
    for line in lines[begin + 1:]:
        stamp = _STAMP.search(line)
        if stamp:
            yield datetime.datetime.fromisoformat(stamp.group()), line


def moment(daemon, words):
    return next(at for at, line in moments(daemon) if words in line)


def seconds(daemon, begin, end):
    """From the first line with `begin` to the first line with `end`."""
    return (moment(daemon, end) - moment(daemon, begin)).total_seconds()


def until_logged(daemon, words, timeout=3600):
    def found():
        assert daemon.alive(), daemon.tail()
        return any(words in line for _, line in moments(daemon))
    wait_until(f"the log has: {words}", found, timeout, step=0.2)


def peak_rss(daemon):
    """Bytes, of the process's whole life."""
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text).group(1)) * 1024
