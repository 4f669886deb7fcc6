"""verify, against reading both sides once from one end to the other."""
import subprocess
import time

from bench.rig import Figure, narrow
from harness.process import clean_environment


def of_verify(rig):
    source, _ = narrow(rig, 2_000_000)
    with rig.database() as database, rig.daemon(source, database) as daemon:
        daemon.wait(timeout=1800)
        times = []

        def measure():
            begin = time.monotonic()
            subprocess.run(["sqlite3", "-readonly", daemon.source, "SELECT * FROM items"], check=True,
                           stdout=subprocess.DEVNULL, env=clean_environment())
            sqlite = time.monotonic() - begin
            postgres = rig.psql(database, "\\copy items to '/dev/null' (format binary)\n")
            begin = time.monotonic()
            daemon.must("verify", timeout=1800)
            times.append((sqlite, postgres, time.monotonic() - begin))
            return max(sqlite, postgres) / times[-1][2]
        ratio = rig.median(measure)
    sqlite, postgres, ours = (min(t[i] for t in times) for i in range(3))
    yield Figure("verify", "the slower of two sequential reads, its time", ratio, 0.5,
                 detail=f"SQLite {sqlite:.2f} s, PostgreSQL {postgres:.2f} s, verify {ours:.2f} s")
