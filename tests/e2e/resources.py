#!/usr/bin/env python3
"""What runs out or is taken away on PostgreSQL's side: the state, the words, the metric, and the recovery."""
import json
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.process import unprivileged  # noqa: E402
from harness.small_disk import SmallDisk  # noqa: E402

DDL = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"


class Resources(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.write(0, 20)
        self.url_file = self.dir / "url"

    def write(self, start, count, text="v"):
        db = sqlite3.connect(self.path)
        with db:
            db.executemany("INSERT INTO t VALUES (?, ?)", ((i, text) for i in range(start, start + count)))
        db.close()

    def launch(self, url=None):
        """By a file, which may change while the daemon runs."""
        self.url_file.write_text((url or self.url) + "\n")
        self.running = self.daemon(self.path, start=False)
        config = json.loads(self.running.config.read_text())
        config["target"] = {"url_file": str(self.url_file)}
        self.running.config.write_text(json.dumps(config))
        self.running.start()

    def disconnect(self, role="app"):
        self.cluster.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           f"WHERE usename = '{role}' AND application_name LIKE 'liteferry%'")

    def stands(self, state, words):
        status = self.running.until(f"{state}: {words}", lambda s: s["state"] == state and words in s["reason"])
        self.assertNotEqual(status["next_action"], "")
        self.assertNotIn("secret", self.running.log.read_text())
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

    def test_password_changed(self):
        hba = self.cluster.data / "pg_hba.conf"
        trusting = hba.read_text()
        hba.write_text("local all rotated scram-sha-256\n" + trusting)
        self.cluster.admin("SELECT pg_reload_conf()")
        self.cluster.admin("CREATE ROLE rotated LOGIN IN ROLE app PASSWORD 'secret1'")
        self.cluster.admin("ALTER ROLE rotated SET role = app")

        def restore():
            hba.write_text(trusting)
            self.cluster.admin("SELECT pg_reload_conf()")
            self.cluster.admin("DROP ROLE rotated")

        self.addCleanup(restore)
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

    def test_disk_full(self):
        disk = SmallDisk("full", 1, unprivileged())
        self.addCleanup(disk.close)
        if not disk.real:
            raise unittest.SkipTest("*** no tmpfs can be mounted here ***")
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


if __name__ == "__main__":
    case.main()
