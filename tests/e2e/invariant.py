#!/usr/bin/env python3
"""What is true in every state of SQLite is true in every snapshot of PostgreSQL while following."""
import argparse
import json
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import psycopg2.extensions  # noqa: E402

from harness import case, sqlite_catalog  # noqa: E402
from harness.writer import until_term  # noqa: E402

ACCOUNTS = 200
EACH = 1000
DDL = """
CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER NOT NULL, lines INTEGER NOT NULL);
CREATE TABLE order_line (order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  line INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (order_id, line));
"""
# Each gives the number of violations within one snapshot.
CHECKS = {
    "sum of balances": f"SELECT abs(sum(balance) - {ACCOUNTS * EACH}) FROM account",
    "order totals": """SELECT count(*) FROM orders o CROSS JOIN LATERAL
        (SELECT coalesce(sum(amount), 0) AS total, count(*) AS lines FROM order_line l WHERE l.order_id = o.id) found
        WHERE (o.total, o.lines) IS DISTINCT FROM (found.total, found.lines)""",
    "lines without an order": """SELECT count(*) FROM order_line l
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = l.order_id)""",
}


def write(path, seed, rate):
    """The application: a process of its own, until SIGTERM."""
    rng = random.Random(seed)
    stop = until_term()
    db = sqlite_catalog.connect(path)
    db.execute("PRAGMA foreign_keys=ON")
    begin, done = time.monotonic(), 0
    while not stop:
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE counter SET n = n + 1")
        kind = rng.random()
        if kind < 0.5:
            for _ in range(rng.randint(1, 20)):
                amount = rng.randint(-50, 50)
                a, b = rng.sample(range(1, ACCOUNTS + 1), 2)
                db.execute("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, a))
                db.execute("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, b))
        elif kind < 0.85:
            lines = [rng.randint(1, 99) for _ in range(rng.randint(0, 12))]
            order = db.execute("INSERT INTO orders (total, lines) VALUES (?, ?)", (sum(lines), len(lines))).lastrowid
            db.executemany("INSERT INTO order_line VALUES (?, ?, ?)",
                           [(order, i, amount) for i, amount in enumerate(lines)])
        else:
            db.execute("DELETE FROM orders WHERE id = (SELECT id FROM orders LIMIT 1)")
        db.execute("COMMIT")
        done += 1
        if rate:
            time.sleep(max(0.0, begin + done / rate - time.monotonic()))
    db.close()
    print(json.dumps({"commits": done}))


class Invariant(case.Case):
    def test_every_snapshot(self):
        path = self.make_source(DDL)
        db = self.sqlite(path)
        db.execute("INSERT INTO counter VALUES (1, 0)")
        db.executemany("INSERT INTO account VALUES (?, ?)", [(i, EACH) for i in range(1, ACCOUNTS + 1)])
        writer = self.writer(path, 400, script=__file__)
        daemon = self.daemon(path)
        daemon.until_state("following")
        checks, counters = self.watch(daemon)
        writer.stop()
        daemon.wait()
        self.assert_equal(path)
        self.assertGreaterEqual(checks, 300)
        # The reader saw the copy move, not one and the same state.
        self.assertGreater(len(set(counters)), 100)
        self.assertEqual(counters, sorted(counters))

    def watch(self, daemon):
        """Reads until 300 consistent snapshots were seen; the counter's value in each."""
        connection = self.cluster.connect(self.database)
        connection.autocommit = False
        connection.set_session(isolation_level=psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        checks, counters = 0, []
        deadline = time.monotonic() + 90
        while checks < 300 and time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute("SELECT consistent FROM liteferry.stream")
                consistent = cursor.fetchone()[0]
                for name, sql in CHECKS.items():
                    cursor.execute(sql)
                    broken = cursor.fetchone()[0]
                    if consistent:
                        self.assertEqual(broken, 0, f"{name}, snapshot {checks}\n{daemon.tail()}")
                cursor.execute("SELECT n FROM counter")
                counters.append(cursor.fetchone()[0])
            connection.rollback()
            checks += consistent
            time.sleep(0.02)
        connection.close()
        return checks, counters


if __name__ == "__main__":
    if "--db" in sys.argv:
        parser = argparse.ArgumentParser()
        parser.add_argument("--db")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--rate", type=float)
        args = parser.parse_args()
        write(args.db, args.seed, args.rate)
    else:
        case.main()
