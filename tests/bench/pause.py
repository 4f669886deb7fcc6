"""The write pause of a cutover at 500 transactions a second, and how it grows with the table."""
import multiprocessing
import sqlite3
import time

from bench.rig import Figure, narrow, paced


def write(path, rate, stop):
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    db.execute("PRAGMA synchronous=NORMAL")
    for number in paced(rate):
        if stop.is_set():
            break
        try:
            db.execute("UPDATE items SET qty = qty + 1 WHERE id = ?", (number * 37 % 1000 + 1,))
        except sqlite3.IntegrityError:
            break  # the fence
    db.close()


def pauses(rig, full, attempts):
    """Seconds, sorted, and the rows; cut over and back again and again."""
    source, rows = narrow(rig, full)
    taken = []
    with rig.database() as database, rig.daemon(source, database) as daemon:
        daemon.wait(timeout=1800)
        daemon.must("verify", timeout=1800)
        for _ in range(attempts):
            stop = multiprocessing.Event()
            writer = multiprocessing.Process(target=write, args=(daemon.source, 500, stop))
            writer.start()
            time.sleep(1)
            daemon.must("cutover", "start", timeout=600)
            writer.join(30)
            stop.set()
            taken.append(daemon.status()["cutover"]["write_pause_seconds"])
            daemon.must("cutover", "abort", timeout=600)
            daemon.wait(timeout=600)
    return sorted(taken), rows


def of_cutover(rig):
    attempts = max(1, int(20 * rig.scale))
    small, few = pauses(rig, 20_000, attempts)
    large, rows = pauses(rig, 2_000_000, attempts)
    middle = len(small) // 2
    yield Figure(f"cutover, pause with {rows / few:.0f} times the rows", "the pause with the small table, median",
                 large[middle] / small[middle], 1.5, at_least=False,
                 detail=f"{large[middle] * 1000:.0f} ms against {small[middle] * 1000:.0f} ms")
    p95 = large[min(len(large) - 1, int(len(large) * 0.95))]
    yield Figure("cutover, p95 of the pause", "250 ms", p95 / 0.25, 1.0, at_least=False,
                 detail=f"{p95 * 1000:.0f} ms, {len(large)} cutovers")
