#!/usr/bin/env python3
"""What runs out, is taken away or goes wrong around both databases: the state, the words, the metric, and the recovery."""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import unittest

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import unprivileged, wait_until  # noqa: E402
from harness.small_disk import SmallDisk  # noqa: E402

DDL = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
# All of 127/8 is this machine, so the port can stay what it is.
ADDRESS = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def must_be_real(disk):
    if not disk.real:
        print("\n*** no tmpfs can be mounted here: what a full disk does is NOT tested ***\n", flush=True)
        raise unittest.SkipTest("no tmpfs can be mounted here")


class Resources(case.Case):
    settings = {"listen_addresses": ADDRESS, "min_wal_size": "2MB", "max_wal_size": "16MB"}

    @classmethod
    def make_cluster(cls):
        cls.wal_disk = SmallDisk("wal", 64, unprivileged())
        cls.addClassCleanup(cls.wal_disk.close)
        return super().make_cluster(initdb=("--wal-segsize=1", f"--waldir={cls.wal_disk.path}/wal"))

    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.write(0, 20)
        self.url_file = self.dir / "url"

    def tearDown(self):
        self.cluster.revive()
        super().tearDown()

    def write(self, start, count, text="v"):
        db = sqlite3.connect(self.path)
        with db:
            db.executemany("INSERT INTO t VALUES (?, ?)", ((i, text) for i in range(start, start + count)))
        db.close()

    def launch(self, url=None, config=None, **environment):
        """By a file, which may change while the daemon runs."""
        self.url_file.write_text((url or self.url) + "\n")
        self.running = self.daemon(self.path, config, start=False)
        config = json.loads(self.running.config.read_text())
        config["target"] = {"url_file": str(self.url_file)}
        self.running.config.write_text(json.dumps(config))
        self.running.start(**environment)

    def disconnect(self, role="app"):
        self.cluster.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           f"WHERE usename = '{role}' AND application_name LIKE 'liteferry%'")

    def stands(self, state, words):
        status = self.running.until(f"{state}: {words}", lambda s: s["state"] == state and words in s["reason"])
        self.assertNotEqual(status["next_action"], "")
        self.assertNotIn("secret", self.running.log.read_text())
        self.assertRegex(self.running.metrics(), r'(?m)^liteferry_errors_total\{.*component="target".*\} [1-9]')
        return status

    def recovers(self, label=None):
        self.running.until("following", lambda s: s["state"] == "following" and s["consistent"]
                           and s["backlog_changes"] == 0, 120)
        self.assert_equal(self.path)
        if label:
            self.assertIn(f'liteferry_target_reconnects_total{{reason="{label}"}} 1\n', self.running.metrics())

    def test_too_many_connections(self):
        self.launch()
        self.running.wait()
        self.cluster.admin("ALTER ROLE app CONNECTION LIMIT 0")
        self.addCleanup(self.cluster.admin, "ALTER ROLE app CONNECTION LIMIT -1")
        self.disconnect()
        self.write(100, 10)
        self.stands("retrying", "too many connections")
        self.cluster.admin("ALTER ROLE app CONNECTION LIMIT -1")
        self.recovers("network")

    def test_became_read_only(self):
        self.launch()
        self.running.wait()
        self.cluster.admin(f"ALTER DATABASE {self.database} SET default_transaction_read_only = on")
        self.disconnect()
        self.write(100, 10)
        self.assertIn("-rw", self.stands("retrying", "read-only")["next_action"])
        self.cluster.admin(f"ALTER DATABASE {self.database} RESET default_transaction_read_only")
        self.recovers("failover")

    def allow(self, line):
        """Puts it first in pg_hba.conf, for this test."""
        hba = self.cluster.data / "pg_hba.conf"
        before = hba.read_text()

        def put(text):
            hba.write_text(text)
            self.cluster.admin("SELECT pg_reload_conf()")

        put(line + "\n" + before)
        self.addCleanup(put, before)

    def test_password_changed(self):
        self.allow("local all rotated scram-sha-256")
        self.cluster.admin("CREATE ROLE rotated LOGIN IN ROLE app PASSWORD 'secret1'")
        self.cluster.admin("ALTER ROLE rotated SET role = app")
        self.addCleanup(self.cluster.admin, "DROP ROLE rotated")
        url = self.url.replace("app@", "rotated:secret{}@")
        self.launch(url.format(1))
        self.running.wait()
        self.cluster.admin("ALTER ROLE rotated PASSWORD 'secret2'")
        self.disconnect("rotated")
        self.write(100, 10)
        self.stands("halted", "password authentication failed")
        self.url_file.write_text(url.format(2) + "\n")
        self.recovers("auth")

    def test_name_does_not_resolve(self):
        self.launch(f"postgresql://app@database.invalid/{self.database}")
        self.stands("retrying", "could not translate host name")
        self.url_file.write_text(self.url + "\n")
        self.recovers()

    # What is locked, and what takes too long.

    def waits_for_a_lock(self):
        holder = self.cluster.connect(self.database)
        self.addCleanup(holder.close)
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE t")
        self.write(100, 10)
        waiting = ("FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'liteferry' "
                   f"AND datname = '{self.database}'")
        wait_until("the daemon waits", lambda: self.pg("SELECT 1 " + waiting), 30)
        return holder, waiting

    def test_lock_time_out(self):
        """Its own, of 30 seconds, unless the role's is shorter."""
        self.pg("ALTER ROLE app IN DATABASE " + self.database + " SET lock_timeout = '300ms'")
        self.launch()
        self.running.wait()
        holder, _ = self.waits_for_a_lock()
        self.assertIn("55P03", self.stands("retrying", "lock timeout")["reason"])
        self.assertIn("pg_blocking_pids", self.running.status()["next_action"])
        self.assertGreater(self.running.status()["lag_seconds"], 0)
        holder.rollback()
        self.recovers()

    def test_statement_time_out(self):
        """The role's has no effect on a batch; one that the server cancels nevertheless is tried again."""
        self.pg("CREATE FUNCTION slow(text) RETURNS boolean LANGUAGE sql AS $$ SELECT pg_sleep(0.6) IS NOT NULL $$;"
                "ALTER TABLE t ADD CHECK (v <> 'slow' OR slow(v));"
                "ALTER ROLE app IN DATABASE " + self.database + " SET statement_timeout = '300ms'")
        self.launch()
        self.running.wait()
        self.write(50, 1, "slow")
        self.running.wait()
        self.assertNotIn("retrying attempt=", self.running.log.read_text())
        holder, waiting = self.waits_for_a_lock()
        self.cluster.admin("SELECT pg_cancel_backend(pid) " + waiting)
        wait_until("it is told", lambda: "57014" in self.running.log.read_text(), 30)
        holder.rollback()
        self.recovers()

    # Certificates.

    def sign(self, authority, days):
        """The server's certificate, valid for so many days; below 0 it has expired."""
        data = self.cluster.data
        openssl("x509", "-req", "-in", authority / "request", "-CA", authority / "ca.crt", "-CAkey", authority / "ca.key",
                "-CAcreateserial", "-days", days, "-out", data / "server.crt")
        self.cluster.admin("SELECT pg_reload_conf()")

    def test_certificate_expired(self):
        authority, data = self.dir, self.cluster.data
        new_key = ("req", "-newkey", "rsa:2048", "-nodes")
        openssl(*new_key, "-x509", "-keyout", authority / "ca.key", "-out", authority / "ca.crt", "-subj", "/CN=authority")
        openssl(*new_key, "-keyout", data / "server.key", "-out", authority / "request", "-subj", "/CN=database")
        if unprivileged():
            os.chown(data / "server.key", unprivileged()["user"], unprivileged()["group"])
        os.chmod(data / "server.key", 0o600)
        self.allow("hostssl all all 127.0.0.0/8 trust")
        self.sign(authority, 30)
        self.cluster.admin("ALTER SYSTEM SET ssl = on")
        self.cluster.admin("SELECT pg_reload_conf()")
        self.addCleanup(self.cluster.admin, "SELECT pg_reload_conf()")
        self.addCleanup(self.cluster.admin, "ALTER SYSTEM RESET ssl")
        self.launch(f"postgresql://app@{ADDRESS}/{self.database}?sslmode=verify-ca&sslrootcert={authority}/ca.crt")
        self.running.wait()
        self.assertEqual(self.pg("SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) "
                                 "WHERE application_name = 'liteferry'"), [(True,)])
        self.sign(authority, -1)
        self.write(100, 10)

        def refused():
            try:
                psycopg2.connect(self.url_file.read_text().strip()).close()
                return False
            except psycopg2.OperationalError as error:
                return "certificate verify failed" in str(error)

        wait_until("the server has read it", refused, 60)
        self.disconnect()
        self.write(200, 10)
        self.assertIn("expired", self.stands("halted", "certificate verify failed")["next_action"])
        self.sign(authority, 30)
        wait_until("the server has read it", lambda: not refused(), 60)
        self.running.must("resume")
        self.recovers("other")

    # Clocks.

    def test_clock_jumps(self):
        """Neither a lag that is not there, nor a log that is cut, nor comparing without end."""
        clock = self.dir / "clock"
        clock.write_text("+0d\n")
        self.assertTrue(os.path.exists(FAKETIME), FAKETIME + " is missing: scripts/setup.sh test")
        self.launch(None, {"verify": {"schedule": "1h"}, "changelog": {"retention": "1h"}}, LD_PRELOAD=FAKETIME,
                    FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.running.wait()
        oldest = self.running.status()["position"]["oldest_kept"]
        start = 1000
        for jump in ("+400d", "-400d", "+2h", "-30s", "+0d"):
            clock.write_text(jump + "\n")
            self.write(start, 10)
            start += 10
            self.running.wait()
            status = self.running.status()
            self.assertEqual((status["state"], status["lag_seconds"]), ("following", 0), jump)
            self.assertEqual(status["position"]["oldest_kept"], oldest, jump)
            # While something waits: the lag may be wrong by the jump, and is never below nothing.
            self.cluster.stop("immediate")
            self.write(start, 10)
            start += 10
            status = self.running.until("down", lambda s: s["state"] == "retrying" and s["backlog_changes"] >= 10)
            self.assertGreater(status["lag_seconds"], 0, jump)
            clock.write_text("+1d\n" if jump == "-400d" else "-1d\n")
            self.assertGreater(self.running.status()["lag_seconds"], 0, jump)
            self.cluster.start()
            self.running.must("resume")
            self.running.wait()
        # Not by SIGTERM: libfaketime takes asio's timers that are due at once for times of day.
        self.running.kill()
        self.assert_equal(self.path)

    # Disks.

    def test_disk_full(self):
        disk = SmallDisk("full", 1, unprivileged())
        self.addCleanup(disk.close)
        must_be_real(disk)
        self.cluster.admin(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        self.addCleanup(self.cluster.admin, "DROP TABLESPACE small")
        self.cluster.admin("ALTER TABLE t SET TABLESPACE small; ALTER INDEX t_pkey SET TABLESPACE small",
                           self.database)
        self.launch()
        self.running.wait()
        self.write(100, 20_000, "x" * 100)
        self.stands("retrying", "No space left on device")
        self.assertIn("53100", self.running.status()["reason"])
        disk.grow(64)
        self.recovers("other")

    def test_wal_disk_full(self):
        """The server dies of it, and dies again when it is started."""
        must_be_real(self.wal_disk)
        self.launch()
        self.running.wait()
        self.wal_disk.fill()
        self.addCleanup(self.wal_disk.grow)
        for start in range(1000, 200_000, 20_000):  # recycled segments come first
            self.write(start, 20_000, "x" * 100)
            if self.cluster.process.poll() is not None or self.running.status()["state"] != "following":
                break
        self.stands("retrying", "")
        wait_until("the server tells why", lambda: "No space left on device" in self.cluster.log.read_text(), 60)
        self.wal_disk.grow()
        self.cluster.revive()
        self.running.must("resume")
        self.recovers()

    def small_source(self, megabytes, changelog):
        disk = SmallDisk("source", megabytes)
        self.addCleanup(disk.close)
        must_be_real(disk)
        shutil.move(self.path, disk.path / "app.db")
        self.path = disk.path / "app.db"
        self.launch(None, {"changelog": changelog})
        self.running.wait()
        return disk

    def free_bytes(self):
        line = next(line for line in self.running.metrics().splitlines()
                    if line.startswith("liteferry_source_filesystem_free_bytes "))
        return float(line.split()[1])

    def rewrite(self, times):
        """The application changes the same 2000 rows again and again: only the changelog grows, by 40 KB each time."""
        db = self.sqlite(self.path)
        for _ in range(times):
            db.execute("UPDATE t SET v = v + 1")
        db.close()

    def log_fills_the_disk(self, disk, changelog, until):
        self.write(1000, 2000, "1")
        self.small_source(disk, changelog)
        self.cluster.stop("immediate")
        while not until():
            self.rewrite(10)
        self.assertIn("nearly full", self.running.until_state("paused")["reason"])
        # More than the disk has room for.
        self.rewrite(500)
        self.cluster.start()
        self.running.must("resume")
        self.recovers()

    def test_the_log_never_takes_the_application_down(self):
        """keep: as long as there is room for as much again."""
        self.log_fills_the_disk(24, {"max_size": "4MiB"}, lambda: self.free_bytes() < 4 << 20)

    def test_the_log_is_released_at_its_limit(self):
        enough = iter(range(8))
        self.log_fills_the_disk(16, {"max_size": "1MiB", "when_full": "release"}, lambda: next(enough, None) is None)

    def test_source_disk_full(self):
        disk = self.small_source(16, {})
        disk.fill()
        with self.assertRaisesRegex(sqlite3.OperationalError, "full"):
            self.write(100, 20_000, "x" * 100)
        self.assertIn(self.running.status()["state"], ("following", "retrying"))
        self.assertEqual(self.free_bytes(), 0)
        disk.grow()
        self.write(100, 100, "x" * 100)
        self.recovers()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


if __name__ == "__main__":
    case.main()
