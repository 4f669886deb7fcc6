#!/usr/bin/env python3
"""What counts as confirmed, that the log is kept for the rest, and a failover to a standby that lags."""
import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

DDL = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE);"


def all_confirmed(status):
    position = status["position"]
    return position["captured"] is not None and position["confirmed"] == position["applied"] == position["captured"] > 0


class Durability(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.make_source(DDL)
        self.write(0, 200)

    def write(self, start, count):
        db = sqlite3.connect(self.path)
        with db:
            db.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"v{i}") for i in range(start, start + count)))
            db.execute("UPDATE t SET v = v || '!' WHERE id % 7 = 0")
            db.execute("DELETE FROM t WHERE id % 11 = 3")
        db.close()

    def standby(self, primary):
        standby = Cluster(primary.version, primary=primary)
        self.addCleanup(standby.close)
        return standby

    def launch(self, durability, url=None, **target):
        running = self.daemon(self.path, {"target": {"durability": durability, **target},
                                          "changelog": {"retention": "0s"}}, url=url)
        running.wait()
        return running

    def gate(self, running):
        plan = json.loads(running.command("cutover", "plan", "--json").stdout)
        return next(gate for gate in plan["gates"] if gate["name"] == "durability")

    def noted(self, running, words):
        return running.until(words, lambda s: any(words in note for note in s.get("notes", [])))

    def refuses(self, standby):
        """A target.url that leads to a standby; when it is promoted it does: test_standby_and_failover."""
        other = self.dir / "other.db"
        sqlite3.connect(other).executescript(DDL)
        running = self.daemon(other, url=standby.url(self.database), name="other")
        status = running.until("refused", lambda s: s["state"] == "retrying" and "read-only" in s["reason"])
        self.assertIn("-rw", status["next_action"])
        running.kill()

    def test_local(self):
        running = self.launch("local")
        self.write(1000, 50)
        running.wait()
        running.until("confirmed", all_confirmed)

    def test_sync(self):
        running = self.launch("sync")
        self.noted(running, "synchronous_standby_names is empty")
        self.write(1000, 50)
        running.wait()
        self.assertEqual(running.status()["position"]["confirmed"], 0)
        self.assertIn('durability="sync"', running.metrics())
        self.assertIn("synchronous_standby_names is empty", self.gate(running)["detail"])
        self.refuses(self.standby(self.cluster))
        self.cluster.admin("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.addCleanup(self.cluster.admin, "SELECT pg_reload_conf()")
        self.addCleanup(self.cluster.admin, "ALTER SYSTEM RESET synchronous_standby_names")
        self.cluster.admin("SELECT pg_reload_conf()")
        running.until("confirmed", all_confirmed)
        self.write(2000, 50)
        running.wait()
        running.until("confirmed", all_confirmed)
        self.assertEqual([n for n in running.status()["notes"] if "synchronous" in n], [])
        self.assertTrue(self.gate(running)["ok"])
        self.assert_equal(self.path)

    def test_standby_and_failover(self):
        with Cluster(self.cluster.version) as primary:
            primary.create_database(self.database)
            primary.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text UNIQUE)", self.database)
            standby = self.standby(primary)
            both = f"postgresql://app@/{self.database}?host={primary.dir},{standby.dir}"
            running = self.launch("standby", both, confirm_url=standby.url(self.database))
            self.write(1000, 50)
            running.until("confirmed", all_confirmed)
            confirmed = running.status()["position"]["confirmed"]
            self.assertTrue(self.gate(running)["ok"])

            # The standby falls behind: nothing that it lacks leaves the log.
            standby.stop("immediate")
            self.write(2000, 500)
            running.wait()
            self.noted(running, "the standby confirms nothing")
            self.assertIn("the standby confirms nothing", self.gate(running)["detail"])
            position = running.status()["position"]
            self.assertEqual(position["confirmed"], confirmed)
            self.assertGreater(position["applied"], confirmed)
            self.assertLessEqual(position["oldest_kept"], confirmed)

            # The primary dies with what only it had.
            primary.stop("immediate")
            standby.start()
            standby.promote()
            self.write(3000, 50)
            running.until("following again", lambda s: s["state"] == "following" and s["consistent"]
                          and s["position"]["applied"] == s["position"]["captured"], 120)
            metrics = running.metrics()
            self.assertIn("liteferry_target_rewinds_total 1\n", metrics)
            self.assertIn('liteferry_target_reconnects_total{reason="failover"} 1\n', metrics)
            self.noted(running, "no standby")
            self.assertGreaterEqual(running.status()["position"]["confirmed"], confirmed)
            connection = standby.connect(self.database)
            self.addCleanup(connection.close)
            report = case.compare(self.path, connection)
            self.assertTrue(report.equal, report.describe())
            running.kill()

    def test_another_cluster(self):
        running = self.launch("local")
        running.kill()
        self.pg("UPDATE liteferry.stream SET system_identifier = '1'")
        self.pg("DELETE FROM t WHERE id < 50")
        running.start()
        status = running.until_state("halted")
        self.assertIn("another cluster", status["reason"])
        self.assertIn("resume --reconcile", status["next_action"])
        running.must("resume", "--reconcile")
        running.until("consistent", lambda s: s["state"] == "following" and s["consistent"])
        self.assert_equal(self.path)
        running.kill()
        running.start()
        running.wait()

        # Or by itself, when configured.
        running.kill()
        running.configure({"apply": {"on_rewind": "reconcile"}})
        self.pg("UPDATE liteferry.stream SET system_identifier = '1'")
        self.pg("DELETE FROM t WHERE id < 50")
        seen = len(running.log.read_text())
        running.start()
        running.until("reconciled", lambda s: s["state"] == "following" and s["consistent"]
                      and "table_in_doubt table=t" in running.log.read_text()[seen:])
        self.assert_equal(self.path)


if __name__ == "__main__":
    case.main()
