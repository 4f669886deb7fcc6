"""A whole installation that can be harmed in every way: both databases, a standby, a proxy, disks, an application.

Each fault is a generator: what comes before its `yield` is the blow, what comes after it the recovery.
"""
import os
import pathlib
import shutil
import signal
import sqlite3
import time

from harness import proxy as proxies
from harness import sqlite_catalog
from harness.cluster import Cluster
from harness.process import temp_dir, unprivileged
from harness.small_disk import SmallDisk

# Small segments, and few: a full disk stops the WAL as well.
INITDB = ("--wal-segsize=1",)
SETTINGS = {"min_wal_size": "4MB", "max_wal_size": "24MB", "wal_keep_size": "16MB", "max_wal_senders": "4",
            "hot_standby": "on"}

DDL = """
CREATE TABLE marker (id INTEGER PRIMARY KEY, n INTEGER);
CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, born DATE, active BOOLEAN NOT NULL,
  balance NUMERIC(12,2), score REAL, photo BLOB);
CREATE TABLE project (id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER REFERENCES person (id) ON DELETE SET NULL,
  name TEXT COLLATE NOCASE UNIQUE, created_at TIMESTAMP, settings JSON);
CREATE TABLE note (uid UUID PRIMARY KEY, project INTEGER REFERENCES project (id) ON DELETE CASCADE, body TEXT,
  updated_at DATETIME);
CREATE TABLE tag (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE member (project INTEGER NOT NULL, person INTEGER NOT NULL, role TEXT, since TIMESTAMP,
  PRIMARY KEY (project, person)) WITHOUT ROWID;
CREATE TABLE thing (a INTEGER NOT NULL, b TEXT NOT NULL, c REAL, d BLOB, PRIMARY KEY (a, b));
CREATE TABLE event (at TIMESTAMP, kind VARCHAR(40), payload JSON);
CREATE TABLE large (id INTEGER PRIMARY KEY, data BLOB);
"""


class World:
    """Of one test case. Everything in it is ended by close(); `case` starts daemon and writers."""

    def __init__(self, case, dice):
        self.case, self.dice = case, dice
        self.primary, self.standby = case.cluster, None
        self.primary_disk, self.standby_disk = case.cluster_disk, None
        self.folder = temp_dir("chaos")  # of the proxy
        self.proxy = proxies.Proxy(self.primary.socket, self.folder)
        self.disk = SmallDisk("source", 96)
        self.spool = SmallDisk("spool", 16)
        self.path = self.disk.path / "app.db"
        self.journal = dice.choice(("wal", "wal", "wal", "delete"))
        self.backups = []
        self.rewound = False  # one side went back in time, and not by itself
        self.writer = None
        self.marker = 10**12

    @property
    def disks_are_real(self):
        return self.disk.real

    def begin(self):
        db = sqlite_catalog.connect(self.path)
        db.execute(f"PRAGMA journal_mode={self.journal}")
        db.executescript(DDL)
        db.close()
        self.case.make_target(self.path)
        self.write()
        time.sleep(0.5)
        self.stop_writing()
        self.back_up()
        self.daemon = self.case.daemon(self.path, url=self.proxy.url(self.case.database), start=False)
        self.start_daemon()

    def close(self):
        self.proxy.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        for server in (self.primary, self.standby):
            if server:
                server.close()
        for disk in (self.disk, self.spool, self.primary_disk, self.standby_disk):
            if disk:
                disk.close()

    # The daemon.

    def start_daemon(self):
        dice = self.dice
        self.daemon.configure({
            "apply": {"on_rewind": dice.choice(("halt", "reconcile")),
                      "max_batch_changes": dice.choice((100, 10000))},
            "changelog": {"retention": dice.choice(("0s", "24h"))},
            "copy": {"chunk_rows": 500}})
        self.daemon.start(TMPDIR=str(self.spool.path))

    # The application.

    def write(self, *options):
        rate = self.dice.choice((40, 150, 400)) if self.journal == "wal" else 40
        self.writer = self.case.writer(self.path, rate, ("--odd", "0.01", *options))

    def stop_writing(self):
        if self.writer:
            self.writer.stop()
            self.case.writers.remove(self.writer)
        self.writer = None

    def kill_writer(self):
        if self.writer:
            self.writer.process.kill()
            self.writer.process.communicate()
            self.case.writers.remove(self.writer)
        self.writer = None

    def sql(self, sql, *parameters):
        db = sqlite_catalog.connect(self.path)
        try:
            return db.execute(sql, parameters).fetchall()
        finally:
            db.close()

    def mark(self):
        """A row that was never there before, written after all that happened."""
        self.marker += 1
        self.sql("INSERT OR REPLACE INTO marker (id, n) VALUES (1, ?)", self.marker)

    def marked(self):
        return self.primary.execute("SELECT n FROM marker WHERE id = 1", self.case.database) == [(self.marker,)]

    def back_up(self):
        copy = self.case.dir / f"backup{len(self.backups)}.db"
        source, target = sqlite3.connect(self.path, timeout=30), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self.backups.append(copy)

    # The servers.

    def make_standby(self):
        self.standby_disk = SmallDisk("standby", 192, unprivileged())
        self.standby = Cluster(self.primary.version, SETTINGS, self.primary, folder=self.standby_disk.path)

    def fail_over(self):
        """The primary dies with what only it had; the name leads to the standby."""
        self.primary.stop("immediate")
        self.primary.close()
        self.primary_disk.close()
        self.primary, self.primary_disk = self.standby, self.standby_disk
        self.standby = self.standby_disk = None
        self.primary.promote()
        self.case.cluster = self.primary
        self.proxy.lead_to(self.primary.socket)


def pause(world, most):
    """A random moment: what is under way then is what the fault hits."""
    time.sleep(world.dice.uniform(0, most))


# What each fault harms: two of one round have nothing in common.

def daemon_killed(world):
    world.daemon.kill()
    yield
    world.start_daemon()
    if world.dice.random() < 0.3:
        pause(world, 0.3)
        world.daemon.kill()
        world.start_daemon()


def daemon_stopped(world):
    world.daemon.process.send_signal(signal.SIGSTOP)
    yield
    world.daemon.process.send_signal(signal.SIGCONT)


def server_crashed(world):
    world.primary.stop("immediate")
    yield
    world.primary.start()


def server_restarted(world):
    world.primary.stop("fast")
    yield
    world.primary.start()


def backends_terminated(world):
    world.primary.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    yield


def table_locked(world):
    connection = world.primary.connect(world.case.database)
    connection.autocommit = False
    connection.cursor().execute("SET lock_timeout = '10s'; LOCK TABLE " + world.dice.choice(("person", "event", "tag")))
    yield
    connection.close()


def standby_falls_behind(world):
    """And lags by rounds when it is promoted."""
    if world.standby is None:
        world.make_standby()
        world.standby.fall_behind()
    yield


def standby_promoted(world):
    if world.standby is None:
        world.make_standby()
        if world.dice.random() < 0.7:
            world.standby.fall_behind()
    yield
    world.fail_over()
    world.rewound = True


def commit_cut(world):
    world.proxy.arm(world.dice.choice(proxies.STEPS), world.dice.randrange(3))
    yield


def connections_cut(world):
    world.proxy.cut_all()
    yield


def proxy_down(world):
    world.proxy.outage(True)
    yield
    world.proxy.outage(False)


def proxy_slow(world):
    world.proxy.delay(world.dice.choice((0.005, 0.05)))
    yield
    world.proxy.delay(0)


def proxy_stalls(world):
    world.proxy.stall(True)
    yield
    if world.dice.random() < 0.5:
        world.proxy.cut_all()
    world.proxy.stall(False)


def proxy_half_closed(world):
    world.proxy.half_close(world.dice.choice(("client", "server")))
    yield


def writer_killed(world):
    world.kill_writer()
    yield
    world.write()


def writer_dies_in_transaction(world):
    world.stop_writing()
    world.write("--die")
    assert world.writer.process.wait(60) == -signal.SIGKILL
    yield
    world.kill_writer()
    world.write()


def source_restored(world):
    """As a person does it: the application stops, the files are replaced, perhaps while the daemon looks on."""
    world.stop_writing()
    copy = world.dice.choice(world.backups[-4:] if world.dice.random() < 0.9 else world.backups)
    if world.dice.random() < 0.5:
        for suffix in ("-wal", "-shm", "-journal"):
            pathlib.Path(f"{world.path}{suffix}").unlink(missing_ok=True)
        shutil.copy(copy, f"{world.path}.new")
        os.replace(f"{world.path}.new", world.path)
    else:
        source, target = sqlite3.connect(copy), sqlite3.connect(world.path, timeout=30)
        source.backup(target)
        source.close()
        target.close()
    world.rewound = True
    world.write()
    yield


def source_disk_full(world):
    world.disk.fill()
    yield
    world.disk.grow()


def spool_full(world):
    """Rows too large for memory come by meanwhile."""
    world.spool.fill()
    world.sql("INSERT OR REPLACE INTO large WITH x (i) AS (VALUES (1), (2), (3), (4)) SELECT i, randomblob(2000000) FROM x")
    yield
    world.spool.grow()
    world.sql("DELETE FROM large")


def server_disk_full(world):
    world.primary_disk.fill()
    world.sql("INSERT OR REPLACE INTO large WITH x (i) AS (VALUES (1), (2)) SELECT i, randomblob(2000000) FROM x")
    yield
    world.primary_disk.grow()
    world.primary.revive()
    world.sql("DELETE FROM large")


FAULTS = {
    daemon_killed: {"daemon"}, daemon_stopped: {"daemon", "source"},
    server_crashed: {"server"}, server_restarted: {"server"}, backends_terminated: {"server"}, table_locked: {"server"},
    standby_falls_behind: {"server"}, standby_promoted: {"server"},
    commit_cut: {"proxy"}, connections_cut: {"proxy"}, proxy_down: {"proxy"}, proxy_slow: {"proxy"},
    proxy_stalls: {"proxy"}, proxy_half_closed: {"proxy"},
    writer_killed: {"source"}, writer_dies_in_transaction: {"source"}, source_restored: {"source"},
}
FULL_DISKS = {source_disk_full: {"source"}, spool_full: {"source", "spool"}, server_disk_full: {"source", "server"}}
