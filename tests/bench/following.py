"""Following: a backlog against what psql needs with the rows in a file, a writer at full speed, the lag."""
import json
import multiprocessing
import sqlite3
import statistics
import time

from bench.rig import FOLLOWING, NARROW_PG, Figure, narrow, narrow_rows, paced, seconds, until_logged


def caught_up(daemon):
    """Stopped with everything applied."""
    until_logged(daemon, FOLLOWING)
    daemon.must("wait", "--lag", "0", "--timeout", "1h", timeout=3700)
    assert daemon.stop() == 0


def catch_up(rig, daemon):
    """Starts it on what waits; seconds from being connected until all of it is applied."""
    rig.checkpoint()
    daemon.start()
    until_logged(daemon, FOLLOWING)
    return seconds(daemon, " ready ", FOLLOWING)


def backlog(rig, change, merge):
    """psql's seconds for the rows that `change` touches, divided by liteferry's."""
    source, rows = narrow(rig, 2_000_000)
    with rig.database() as database, rig.daemon(source, database) as daemon:
        caught_up(daemon)
        # The peer's table, as it is before.
        rig.psql(database, f"CREATE TABLE peer ({NARROW_PG}); INSERT INTO peer SELECT * FROM items;"
                           "VACUUM ANALYZE peer; VACUUM ANALYZE items;")
        db = sqlite3.connect(daemon.source, isolation_level=None)
        db.execute("BEGIN")
        keys = change(db, rows)
        db.execute("COMMIT")
        db.close()
        ours = catch_up(rig, daemon)
        staged = rig.folder / "changed.bin"
        rig.psql(database, f"\\copy (SELECT * FROM items WHERE {keys}) to '{staged}' (format binary)")
        rig.checkpoint()
        return rig.psql(database, merge.replace("FILE", str(staged))) / ours


MERGE = ("BEGIN;\nCREATE TEMP TABLE staged (LIKE peer);\n\\copy staged from 'FILE' (format binary)\n"
         "INSERT INTO peer SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET code = excluded.code, "
         "qty = excluded.qty, word = excluded.word, price = excluded.price, note = excluded.note, "
         "created = excluded.created;\nCOMMIT;\n")


def updates(rig):
    def change(db, rows):
        db.execute("UPDATE items SET qty = qty + 1 WHERE id % 2 = 0")
        return "id % 2 = 0"
    yield Figure("backlog of updates, half of the rows", "staging and merge by psql, its time",
                 rig.median(lambda: backlog(rig, change, MERGE)), 0.8)


def inserts(rig):
    def change(db, rows):
        db.executemany("INSERT INTO items VALUES (?,?,?,?,?,?,?)",
                       narrow_rows(rows // 2, rig.random, rows + 1))
        return f"id > {rows}"
    yield Figure("backlog of inserts, as many as half of the rows", "psql \\copy of them, its time",
                 rig.median(lambda: backlog(rig, change, "\\copy peer from 'FILE' (format binary)\n")), 0.6)


def write(path, until, rate, commits):
    """Single-row transactions; (id, time of commit) of each into `commits`, at the end."""
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    db.execute("PRAGMA synchronous=NORMAL")
    done = []
    for number in paced(rate):
        if time.time() >= until:
            break
        db.execute("INSERT INTO items VALUES (?, 1, 1, 'w', 1.0, 'note', 'now')", (10**9 + number,))
        done.append((10**9 + number, time.time()))
    db.close()
    commits.put(done)


def with_writer(rig, duration, rate, during):
    """What the writer committed, after a run of `duration` seconds beside the daemon."""
    source, _ = narrow(rig, 100_000)
    with rig.database() as database, rig.daemon(source, database) as daemon:
        until_logged(daemon, FOLLOWING)
        commits = multiprocessing.Queue()
        process = multiprocessing.Process(
            target=write, args=(daemon.source, time.time() + duration, rate, commits))
        process.start()
        seen = []

        def look():
            seen.append(json.loads(daemon.http("/status"))["position"])

        while process.is_alive() and commits.empty():
            look()
            time.sleep(0.2)
        done = commits.get()
        process.join()
        look()
        daemon.must("wait", "--lag", "0", "--timeout", "10m", timeout=700)
        return during(database, done, seen)


def full_speed(rig):
    duration = max(3, 60 * rig.scale)

    def judge(_, done, seen):
        rate = len(done) / (done[-1][1] - done[0][1])
        waiting = max(p["captured"] - p["applied"] for p in seen)
        return waiting / rate, f"{rate:,.0f} transactions/s, at most {waiting} changes waited"
    seconds_behind, detail = with_writer(rig, duration, 0, judge)
    yield Figure("writer at full speed: largest backlog", "what it writes in a second", seconds_behind, 1.0,
                 at_least=False, detail=detail)


def one_commit(rig, database, rounds=300):
    """Seconds: an empty round trip plus a single-row COMMIT, as this server does them."""
    connection = rig.cluster.connect(database)
    taken = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE single (id bigint PRIMARY KEY, v text)")
        for number in range(rounds):
            begin = time.perf_counter()
            cursor.execute("SELECT 1")
            cursor.execute("INSERT INTO single VALUES (%s, 'v')", (number,))
            taken.append(time.perf_counter() - begin)
        cursor.execute("DROP TABLE single")
    connection.close()
    return statistics.median(taken)


def lag(rig):
    """SQLite's commit by the writer's clock, PostgreSQL's by track_commit_timestamp; one machine."""
    def judge(database, done, _):
        at = dict(rig.cluster.execute(
            "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM items WHERE id > 1000000000",
            database))
        late = sorted(max(0.0, float(at[number]) - committed) for number, committed in done)
        assert len(late) == len(at)
        single = one_commit(rig, database)
        return late[len(late) // 2], late[int(len(late) * 0.99)], single
    p50, p99, single = with_writer(rig, max(3, 60 * rig.scale), 500, judge)
    unit = f"{single * 1000:.2f} ms"
    against = "a round trip and a COMMIT"
    yield Figure("lag at 500 transactions/s, p50", against, p50 / single, 4, at_least=False,
                 detail=f"{p50 * 1000:.2f} ms against {unit}")
    yield Figure("lag at 500 transactions/s, p99", against, p99 / single, 20, at_least=False,
                 detail=f"{p99 * 1000:.2f} ms against {unit}")


