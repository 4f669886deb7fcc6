"""What the daemon takes of the machine: memory while it works, processor while there is nothing to do."""
import pathlib
import sqlite3
import time

from bench.rig import FOLLOWING, Figure, create, narrow, peak_rss, until_logged
from harness.process import cpu_seconds

BASE = 64 << 20


def memory(rig):
    rows = rig.rows(16_000, 500)
    blobs = create(rig.folder / "memory.db", "CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB NOT NULL);",
                   lambda db: db.executemany("INSERT INTO files VALUES (?, ?)",
                                             ((i, rig.random.randbytes(131072)) for i in range(rows))))
    with rig.database() as database, rig.daemon(blobs, database) as daemon:
        until_logged(daemon, FOLLOWING)
        peak = peak_rss(daemon)
    blobs.unlink()
    yield Figure("memory, copy of a large database", "64 MiB and two rows", peak / (BASE + 2 * 131072), 1.0,
                 at_least=False, detail=f"{peak >> 20} MiB for {rows * 131072 >> 20} MiB of rows")

    source, _ = narrow(rig, 2_000_000)
    with rig.database() as database, rig.daemon(source, database) as daemon:
        until_logged(daemon, FOLLOWING)
        assert daemon.stop() == 0
        changes = rig.rows(3_000_000, 2000)
        db = sqlite3.connect(daemon.source, isolation_level=None)
        done = 0
        while done < changes:
            done += db.execute("UPDATE items SET qty = qty + 1 WHERE id <= ?", (changes - done,)).rowcount
        db.close()
        daemon.start()
        daemon.wait(timeout=3600)
        peak = peak_rss(daemon)
    yield Figure("memory, catching up", "64 MiB", peak / BASE, 1.0, at_least=False,
                 detail=f"{peak >> 20} MiB for {changes} changes")


def switches(pid):
    """Voluntary context switches of all threads: how often it woke up."""
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def idle(rig):
    duration = max(5, 60 * rig.scale)
    source, _ = narrow(rig, 100_000)
    with rig.database() as database, rig.daemon(source, database) as daemon:
        daemon.wait()
        time.sleep(5)
        pid = daemon.process.pid
        used, woken = cpu_seconds(pid), switches(pid)
        time.sleep(duration)
        used, woken = cpu_seconds(pid) - used, switches(pid) - woken
    yield Figure("idle, share of a core", "one core, in percent", used / duration * 100, 0.2, at_least=False,
                 detail=f"{woken / duration:.0f} wake-ups a second")
