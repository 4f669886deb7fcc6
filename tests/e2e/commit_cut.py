#!/usr/bin/env python3
"""The connection is cut at each step of the COMMIT exchange: no change is lost or applied twice."""
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, proxy as proxies  # noqa: E402
from harness.process import wait_until  # noqa: E402

DDL = """
CREATE TABLE hits (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, n INTEGER NOT NULL, UNIQUE (name, n));
CREATE TABLE log (line TEXT);
"""


class CommitCut(case.Case):
    def setUp(self):
        super().setUp()
        self.proxy = proxies.Proxy(self.cluster.socket, self.dir)
        self.addCleanup(self.proxy.close)
        self.path = self.make_source(DDL)
        self.db = self.sqlite(self.path)

    def hit(self, times=1):
        """One transaction: counters go up, each with the event that says so, and a row without a key."""
        self.db.execute("BEGIN IMMEDIATE")
        for _ in range(times):
            name = f"name {self.random.randint(1, 20)}"
            self.db.execute("INSERT INTO hits VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET n = n + 1", (name,))
            self.db.execute("INSERT INTO event (name, n) SELECT name, n FROM hits WHERE name = ?", (name,))
            self.db.execute("INSERT INTO log VALUES (?)", (name,))
        self.db.execute("COMMIT")

    def check(self, daemon):
        self.assert_equal(self.path)
        # The counters agree with their events on PostgreSQL alone, too.
        self.assertEqual(self.pg("SELECT h.name FROM hits h WHERE n IS DISTINCT FROM "
                                 "(SELECT count(*) FROM event e WHERE e.name = h.name)"), [])
        position = daemon.status()["position"]
        self.assertEqual(position["applied"], position["captured"])
        top = self.db.execute("SELECT max(seq) FROM _liteferry_log").fetchone()[0]
        self.assertEqual(self.pg("SELECT applied_seq FROM liteferry.stream"), [(top,)])

    def watch_monotonic(self, stop, broken):
        """Counters on PostgreSQL never go back."""
        connection = self.cluster.connect(self.database)
        seen = {}
        with connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("SELECT name, n FROM hits")
                for name, n in cursor.fetchall():
                    if n < seen.get(name, 0):
                        broken.append((name, seen[name], n))
                    seen[name] = n
                stop.wait(0.01)
        connection.close()

    def test_each_step_while_following(self):
        daemon = self.daemon(self.path, url=self.proxy.url(self.database))
        daemon.until_state("following")
        self.hit()
        daemon.wait()
        stop, broken = threading.Event(), []
        watcher = threading.Thread(target=self.watch_monotonic, args=(stop, broken))
        watcher.start()
        try:
            for turn in range(3):
                for step in self.random.sample(proxies.STEPS, len(proxies.STEPS)):
                    with self.subTest(turn=turn, step=step):
                        cuts = len(self.proxy.fired)
                        self.proxy.arm(step)
                        self.hit(self.random.randint(1, 5))
                        self.proxy.wait_fired(cuts + 1)
                        self.hit()
                        daemon.wait()
                        self.check(daemon)
        finally:
            stop.set()
            watcher.join(10)
        self.assertEqual(broken, [])
        self.assertEqual(daemon.starts, 1)

    def test_each_step_while_copying(self):
        for _ in range(300):
            self.hit(5)
        daemon = self.daemon(self.path, {"copy": {"chunk_rows": 20}}, url=self.proxy.url(self.database), start=False)
        for step in proxies.STEPS * 2:
            self.proxy.arm(step, skip=self.random.randint(0, 12))
            cuts = len(self.proxy.fired)
            if not daemon.alive():
                daemon.start()
            wait_until(f"cut {step}", lambda: self.proxied(daemon, cuts), 60)
        daemon.wait()
        self.check(daemon)

    def proxied(self, daemon, cuts):
        """True once the armed cut was made; writes, so that there always is a COMMIT to come."""
        self.hit()
        daemon.run_for(0.02)
        return len(self.proxy.fired) > cuts

    def test_random_cuts(self):
        writer = self.writer(self.path, 200)
        daemon = self.daemon(self.path, url=self.proxy.url(self.database))
        for _ in range(40):
            daemon.run_for(self.random.uniform(0, 0.3))
            self.proxy.cut_all()
        writer.stop()
        daemon.wait()
        self.assert_equal(self.path, doubtful=True)
        self.assertEqual(daemon.starts, 1)

    def test_outage(self):
        daemon = self.daemon(self.path, url=self.proxy.url(self.database))
        daemon.until_state("following")
        self.proxy.outage(True)
        self.hit()
        status = daemon.until_state("retrying")
        self.assertTrue(status["reason"])
        first = daemon.until("lag grows", lambda s: (s["lag_seconds"] or 0) > 0)["lag_seconds"]
        daemon.until("lag grows", lambda s: (s["lag_seconds"] or 0) > first + 0.5)
        self.assertEqual(daemon.command("wait", "--timeout", "1s").returncode, 75)
        self.hit()
        self.proxy.outage(False)
        daemon.must("resume")
        begin = time.monotonic()
        daemon.wait()
        self.assertLess(time.monotonic() - begin, 60)
        self.check(daemon)
        self.assertEqual(daemon.status()["lag_seconds"], 0)


if __name__ == "__main__":
    case.main()
