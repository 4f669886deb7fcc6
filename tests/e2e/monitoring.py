#!/usr/bin/env python3
"""Metrics through a real Prometheus during a real run: all documented, all there at once, every panel answers."""
import pathlib
import re
import select
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.monitoring import RULES, metrics_of_document, queries  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.prometheus import Prometheus  # noqa: E402
from harness.proxy import Proxy  # noqa: E402

DDL = """CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO notes SELECT i, 'note number ' || i FROM n;
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO tags SELECT id, title FROM notes WHERE id <= 20000;
"""
VARIABLES = {"$__rate_interval": "10s", "$namespace": ".*", "$pod": ".*"}


def names(exposition):
    return set(re.findall(r"^(\w+)[{ ]", exposition, re.M))


def series(exposition):
    return {line.rsplit(" ", 1)[0] for line in exposition.splitlines() if not line.startswith("#")}


class Monitoring(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.proxy = Proxy(self.cluster.socket, self.dir)
        self.addCleanup(self.proxy.close)
        self.process = self.daemon(self.path, {"copy": {"jobs": 1, "chunk_rows": 30}},
                                   url=self.proxy.url(self.database), start=False)
        self.prometheus = Prometheus([self.process.port], [RULES])
        self.addCleanup(self.prometheus.close)

    def filled(self, query):
        for variable, text in VARIABLES.items():
            query = query.replace(variable, text)
        return query

    def value(self, expression):
        found = self.prometheus.query(expression)
        return found[0][1] if found else None

    def until(self, what, expression, condition):
        wait_until(what, lambda: (v := self.value(expression)) is not None and condition(v), 120, step=0.2)

    def check_text(self, exposition):
        result = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True,
                                check=False, timeout=120)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))
        self.assertEqual(names(exposition), metrics_of_document())

    def test_every_panel_answers(self):
        locker = self.cluster.connect(self.database)
        locker.autocommit = False
        locker.cursor().execute("LOCK TABLE tags IN SHARE MODE")  # the copy of notes can end, that of tags not
        self.process.start()
        self.process.until_answers()
        first = self.process.metrics()
        self.check_text(first)
        to_go = next(self.filled(query) for title, query in queries() if title == "Copy: time to go")
        self.until("time to go", to_go, lambda v: v > 0)
        locker.close()
        self.process.wait(timeout=120)
        db = self.sqlite(self.path)
        db.execute("UPDATE notes SET title = title || '!' WHERE id <= 1000")
        db.execute("DELETE FROM tags WHERE id <= 10")
        self.process.wait()
        self.process.must("verify")
        # The lag: 0 when idle, growing while the target is away, whatever the daemon does meanwhile.
        lag = "liteferry_replication_lag_seconds"
        self.until("lag 0", lag, lambda v: v == 0)
        self.proxy.outage(True)
        db.execute("DELETE FROM tags WHERE id = 11")
        self.until("target down", "liteferry_target_up", lambda v: v == 0)
        self.until("lag grows", lag, lambda v: v > 2)
        before = self.value(lag)
        self.until("lag grows on", lag, lambda v: v > before + 1)
        self.proxy.outage(False)
        self.until("lag 0 again", f"{lag} == 0 and liteferry_replication_lag_changes == 0", lambda v: True)
        self.until("counted", 'liteferry_target_reconnects_total{reason="network"}', lambda v: v == 1)
        values = [v for _, vs in self.prometheus.history(lag) for v in vs]
        self.assertGreaterEqual(min(values), 0)
        # Triggers were installed: that took the write lock. All is applied: the heartbeat moves with the clock.
        self.assertGreater(self.value("liteferry_source_lock_duration_seconds_count"), 0)
        self.until("a heartbeat", "time() - liteferry_heartbeat_applied_timestamp_seconds", lambda v: v < 60)
        # More clients than the server takes are turned away, and counted.
        crowd = [socket.create_connection(("127.0.0.1", self.process.port)) for _ in range(40)]
        turned_away = [c for c in crowd if select.select([c], [], [], 0.5)[0]]
        self.assertTrue(turned_away)
        for client in crowd:
            client.close()
        self.until("counted", 'liteferry_errors_total{component="http", class="transient"}', lambda v: v > 0)
        last = self.process.metrics()
        self.check_text(last)
        # What has the name of a table or of the target apart, no series came later than the first scrape.
        late = {s for s in series(last) - series(first) if "table=" not in s and "_info" not in s}
        self.assertEqual(late, set())
        for title, query in queries():
            # The one was asked above, while it had an answer; the other has none when all is well.
            if title in ("Copy: time to go", "Target went back in time"):
                continue
            with self.subTest(title, query=query):
                self.assertTrue(self.prometheus.history(self.filled(query)))
        self.assertEqual(self.prometheus.query('ALERTS{alertstate="firing"}'), [])


if __name__ == "__main__":
    case.main()
