#!/usr/bin/env python3
"""`cutover`: every acknowledged write arrives, later ones are refused, and a crash at any step ends well."""
import http.server
import json
import pathlib
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.daemon import program  # noqa: E402
from harness.process import clean_environment, spawn, wait_until  # noqa: E402

DDL = '''
CREATE TABLE projects (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, note_id INTEGER REFERENCES notes (id));
CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER REFERENCES projects (id), body TEXT);
CREATE TABLE tags (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE keyless (n INTEGER, t TEXT);
CREATE TABLE "select ""x""" (id INTEGER PRIMARY KEY, v TEXT);
CREATE VIEW all_notes AS SELECT id, body FROM notes;
CREATE TRIGGER all_notes_in INSTEAD OF INSERT ON all_notes BEGIN INSERT INTO notes (body) VALUES (NEW.body); END;
INSERT INTO projects (id, name) VALUES (1, 'one'), (9, 'gone');
DELETE FROM projects WHERE id = 9;
INSERT INTO notes (id, project_id, body) VALUES (1, 1, 'first');
UPDATE projects SET note_id = 1;
INSERT INTO tags VALUES ('a', 1), ('b', 2);
INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, NULL);
INSERT INTO "select ""x""" VALUES (1, 'v');
'''

WRITES = [
    "INSERT INTO notes (body) VALUES ('late')",
    "INSERT OR REPLACE INTO notes (id, body) VALUES (1, 'late')",
    "INSERT OR IGNORE INTO notes (body) VALUES ('late')",
    "INSERT INTO tags VALUES ('a', 7) ON CONFLICT (name) DO UPDATE SET n = 7",
    "UPDATE notes SET body = 'late'",
    "UPDATE OR IGNORE tags SET n = 9",
    "DELETE FROM notes",
    "DELETE FROM tags WHERE name = 'a'",
    "INSERT INTO keyless VALUES (3, 'late')",
    "INSERT INTO all_notes (body) VALUES ('late')",
    "DELETE FROM \"select \"\"x\"\"\"",
]


class Client(threading.Thread):
    """The application: writes as fast as it may, and remembers what was acknowledged."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.acknowledged = []
        self.refusal = None
        self.over = threading.Event()

    def run(self):
        connection = sqlite3.connect(self.path, isolation_level=None)
        number = 0
        try:
            while not self.over.is_set():
                number += 1
                body = f"client {number}"
                connection.execute("INSERT INTO notes (project_id, body) VALUES (1, ?)", (body,))
                self.acknowledged.append(body)
                if number % 5 == 0:
                    connection.execute("INSERT INTO keyless VALUES (?, ?)", (number, body))
                self.over.wait(0.002)
        except sqlite3.Error as error:
            self.refusal = str(error)
        finally:
            connection.close()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes a webhook at the third time."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response((500, 429, 204)[min(len(self.server.heard), 3) - 1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Cutover(case.Case):
    def follow(self, journal="wal", config=None, ddl=DDL):
        self.path = self.make_source(ddl, journal=journal)
        settings = {"cutover": {"max_pause": "20s"}}
        settings["cutover"].update((config or {}).get("cutover", {}))
        daemon = self.daemon(self.path, settings)
        daemon.wait()
        daemon.must("verify")
        return daemon

    def write(self, sql):
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.execute(sql)
        finally:
            connection.close()

    def client(self):
        client = Client(self.path)
        self.addCleanup(client.join, 30)
        self.addCleanup(client.over.set)
        client.start()
        wait_until("the client writes", lambda: len(client.acknowledged) > 20, 30)
        return client

    def assert_fenced(self):
        for sql in WRITES:
            with self.assertRaisesRegex(sqlite3.IntegrityError, "moved to PostgreSQL", msg=sql):
                self.write(sql)
        self.assertGreater(self.sqlite(self.path).execute("SELECT count(*) FROM notes").fetchone()[0], 0)

    def assert_released(self):
        self.assertEqual(self.pg("SELECT count(*) FROM liteferry.held"), [(0,)])
        left = self.pg("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated")
        self.assertEqual(left, [(0,)])
        self.assertEqual(self.pg("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"), [(2,)])
        hidden = self.pg("SELECT 1 FROM pg_attribute WHERE attname = '_liteferry_rowid' AND NOT attisdropped")
        self.assertEqual(hidden, [])

    def start_until_killed(self, daemon, step):
        """A daemon that dies at `step` of the cutover."""
        self.assertEqual(daemon.stop(), 0)
        daemon.start(TEST_LITEFERRY_KILL_AT=step)
        daemon.wait()

    # Tests.

    def under_writes(self, journal):
        daemon = self.follow(journal)
        client = self.client()
        result = daemon.command("cutover", "start", "--json", "--on-ready",
                                f"env | grep ^LITEFERRY_ > {self.dir}/hook")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr + daemon.tail())
        client.join(60)
        self.assertIn("moved to PostgreSQL", client.refusal or "")
        self.assert_fenced()
        self.assert_released()
        self.assert_equal(self.path)
        there = {row[0] for row in self.pg("SELECT body FROM notes")}
        self.assertEqual([body for body in client.acknowledged if body not in there], [])
        answer = json.loads(result.stdout)
        print(f"write pause {answer['write_pause_seconds']:.3f} s, "
              f"{len(client.acknowledged)} writes acknowledged", flush=True)
        self.assertGreater(answer["write_pause_seconds"], 0)
        hook = (self.dir / "hook").read_text()
        for name in ("EVENT=cut_over", "SOURCE_PATH=", "TARGET=", "POSITION=", "WRITE_PAUSE_SECONDS="):
            self.assertIn("LITEFERRY_" + name, hook)
        self.assertEqual(daemon.status()["state"], "cut_over")
        self.assertIn("liteferry_cutover_write_pause_seconds", daemon.metrics())
        return daemon

    def receiver(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        server.heard = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def test_webhook(self):
        server = self.receiver()
        url = f"http://bob:geheim@127.0.0.1:{server.server_address[1]}/hooks?token=geheim"
        daemon = self.follow(config={"cutover": {"on_ready": url}})
        daemon.must("cutover", "start")
        self.assertEqual([path for path, kind, body in server.heard], ["/hooks?token=geheim"] * 3)
        path, kind, body = server.heard[-1]
        self.assertEqual(kind, "application/json")
        self.assertEqual(body["event"], "cut_over")
        self.assertEqual(body["source_path"], str(self.path))
        self.assertEqual(body["position"], daemon.status()["position"]["applied"])
        self.assertGreater(body["write_pause_seconds"], 0)
        self.assertIn("on_ready_done", daemon.tail(100000))
        # One that is away, asked by the command: told by its host, and the cutover stands.
        server.shutdown()
        server.server_close()
        daemon.must("cutover", "abort")
        daemon.wait()
        daemon.must("verify")
        result = daemon.command("cutover", "start", "--on-ready", "http://[geheim")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("--on-ready: it is not a URL", result.stderr)
        self.assertNotIn("geheim", daemon.tail(100000) + result.stderr)
        self.assertNotIn("geheim", daemon.command("config", "print").stdout)

    def test_under_writes(self):
        daemon = self.under_writes("wal")
        self.assertGreater(self.pg("INSERT INTO projects (name) VALUES ('new') RETURNING id")[0][0], 9)
        self.assertEqual(daemon.command("cutover", "start").returncode, 0, "again: nothing to do")
        self.assertEqual(daemon.command("cutover", "gate").returncode, 0)
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        daemon.until_state("cut_over")
        self.assert_fenced()

    def test_under_writes_rollback_journal(self):
        self.under_writes("delete")

    def test_every_step_killed(self):
        daemon = self.follow()
        for step in ("locked", "target_prepared"):
            self.start_until_killed(daemon, step)
            self.assertNotEqual(daemon.command("cutover", "start").returncode, 0)
            wait_until("the daemon is killed", lambda: not daemon.alive(), 60)
            self.write("INSERT INTO notes (body) VALUES ('goes on')")
            daemon.kill()
            daemon.start()
            daemon.wait()
            daemon.must("verify")
        # The target is committed, and the application goes on: undone.
        self.start_until_killed(daemon, "target_committed")
        self.assertNotEqual(daemon.command("cutover", "start").returncode, 0)
        wait_until("the daemon is killed", lambda: not daemon.alive(), 60)
        self.assertEqual(daemon.status()["state"], "cutting_over")
        self.write("INSERT INTO notes (body) VALUES ('went on')")
        daemon.kill()
        daemon.start()
        daemon.wait()
        daemon.must("verify")
        self.assert_equal(self.path)
        # The same, and nothing is written: completed.
        self.start_until_killed(daemon, "target_committed")
        self.assertNotEqual(daemon.command("cutover", "start").returncode, 0)
        wait_until("the daemon is killed", lambda: not daemon.alive(), 60)
        daemon.kill()
        daemon.start()
        daemon.until_state("cut_over")
        self.assert_fenced()
        self.assert_released()
        # Going back, killed in between.
        for step in ("leaving", "target_back"):
            daemon.stop()
            daemon.start(TEST_LITEFERRY_KILL_AT=step)
            daemon.until_state("cut_over")
            self.assertNotEqual(daemon.command("cutover", "abort").returncode, 0)
            wait_until("the daemon is killed", lambda: not daemon.alive(), 60)
            # Read without a daemon: not "following" while writes are refused.
            self.assertEqual(daemon.status()["state"], "cut_over" if step == "leaving" else "cutting_over")
            daemon.kill()
            daemon.start()
            daemon.until_state("cut_over" if step == "leaving" else "following")
        self.write("INSERT INTO notes (body) VALUES ('back')")
        daemon.wait()
        daemon.must("verify")
        # After the fence: the rest is done by the next daemon.
        for step in ("fenced",):
            self.start_until_killed(daemon, step)
            self.assertNotEqual(daemon.command("cutover", "start").returncode, 0)
            wait_until("the daemon is killed", lambda: not daemon.alive(), 60)
            daemon.kill()
            daemon.start()
            daemon.until_state("cut_over")
        self.assert_fenced()
        self.assert_released()
        self.assert_equal(self.path)

    def test_abort(self):
        daemon = self.follow()
        daemon.must("cutover", "start")
        daemon.must("cutover", "abort")
        self.write("INSERT INTO notes (body) VALUES ('on SQLite again')")
        self.write("INSERT INTO keyless VALUES (5, 'on SQLite again')")
        daemon.wait()
        daemon.must("verify")
        self.assert_equal(self.path)
        daemon.must("cutover", "start")
        self.assert_fenced()
        for sql in ("DELETE FROM tags WHERE name = 'a'", "UPDATE keyless SET t = 'pg' WHERE n = 2"):
            self.pg(sql)
            refused = daemon.command("cutover", "abort")
            self.assertEqual(refused.returncode, 65, refused.stdout + refused.stderr)
            self.assertIn("tags" if "tags" in sql else "keyless", refused.stderr)
        self.assert_fenced()
        self.assertEqual(daemon.status()["state"], "cut_over")

    def test_abort_sees_writes_of_transactions_older_than_the_cutover(self):
        """Their rows look older than it, whether they were inserted in the transaction or in a part of it."""
        daemon = self.follow()
        self.pg("CREATE TABLE audit (n int)")
        for savepoint, change, table in (("SELECT 1", "UPDATE notes SET body = 'pg'", "notes"),
                                         ("SAVEPOINT s", "UPDATE tags SET n = 7 WHERE name = 'a'", "tags")):
            other = self.cluster.connect(self.database)
            self.addCleanup(other.close)
            cursor = other.cursor()
            cursor.execute(f"BEGIN; {savepoint}; INSERT INTO audit VALUES (1)")
            daemon.must("cutover", "start")
            daemon.must("cutover", "abort")
            daemon.wait()
            daemon.must("cutover", "start")
            cursor.execute(change)
            cursor.execute("COMMIT")
            refused = daemon.command("cutover", "abort")
            self.assertEqual(refused.returncode, 65, refused.stdout + refused.stderr)
            self.assertIn(table, refused.stderr)
            # As it was; for the test only.
            self.pg("UPDATE notes SET body = 'first'; UPDATE tags SET n = 1 WHERE name = 'a'")
            self.pg("UPDATE liteferry.cutover SET xid = txid_current(), in_flight = '{}'")
            daemon.must("cutover", "abort")
            daemon.wait()

    def test_a_writer_keeps_the_lock(self):
        daemon = self.follow(config={"cutover": {"max_pause": "300ms"}})
        holder = sqlite3.connect(self.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("INSERT INTO notes (body) VALUES ('long')")
        refused = daemon.command("cutover", "start")
        self.assertEqual(refused.returncode, 75, refused.stdout + refused.stderr)
        self.assertIn("write lock", refused.stderr)
        holder.execute("COMMIT")
        holder.close()
        daemon.wait()
        self.assert_equal(self.path)

    def test_the_budget_is_spent_or_postgresql_is_lost(self):
        """Under the write lock somebody keeps PostgreSQL busy: the application goes on, and nothing has changed."""
        daemon = self.follow(config={"cutover": {"max_pause": "2s"}})
        locker = self.cluster.connect(self.database)
        locker.autocommit = False
        lock = "LOCK TABLE notes IN SHARE MODE"  # nobody may write or alter
        locker.cursor().execute(lock)
        late = daemon.command("cutover", "start")
        self.assertEqual(late.returncode, 75, late.stdout + late.stderr)
        locker.rollback()
        self.write("INSERT INTO notes (body) VALUES ('after the budget')")
        self.assertEqual(daemon.stop(), 0)
        daemon.configure({"cutover": {"max_pause": "60s"}})
        daemon.start()
        daemon.wait()
        locker.cursor().execute(lock)
        start = spawn([program(), "cutover", "start", "-c", str(daemon.config)], stdin=subprocess.DEVNULL,
                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
        waiting = ("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
                   "wait_event_type = 'Lock' AND application_name LIKE 'liteferry%'")
        wait_until("the cutover waits for PostgreSQL", lambda: self.pg(waiting), 60)
        self.pg(waiting.replace("pid", "pg_terminate_backend(pid)", 1))
        said = start.communicate(timeout=120)[1].decode()
        self.assertNotEqual(start.returncode, 0, said)
        locker.close()
        self.write("INSERT INTO notes (body) VALUES ('after the loss')")
        daemon.wait()
        daemon.must("verify")
        self.assert_equal(self.path)
        daemon.must("cutover", "start")
        self.assert_fenced()

    def test_postgresql_forgot_the_cutover(self):
        daemon = self.follow()
        self.assertEqual(daemon.stop(), 0)
        self.cluster.admin(f"CREATE DATABASE earlier TEMPLATE {self.database} OWNER app")
        daemon.start()
        daemon.wait()
        daemon.must("cutover", "start")
        self.assertEqual(daemon.stop(), 0)
        self.cluster.drop_database(self.database)
        self.cluster.admin(f"ALTER DATABASE earlier RENAME TO {self.database}")
        daemon.start()
        halted = daemon.until_state("halted")
        self.assertIn("cutover abort", halted["next_action"])
        daemon.must("cutover", "abort")
        self.write("INSERT INTO notes (body) VALUES ('on SQLite again')")
        daemon.wait()
        daemon.must("verify")
        self.assert_equal(self.path)

    def test_gates(self):
        self.path = self.make_source(DDL)
        daemon = self.daemon(self.path)
        daemon.wait()

        def shut():
            plan = daemon.command("cutover", "plan", "--json")
            answer = json.loads(plan.stdout)
            self.assertEqual(plan.returncode, 0 if answer["ready"] else 75)
            return [gate["name"] for gate in answer["gates"] if not gate["ok"]]

        self.assertEqual(shut(), ["verified"])
        refused = daemon.command("cutover", "start")
        self.assertEqual(refused.returncode, 75)
        self.assertIn("liteferry verify", refused.stderr)
        self.assertEqual(daemon.status()["cutover"]["result"], "refused")
        daemon.must("verify")
        self.assertEqual(shut(), [])
        self.write("INSERT INTO notes (project_id, body) VALUES (77, 'orphan')")
        daemon.wait()
        self.assertEqual(shut(), ["foreign keys"])
        self.write("DELETE FROM notes WHERE project_id = 77")
        self.write("INSERT INTO notes (body) VALUES ('a' || char(0))")
        daemon.wait()
        self.assertEqual(shut(), ["rejected rows"])
        self.write("DELETE FROM notes WHERE body LIKE 'a%'")
        daemon.wait()
        daemon.must("pause")
        self.assertEqual(shut(), ["following"])
        daemon.must("resume")
        daemon.wait()
        daemon.must("pause", "--release-capture")
        released = daemon.command("cutover", "plan").stdout
        self.assertIn("tables: capture is taken away from the source for a migration", released)
        daemon.must("resume")
        daemon.wait()
        self.assertEqual(shut(), [])
        daemon.must("cutover", "start")

    def test_on_shutdown_and_gate(self):
        daemon = self.follow(config={"cutover": {"on_shutdown": True}})
        self.write("INSERT INTO notes (body) VALUES ('last')")
        self.assertEqual(daemon.stop(), 0, daemon.tail())
        self.assert_fenced()
        daemon.must("cutover", "gate")
        self.assert_released()
        daemon.must("cutover", "abort")
        self.write("INSERT INTO notes (body) VALUES ('not yet')")
        daemon.must("cutover", "gate")
        self.assert_fenced()
        self.assert_released()
        self.assert_equal(self.path)

    def test_on_shutdown_with_a_shut_gate(self):
        self.path = self.make_source(DDL)
        daemon = self.daemon(self.path, {"cutover": {"on_shutdown": True}})
        daemon.wait()
        self.assertEqual(daemon.stop(), 75)
        self.write("INSERT INTO notes (body) VALUES ('goes on')")
        self.assertEqual(daemon.command("cutover", "gate").returncode, 75)

    def test_two_at_once(self):
        daemon = self.follow()
        both = [spawn([program(), "cutover", "start", "-c", str(daemon.config)], stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) for _ in range(2)]
        for one in both:
            out, err = one.communicate(timeout=120)
            self.assertEqual(one.returncode, 0, (out, err, daemon.tail()))
        self.assert_fenced()
        self.assert_released()

    def test_a_rebuilt_table_is_fenced_again(self):
        daemon = self.follow()
        daemon.must("cutover", "start")
        connection = sqlite3.connect(self.path)
        connection.executescript("CREATE TABLE new (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;"
                                 "DROP TABLE tags; ALTER TABLE new RENAME TO tags;")
        connection.close()
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        daemon.until_state("cut_over")
        with self.assertRaisesRegex(sqlite3.IntegrityError, "moved to PostgreSQL"):
            self.write("INSERT INTO tags VALUES ('z', 1)")

    def test_cleanup(self):
        self.path = self.make_source(DDL)
        dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(self.path)
        daemon.wait()
        daemon.must("verify")
        daemon.must("cutover", "start")
        self.clean_up(self.path, daemon, dump)


if __name__ == "__main__":
    case.main()
