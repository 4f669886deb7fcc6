#!/usr/bin/env python3
"""The daemon as a process: two at once, pausing, stopping, an idle one."""
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.daemon import program  # noqa: E402
from harness.process import clean_environment, cpu_seconds, spawn, wait_until  # noqa: E402

DDL = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price NUMERIC(10,2), made DATETIME);
CREATE TABLE part (item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE, no INTEGER NOT NULL,
  PRIMARY KEY (item_id, no));
"""


class Daemons(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.db = self.sqlite(self.path)
        self.db.executemany("INSERT INTO item VALUES (?, ?, ?, ?)", [
            (i, f"item {i}", i / 4, "2026-01-01 10:00:00") for i in range(1, 2001)])

    def http(self, daemon, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def watched(self, daemon, rows, columns):
        """What a terminal of that size shows of `status --watch`: the lines of one whole picture."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        watch = spawn([program(), "status", "--watch", "-c", str(daemon.config)], stdin=subprocess.DEVNULL, stdout=slave,
                      stderr=subprocess.DEVNULL, env=clean_environment(TERM="xterm", NO_COLOR="1"))
        os.close(slave)
        seen = b""

        def pictures():
            nonlocal seen
            while select.select([master], [], [], 0)[0]:
                seen += os.read(master, 65536)
            return len(seen.split(b"\x1b[H\x1b[J")) >= 4
        try:
            wait_until("three pictures", pictures, 60)
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(60), 0)
        finally:
            watch.kill()
            watch.wait()
            os.close(master)
        return seen.split(b"\x1b[H\x1b[J")[2].decode().split("\r\n")

    def test_watching_on_a_small_terminal_and_asking_without_a_daemon(self):
        daemon = self.daemon(self.path)
        daemon.wait()
        lines = self.watched(daemon, 14, 200)
        self.assertLessEqual(len(lines), 14)  # the last is the empty one of the cursor
        self.assertIn("FOLLOWING", "".join(lines))
        self.assertIn("… 2 more tables", lines)
        self.assertIn("part", "".join(self.watched(daemon, 40, 200)))
        # A daemon whose socket is elsewhere is not taken for none.
        other = daemon.must("status", "--socket", str(self.dir / "none.sock"))
        self.assertIn("a daemon is connected to the target, but does not answer here", other)
        self.assertEqual(daemon.stop(), 0)
        text = daemon.must("status")
        self.assertRegex(text, r"FOLLOWING +consistent")  # and not since now
        self.assertRegex(text, r"no daemon is running; its last sign of life was .* ago")
        self.assertIsNone(daemon.status()["since"])

    def test_two_at_once(self):
        """One applies, the other says so and waits; when the first is killed the second goes on."""
        first = self.daemon(self.path, name="first")
        first.until_state("following")
        second = self.daemon(self.path, name="second")
        waiting = second.until("the second waits", lambda s: s["reason"] and s["state"] != "following")
        self.assertIn("daemon", waiting["reason"])
        writer = self.writer(self.path, 100)
        second.run_for(1.5)
        first.run_for(0)
        self.assertNotEqual(second.status()["state"], "following")
        first.kill()
        second.until_state("following", 60)
        writer.stop()
        second.wait()
        self.assert_equal(self.path)
        # And back, by a graceful end.
        first.start()
        first.until("the first waits", lambda s: s["reason"] and s["state"] != "following")
        self.assertEqual(second.stop(), 0)
        first.until_state("following", 60)
        first.wait()
        self.assert_equal(self.path)

    def test_both_started_together(self):
        writer = self.writer(self.path, 100)
        pair = [self.daemon(self.path, {"copy": {"chunk_rows": 50}}, name=f"d{i}") for i in range(2)]
        for daemon in pair:
            daemon.run_for(1)
        writer.stop()
        wait_until("one of them follows", lambda: any(
            (d.status() or {}).get("state") == "following" for d in pair), 60)
        states = [d.status()["state"] for d in pair]
        self.assertEqual(states.count("following"), 1, states)
        pair[states.index("following")].wait()
        self.assert_equal(self.path)

    def test_lag_is_true(self):
        """When `wait` returns, the newest commit made before it began is on PostgreSQL."""
        daemon = self.daemon(self.path)
        daemon.wait()
        for number in range(100):
            self.db.execute("UPDATE item SET name = ? WHERE id = 1", (f"round {number}",))
            daemon.wait()
            self.assertEqual(self.pg("SELECT name FROM item WHERE id = 1"), [(f"round {number}",)])

    def test_pause_and_resume(self):
        daemon = self.daemon(self.path)
        daemon.wait()
        daemon.must("pause")
        paused = daemon.until_state("paused")
        self.db.execute("INSERT INTO item VALUES (5000, 'while paused', 1, NULL)")
        status = daemon.until("capture goes on", lambda s: s["backlog_changes"] > 0)
        self.assertEqual(status["position"]["applied"], paused["position"]["applied"])
        self.assertEqual(self.pg("SELECT 1 FROM item WHERE id = 5000"), [])
        # It is remembered.
        daemon.kill()
        daemon.start()
        daemon.until_state("paused")
        daemon.must("resume")
        daemon.wait()
        self.assert_equal(self.path)

    def test_resume_while_the_target_is_away(self):
        """It counts, although the pause that it ends is remembered where nobody can be asked."""
        daemon = self.daemon(self.path)
        daemon.wait()
        daemon.must("pause")
        daemon.until_state("paused")
        daemon.kill()
        self.cluster.stop("fast")
        daemon.start()
        daemon.until_state("retrying", 30)
        daemon.must("resume")
        self.db.execute("INSERT INTO item VALUES (5001, 'after', 1, NULL)")
        self.cluster.start()
        daemon.wait(timeout=90)
        self.assert_equal(self.path)

    def test_term_ends_in_order(self):
        writer = self.writer(self.path, 200)
        daemon = self.daemon(self.path)
        daemon.until_state("following")
        self.assertEqual(daemon.stop(timeout=20), 0)
        writer.stop()
        daemon.start()
        daemon.wait()
        self.assert_equal(self.path)

    def test_term_does_not_wait_for_a_lock(self):
        daemon = self.daemon(self.path)
        daemon.wait()
        holder = self.cluster.connect(self.database)
        self.addCleanup(holder.close)
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE item")
        self.db.execute("UPDATE item SET price = price + 1")
        wait_until("the batch waits", lambda: self.pg(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'liteferry' "
            f"AND datname = '{self.database}'"), 30)
        self.assertEqual(daemon.stop(timeout=25), 0)
        self.assertIn("batch_given_up", daemon.log.read_text())
        holder.rollback()
        daemon.start()
        daemon.wait()
        self.assert_equal(self.path)

    def test_target_is_away_at_the_start(self):
        self.cluster.stop("fast")
        daemon = self.daemon(self.path)
        status = daemon.until_state("retrying", 30)
        self.assertTrue(status["reason"])
        self.assertEqual(self.http(daemon, "/livez")[0], 200)
        self.assertNotEqual(self.http(daemon, "/readyz")[0], 200)
        self.cluster.start()
        daemon.wait(timeout=90)
        self.assert_equal(self.path)
        self.assertEqual(self.http(daemon, "/readyz")[0], 200)

    def test_surface(self):
        daemon = self.daemon(self.path)
        daemon.wait()
        code, metrics = self.http(daemon, "/metrics")
        self.assertEqual(code, 200)
        self.assertIn("liteferry_replication_lag_seconds 0", metrics)
        self.assertEqual(json.loads(self.http(daemon, "/status")[1])["state"], "following")
        self.assertEqual(self.http(daemon, "/")[0], 200)
        self.assertEqual(daemon.must("version").split()[0], "liteferry")
        for word in ("item", "price", "part"):
            self.assertIn(word, daemon.must("check"))

    def test_flags_only(self):
        """`liteferry run --source X --target URL`, nothing else."""
        daemon = self.daemon(self.path, start=False)
        log = open(daemon.log, "ab")
        self.addCleanup(log.close)
        daemon.process = spawn([program(), "run", "--source", str(self.path), "--target", self.url],
                               stdout=log, stderr=log, env=clean_environment(
                                   LITEFERRY_HTTP_LISTEN=f"127.0.0.1:{daemon.port}"))
        daemon.socket = pathlib.Path(f"{self.path}-liteferry.sock")
        daemon.until_answers()
        self.assertEqual(daemon.socket.stat().st_mode & 0o777, 0o600)
        wait_until("following", lambda: json.loads(self.http(daemon, "/status")[1])["state"] == "following", 60)
        self.assert_equal(self.path)

    def test_idle_uses_no_cpu(self):
        for journal in ("wal", "delete"):
            with self.subTest(journal=journal):
                self.db.execute(f"PRAGMA journal_mode={journal}")
                daemon = self.daemon(self.path, name=journal)
                daemon.wait()
                daemon.run_for(1)
                before = cpu_seconds(daemon.process.pid)
                daemon.run_for(8)
                used = (cpu_seconds(daemon.process.pid) - before) / 8
                self.assertLess(used, 0.02, "share of one CPU while nothing happens")
                # It still wakes at once.
                self.db.execute("INSERT INTO item (name) VALUES (?)", (f"wake {journal}",))
                daemon.wait(timeout=20)
                self.assert_equal(self.path)
                self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    case.main()
