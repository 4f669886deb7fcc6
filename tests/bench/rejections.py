#!/usr/bin/env python3
"""How much slower the initial copy is when some rows are bad. Run by hand; prints ratios, changes nothing.

One table of --rows rows is copied as it is, and with --bad rows spoilt at random: for the encoder (text in an
integer column), for the server only (CHECK and domain), and for a unique constraint only. The runs are
interleaved; the speed is that of the median of --rounds.
"""
import argparse
import pathlib
import random
import shutil
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from bench.rig import seconds  # noqa: E402
from harness import sqlite_catalog  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.process import temp_dir  # noqa: E402

SOURCE = ("CREATE TABLE items (id INTEGER PRIMARY KEY, code INTEGER, qty INTEGER, word TEXT, price REAL, note TEXT,"
          " created TEXT)")
TARGET = """
CREATE DOMAIN short_word AS text CHECK (length(VALUE) <= 20);
CREATE TABLE items (id bigint NOT NULL UNIQUE, code bigint PRIMARY KEY, qty integer NOT NULL CHECK (qty >= 0),
  word short_word, price double precision, note text, created timestamp);
"""
SPOIL = {
    "clean": [],
    "encoder": ["UPDATE items SET qty = 'many' WHERE id = ?"],
    "server": ["UPDATE items SET qty = -1 WHERE id = ?",
               "UPDATE items SET word = 'longer than the domain wants it' WHERE id = ?"],
    "unique": ["UPDATE items SET code = code + 1 WHERE id = ?"],
}


def make(path, rows, rng):
    db = sqlite_catalog.connect(path)
    db.execute("PRAGMA journal_mode=wal")
    db.execute(SOURCE)
    db.execute("BEGIN")
    db.executemany("INSERT INTO items VALUES (?,?,?,?,?,?,?)", (
        (i, i + 10**9, rng.randrange(1000), f"word {i % 1000}", rng.random(), "some words of a note " * 3,
         "2026-03-06 12:00:00.123456") for i in range(1, rows + 1)))
    db.execute("COMMIT")
    db.close()


def spoil(path, statements, ids):
    db = sqlite_catalog.connect(path)
    db.execute("BEGIN")
    for number, row in enumerate(ids):
        db.execute(statements[number % len(statements)], (row,))
    db.execute("COMMIT")
    db.close()


def copy_once(cluster, folder, source, bad):
    """Seconds of the copy of a fresh copy of `source` into an empty database."""
    work = folder / "work"
    work.mkdir()
    shutil.copy(source, work / "app.db")
    cluster.create_database("bench")
    cluster.execute(TARGET, "bench")
    daemon = Daemon(work, work / "app.db", cluster.url("bench"), {"log": {"level": "info"}})
    try:
        daemon.start()
        daemon.wait(timeout=1200)
        rejected = cluster.execute("SELECT count(*) FROM liteferry.rejected_row", "bench")[0][0]
        assert rejected == bad, f"{rejected} rows rejected, expected {bad}"
        return seconds(daemon, " copy_started", " copy_finished")
    finally:
        daemon.kill()
        cluster.drop_database("bench")
        shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bad", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", default="15")
    parser.add_argument("--only", choices=[k for k in SPOIL if k != "clean"])
    options = parser.parse_args()
    rng = random.Random(options.seed)
    folder = temp_dir("bench")
    kinds = [k for k in SPOIL if options.only in (None, k) or k == "clean"]
    try:
        with Cluster(options.postgres, {"max_wal_size": "8GB"}) as cluster:
            make(folder / "clean.db", options.rows, rng)
            # Rows apart from each other, so that each takes the code of one that keeps its own.
            ids = rng.sample(range(1, options.rows // 2), options.bad)
            for kind in kinds[1:]:
                shutil.copy(folder / "clean.db", folder / f"{kind}.db")
                spoil(folder / f"{kind}.db", SPOIL[kind], [2 * i for i in ids])
            times = {kind: [] for kind in kinds}
            for number in range(options.rounds):
                for kind in kinds:
                    taken = copy_once(cluster, folder, folder / f"{kind}.db",
                                      0 if kind == "clean" else options.bad)
                    times[kind].append(taken)
                    print(f"round {number + 1} {kind:8} {taken:7.2f} s", flush=True)
    finally:
        shutil.rmtree(folder)
    clean = statistics.median(times["clean"])
    print(f"{options.rows} rows, {options.bad} bad; clean: {options.rows / clean:,.0f} rows/s")
    for kind in kinds[1:]:
        print(f"{kind:8} speed against clean: {clean / statistics.median(times[kind]):.2f}")


if __name__ == "__main__":
    main()
