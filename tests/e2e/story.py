#!/usr/bin/env python3
"""The notes service moves to PostgreSQL under its users' hands: by command, and by deployment.

By hand, ten times in a row:   story.py --postgres 17 --runs 10
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, notes_service, paldocs, sqlite_catalog  # noqa: E402
from harness.cluster import schema_from_catalog  # noqa: E402
from harness.litestream import Litestream  # noqa: E402
from harness.paldocs import Service, alembic, on_postgres, on_sqlite  # noqa: E402
from harness.paldocs_clients import REFUSAL, Clients  # noqa: E402
from harness.process import temp_dir, wait_until  # noqa: E402
from harness.prometheus import Prometheus  # noqa: E402

NOTES = 300
PATIENCE = 240
IDS = ("notes", "projects", "tags", "sprints", "sprint_items", "note_revisions")
# What differs from one database to the next, whatever it is.
_VOLATILE = {"id", "created_at", "updated_at", "revised_at"}


def exercise(service):
    """Every operation, right and wrong uses; [(operation, status, answer)] without ids and times."""
    note = {"title": "T é 日本 🚢", "html_content": "<p>'%_\\\"</p>", "is_public": True}
    item = {"title": "i", "item_type": "repo_issue", "status": "needs_fix", "labels": {"a": [1, None, 1.5, "x"]}}
    sprint = {"name": "S", "goal": "g", "status": "cancelled", "start_date": "2026-02-28", "end_date": None}
    steps = [
        ("GET /health",), ("POST /projects", {"slug": "w", "name": "W", "platform": "local"}),
        ("POST /projects", {"slug": "w", "name": "again"}), ("POST /projects", {"slug": "Not A Slug", "name": "n"}),
        ("GET /projects/{slug}", "w"), ("GET /projects/{slug}", "none"), ("GET /projects", "?limit=0"),
        ("PUT /projects/{slug}", "w", {"name": "W2", "repo_url": "https://example.org"}),
        ("POST /notes", {"slug": "w-a", "project": "w", "tags": ["w-t", "w-s"], **note}),
        ("POST /notes", {"slug": "w-a", **note}), ("POST /notes", {"slug": "w-b", "parent": "w-a", **note}),
        ("POST /notes", {"slug": "w-c", "project": "none", **note}), ("GET /notes/{slug}", "w-a"),
        ("PUT /notes/{slug}", "w-a", {"title": "T2", "html_content": "second", "project": "w"}),
        ("PUT /notes/{slug}", "w-a", {"title": "T3", "html_content": "second", "project": "w"}),
        ("PUT /notes/{slug}", "none", note), ("GET /notes/{slug}/revisions", "w-a"),
        ("GET /notes/{slug}/revisions/{number}", "w-a", "1"), ("GET /notes/{slug}/revisions/{number}", "w-a", "9"),
        ("PUT /notes/{slug}/links/{other}", "w-a", "w-b"), ("PUT /notes/{slug}/links/{other}", "w-a", "w-b"),
        ("PUT /notes/{slug}/tags/{name}", "w-b", "w-t"), ("GET /notes/{slug}", "w-a"),
        ("GET /notes", "?tag=w-t"), ("GET /notes", "?q=t%202&project=w"), ("GET /notes", "?q=SECOND&limit=3"),
        ("PUT /projects/{slug}/page/{note}", "w", "w-a"), ("PUT /projects/{slug}/page/{note}", "w", "w-b"),
        ("DELETE /projects/{slug}", "w"), ("DELETE /notes/{slug}", "w-a"),
        ("POST /tags", {"name": "w-u"}), ("POST /tags", {"name": "w-u"}), ("POST /tags", {"name": ""}),
        ("PUT /tags/{name}", "w-u", {"name": "w-v"}), ("PUT /tags/{name}", "w-v", {"name": "w-t"}),
        ("DELETE /tags/{name}", "w-v"), ("GET /tags", "?limit=3"),
        ("POST /sprints", {"slug": "w-1", "project": "w", **sprint}), ("POST /sprints", {"slug": "w-1", **sprint}),
        ("POST /sprints", {"slug": "w-2", **sprint, "status": "lost"}), ("GET /sprints", "?limit=2"),
        ("PUT /sprints/{slug}/items/{position}", "w-1", "0", {**item, "note": "w-b"}),
        ("PUT /sprints/{slug}/items/{position}", "w-1", "1", {"title": "second"}),
        ("PUT /sprints/{slug}/items/{position}/swap/{other}", "w-1", "0", "1"), ("GET /sprints/{slug}", "w-1"),
        ("DELETE /sprints/{slug}/items/{position}", "w-1", "0"),
        ("DELETE /sprints/{slug}/items/{position}", "w-1", "7"),
        ("PUT /sprints/{slug}", "w-1", {"name": "S2", "status": "completed"}), ("DELETE /sprints/{slug}", "w-1"),
        ("DELETE /notes/{slug}/links/{other}", "w-a", "w-b"), ("DELETE /notes/{slug}/tags/{name}", "w-a", "w-s"),
        ("DELETE /notes/{slug}", "w-b"), ("DELETE /notes/{slug}", "w-b"), ("DELETE /notes/{slug}", "w-a"),
        ("GET /projects/{slug}", "w"), ("DELETE /projects/{slug}", "w"), ("GET /projects", "?limit=2"),
        ("DELETE /tags/{name}", "w-t"), ("DELETE /tags/{name}", "w-s")]
    return [_step(service, *step) for step in steps]


def _step(service, operation, *arguments):
    method, path = operation.split()
    names = [a for a in arguments if isinstance(a, str)]
    body = arguments[-1] if arguments and isinstance(arguments[-1], dict) else None
    for part in [p for p in path.split("/") if p.startswith("{")]:
        path = path.replace(part, names.pop(0), 1)
    status, answer = service.request(method, path + "".join(names), body)
    return operation, status, _steady(answer)


def _steady(answer):
    if isinstance(answer, list):
        return [_steady(one) for one in answer]
    if isinstance(answer, dict):
        return {k: _steady(v) for k, v in answer.items() if k not in _VOLATILE}
    return answer


def operations(service):
    """Those that the service says it has."""
    paths = service.must("GET", "/openapi.json")["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


class Story(case.Case):
    @classmethod
    def setUpClass(cls):
        """A database as the service has it, and how the service answers on SQLite."""
        super().setUpClass()
        cls.folder = temp_dir("story")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.template = cls.folder / "template.db"
        alembic(on_sqlite(cls.template), "upgrade", "head")
        db = sqlite_catalog.connect(cls.template)
        notes_service.fill(db, NOTES, 5 * NOTES, seed=1)
        db.close()
        shutil.copy(cls.template, cls.folder / "other.db")
        other = Service(cls.folder, "other", on_sqlite(cls.folder / "other.db"))
        cls.addClassCleanup(other.kill)
        cls.operations = operations(other.until_ready())
        cls.answers = exercise(other)

    def setUp(self):
        super().setUp()
        self.path = self.dir / "paldocs.db"
        shutil.copy(self.template, self.path)
        self.services = []
        self.addCleanup(lambda: [service.kill() for service in self.services])
        self.begin_at = time.monotonic()

    def say(self, text):
        print(f"  {time.monotonic() - self.begin_at:6.1f} s  {text}", flush=True)

    def service(self, name, settings):
        service = Service(self.dir, name, settings)
        self.services.append(service)
        return service

    # Where clients find the service: one line in a file, replaced at once, as a proxy's configuration is.

    def flip(self, service):
        self.upstream.with_suffix(".new").write_text(str(service.port))
        self.upstream.with_suffix(".new").rename(self.upstream)

    def prepare(self, config=None):
        """The service as it runs today, its users, and liteferry beside it, following."""
        self.upstream = self.dir / "upstream"
        self.old = self.service("sqlite", on_sqlite(self.path)).until_ready()
        self.flip(self.old)
        self.litestream = Litestream(self.dir, self.path).start()
        self.addCleanup(self.litestream.kill)
        self.clients = Clients(4, lambda: int(self.upstream.read_text()), self.seed)
        self.addCleanup(lambda: [client.over.set() for client in self.clients.all])
        self.until_written(10)

        alembic(on_postgres(self.url), "upgrade", "head")
        self.assertEqual(self.pg("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), [(False,)])
        self.schema = schema_from_catalog(self.cluster, self.database)
        self.dump = self.cluster.schema_dump(self.database)
        # Of the clients' writes none may be refused: they wait, as long as it takes.
        settings = {"cutover": {"max_pause": "20s"}}
        settings["cutover"].update(config or {})
        self.ferry = self.daemon(self.path, settings)
        self.prometheus = Prometheus([self.ferry.port])
        self.addCleanup(self.prometheus.close)
        self.ferry.wait(lag="10s", timeout=PATIENCE)
        self.say("follows")
        self.ferry.must("verify")
        self.until_ready()

    def until_written(self, count, port=None):
        wait_until(f"{count} writes by each client", lambda: self.clients.writes(port) >= count, PATIENCE)

    def until_ready(self):
        """As a person with a dashboard would: the lag has been zero, and all gates are open."""
        def ready():
            self.clients.require_health()
            found = self.prometheus.query("min_over_time(liteferry_replication_lag_seconds[30s]) == 0 "
                                          "and liteferry_cutover_ready == 1")
            return len(found) == 1

        wait_until("Prometheus has seen a lag of zero, and that the cutover is ready", ready, PATIENCE, step=0.2)
        (_, lags), = self.prometheus.history("liteferry_replication_lag_seconds")
        self.say(f"lag by Prometheus: at most {max(lags):.1f} s, now {lags[-1]:.2f} s")
        self.ferry.must("cutover", "plan")

    def finish(self, new, since):
        """`new` answers; nobody may have noticed."""
        self.until_written(15, new.port)
        until = time.monotonic()
        self.clients.stop()
        everybody, one = self.clients.longest_gap(since, until)
        self.say(f"pause as clients felt it: {everybody:.2f} s without an acknowledged write; of one client {one:.2f} s")
        self.say(", ".join(f"{count} {what}" for what, count in self.clients.total().items()))
        self.clients.read_everything()
        self.check_rows()
        self.check_target()
        self.check_old_settings(new)
        self.check_fresh_ids(new)
        self.check_endpoints(new)
        self.litestream_has_the_fence()
        self.assertIn(self.ferry.stop(), (0, None))
        self.ferry.must("cleanup")
        self.assert_no_trace(self.path, self.dump)

    def check_rows(self):
        """The rows themselves, not by way of the service."""
        for client in self.clients.all:
            rows = dict(self.pg("SELECT n.slug, n.html_content FROM notes n JOIN projects p ON p.id = n.project_id "
                                "WHERE p.slug = %s", (client.name,)))
            self.assertEqual(rows, {slug: note["html_content"] for slug, note in client.notes.items()})

    def check_target(self):
        self.assertEqual(self.pg("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"), [(12,)])
        self.assertEqual(self.pg("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), [(0,)])
        ours = [line for line in schema_from_catalog(self.cluster, self.database).splitlines()
                if "liteferry" not in line]
        self.assertEqual(ours, self.schema.splitlines())
        self.assertEqual(self.ferry.status()["rejected_rows"], 0)

    def check_old_settings(self, new):
        """With the path it still starts: it reads what it read, and writes nothing. What nobody has touched since
        is answered alike by both."""
        alembic(on_sqlite(self.path), "upgrade", "head")
        old = self.service("sqlite-again", on_sqlite(self.path)).until_ready()
        for path in (f"/notes?limit={NOTES}", "/projects?limit=7", f"/tags?limit={NOTES // 10}", "/sprints?limit=7",
                     "/notes/note-1", "/notes/note-1/revisions", "/notes?project=project-1&q=ferry", "/notes/none"):
            self.assertEqual(old.request("GET", path), new.request("GET", path))
        status, answer = old.request("POST", "/tags", {"name": "late"})
        self.assertEqual(status, 409)
        self.assertIn(REFUSAL, answer["detail"])
        old.stop()

    def check_fresh_ids(self, new):
        before = {table: self.pg(f"SELECT max(id) FROM {table}")[0][0] for table in IDS}
        sqlite = self.sqlite(self.path)
        before = {table: max(top, sqlite.execute(f"SELECT max(id) FROM {table}").fetchone()[0])
                  for table, top in before.items()}
        new.must("POST", "/projects", {"slug": "fresh", "name": "fresh"})
        new.must("POST", "/notes", {"slug": "fresh", "title": "fresh", "tags": ["fresh"]})
        new.must("POST", "/sprints", {"slug": "fresh", "name": "fresh"})
        new.must("PUT", "/sprints/fresh/items/0", {"title": "fresh"})
        for table, top in before.items():
            self.assertGreater(self.pg(f"SELECT max(id) FROM {table}")[0][0], top, table)
            self.assertEqual(self.pg(f"SELECT count(*) FROM {table} WHERE id > %s", parameters=(top,)), [(1,)], table)

    def check_endpoints(self, new):
        """As they answer on a database that has never left SQLite."""
        self.assertEqual(operations(new), self.operations)
        self.assertEqual({operation for operation, _, _ in self.answers}, self.operations)
        self.assertEqual(exercise(new), self.answers)

    def litestream_has_the_fence(self):
        """It went on all the time, and what it has kept is the database as it was left."""
        if self.litestream.alive():
            self.assertEqual(self.litestream.stop(), 0)
        self.assertEqual(self.litestream.complaints(), [])
        copy = sqlite_catalog.connect(self.litestream.restore(self.dir / "restored.db"))
        self.addCleanup(copy.close)
        self.assertEqual(copy.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        with self.assertRaisesRegex(Exception, REFUSAL):
            copy.execute("INSERT INTO tags (name) VALUES ('late')")

    # The two ways.

    def test_by_command(self):
        self.prepare()
        # It waits with its new settings; the command that flips is run the moment that SQLite is fenced.
        new = self.service("postgres", on_postgres(self.url)).until_ready()
        flip = f"printf {new.port} > {self.upstream}.new && mv {self.upstream}.new {self.upstream}"
        since = time.monotonic()
        answer = json.loads(self.ferry.must("cutover", "start", "--json", "--on-ready", flip, timeout=PATIENCE))
        self.say(f"cut over: writes waited {answer['write_pause_seconds']:.3f} s for liteferry")
        self.assertEqual(int(self.upstream.read_text()), new.port)
        self.finish(new, since)

    def test_by_deployment(self):
        self.prepare({"on_shutdown": True})
        since = time.monotonic()
        # The pod ends: the application first, liteferry after it, Litestream last.
        self.assertEqual(self.old.stop(), 0)
        self.assertEqual(self.ferry.stop(timeout=PATIENCE), 0, self.ferry.tail())
        self.assertEqual(self.litestream.stop(), 0)
        # The next one: its init container, then the application on PostgreSQL.
        self.ferry.must("cutover", "gate", "--timeout", "2m", timeout=PATIENCE)
        new = self.service("postgres", on_postgres(self.url)).until_ready()
        self.flip(new)
        self.say(f"cut over: the pod was away for {time.monotonic() - since:.2f} s")
        self.finish(new, since)


def repeatedly(runs, arguments):
    """Each run as a program of its own; stops at the first that fails."""
    pauses = []
    for run in range(1, runs + 1):
        print(f"--- run {run} of {runs}", flush=True)
        result = subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=False)
        print(result.stdout, flush=True)
        if result.returncode != 0:
            return result.returncode
        pauses += [line.split("  ")[-1] for line in result.stdout.splitlines() if "pause as" in line]
    print("\n".join(pauses))
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--runs", type=int, default=1)
    options, rest = parser.parse_known_args()
    if options.runs > 1:
        sys.exit(repeatedly(options.runs, rest))
    sys.argv[1:] = rest
    case.main()
