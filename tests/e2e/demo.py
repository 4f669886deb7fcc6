#!/usr/bin/env python3
"""A notes service moves from SQLite to PostgreSQL while people go on writing notes. Run by `make demo`.

Uses its own PostgreSQL and its own folder, and leaves nothing behind. Exit status 0 only when both
databases were found equal, row by row, by code that is not liteferry's.
"""
import argparse
import atexit
import os
import pathlib
import random
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import notes_service, sqlite_catalog  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.compare import compare  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.process import ROOT, temp_dir  # noqa: E402
from harness.writer import Writer  # noqa: E402

_COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
_BEGIN = time.monotonic()


def _paint(code, text):
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


def step(text):
    print(f"\n{_paint('1;36', '==>')} {_paint('1', text)}", flush=True)


def say(text):
    print(f"    {_paint('2', f'{time.monotonic() - _BEGIN:5.1f} s')}  {text}", flush=True)


def lag(status):
    """As it says itself; nothing while it cannot know, before both sides have been seen."""
    seconds = status["lag_seconds"]
    return "lag       -   " if seconds is None else f"lag {seconds:5.2f} s   "


class Demo:
    def __init__(self, args):
        self.args = args
        self.dir = temp_dir("demo")
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.source = self.dir / "notes.db"
        self.writer = None
        self.daemon = None

    def run(self):
        self.prepare()
        self.copy()
        self.follow()
        equal = self.finish()
        self.leave()
        return equal

    def prepare(self):
        step("A PostgreSQL for this demonstration")
        self.cluster = Cluster()
        version = self.cluster.execute("SHOW server_version")[0][0]
        say(f"PostgreSQL {version} on a unix socket in {self.cluster.dir}, as an ordinary user")
        self.cluster.execute((notes_service.DATA / "postgres.sql").read_text())
        self.dump = self.cluster.schema_dump()
        tables, keys = self.cluster.execute(
            "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public'), "
            "(SELECT count(*) FROM pg_constraint WHERE contype = 'f')")[0]
        say(f"schema of the notes service created by role app, not a superuser: {tables} tables, {keys} foreign "
            "keys, two of them in a circle (projects.page_note_id and notes.project_id)")

        step("A notes service on SQLite, with people at work")
        notes_service.create(self.source, notes=5000, revisions=self.args.revisions, seed=self.args.seed)
        db = sqlite_catalog.connect(self.source, readonly=True)
        self.rows = sum(db.execute(f"SELECT count(*) FROM {t.quoted}").fetchone()[0]
                        for t in sqlite_catalog.tables(db))
        db.close()
        say(f"{self.rows:,} rows, {self.source.stat().st_size / 1e6:.0f} MB, WAL mode (seed {self.args.seed})")
        self.writer = Writer(self.source, self.args.seed, rate=120, script=notes_service.__file__)
        say("120 requests a second from now on: notes written, edited and deleted with their revisions, tags and "
            "links; projects with their page; sprints planned, reordered, dropped")

    def copy(self):
        step("liteferry run")
        # The defaults, but for chunks small enough to have something to interrupt.
        self.daemon = Daemon(self.dir, self.source, self.cluster.url(), {"copy": {"chunk_rows": 5000}})
        self.daemon.start()
        self.daemon.until_answers()
        kill_at = random.Random(self.args.seed).uniform(0.35, 0.6)
        killed = False
        shown = 0.0
        while True:
            status = self.daemon.status()
            if not status:
                time.sleep(0.02)
                continue
            if status["state"] == "halted":
                raise AssertionError(f"halted: {status['reason']}; {status['next_action']}\n{self.daemon.tail()}")
            copied, expected = self.progress(status)
            if not killed and (copied > kill_at * expected > 0 or status["state"] == "following"):
                killed = True
                self.kill(copied, expected)
                continue
            following = status["state"] == "following"
            if time.monotonic() - shown > 0.4 or following:
                shown = time.monotonic()
                self.show(status, copied, expected)
            if following:
                return
            time.sleep(0.03)

    def kill(self, copied, expected):
        say(f"{copied:,} of about {expected:,} rows copied: "
            + _paint("1;31", f"kill -9 {self.daemon.process.pid}"))
        self.daemon.kill()
        time.sleep(0.5)
        say("the service did not notice; liteferry starts again")
        self.daemon.start()
        self.daemon.until_answers()
        status = self.daemon.until("it knows where it was", lambda s: self.progress(s)[0] >= copied)
        say(f"it goes on at {self.progress(status)[0]:,} rows, not from the start")

    @staticmethod
    def progress(status):
        tables = status["tables"] or []
        return sum(t["rows_copied"] for t in tables), sum(t["rows_expected"] for t in tables)

    def show(self, status, copied, expected):
        percent = 100 * copied // max(expected, 1)
        bar = "#" * (min(percent, 100) // 5)
        detail = {"copying": f"[{bar:20}] {percent:3d} %  {copied:,} rows",
                  "catching_up": f"{status['backlog_changes'] or 0:,} changes to go"}.get(status["state"], "")
        say(f"{status['state']:12} {lag(status)}{detail}")

    def follow(self):
        step("Following the service")
        worst = 0.0
        deadline = time.monotonic() + self.args.follow
        shown = 0.0
        while time.monotonic() < deadline:
            status = self.daemon.status()
            worst = max(worst, status["lag_seconds"] or 0)
            if time.monotonic() - shown > 1:
                shown = time.monotonic()
                applied = sum(t["changes_applied"] for t in status["tables"])
                say(f"{status['state']:12} {lag(status)}position {status['position']['applied']:,}"
                    f"   {applied:,} changes applied   consistent: {str(status['consistent']).lower()}")
            time.sleep(0.1)
        say(f"largest lag seen: {worst:.2f} s")

    def finish(self):
        step("The service stops; liteferry drains")
        counts = self.writer.stop()
        slowest = counts.pop("slowest_ms")
        say(f"{sum(counts.values()):,} requests: " + ", ".join(f"{v} {k}" for k, v in sorted(counts.items())))
        say(f"slowest request: {slowest} ms" + ("" if counts.get("locked", 0) == 0 else "; some met a lock"))
        begin = time.monotonic()
        self.daemon.wait()
        status = self.daemon.status()
        say(f"lag {status['lag_seconds']} after {time.monotonic() - begin:.2f} s; "
            f"rejected rows: {status['rejected_rows']}")

        step("Comparing both databases, row by row, without liteferry's code")
        connection = self.cluster.connect()
        report = compare(self.source, connection)
        connection.close()
        say(report.describe().replace("\n", "\n             "))
        equal = report.equal and report.rejected == 0
        say(_paint("1;32", "equal: every row and every value") if equal else _paint("1;31", "NOT EQUAL"))
        return equal

    def leave(self):
        step("liteferry cleanup")
        status = self.daemon.stop()
        say(f"SIGTERM: exit status {status}")
        self.daemon.must("cleanup")
        db = sqlite_catalog.connect(self.source, readonly=True)
        left = db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE '!_liteferry%' ESCAPE '!'").fetchone()[0]
        db.close()
        same = self.cluster.schema_dump() == self.dump
        say(f"objects left in SQLite: {left}; pg_dump --schema-only as before: {'yes' if same else 'NO'}")
        if left or not same:
            raise AssertionError("cleanup left something behind")

    def close(self):
        if self.writer and self.writer.alive():
            self.writer.process.kill()
            self.writer.process.communicate()
        if self.daemon:
            self.daemon.kill()
        if getattr(self, "cluster", None):
            self.cluster.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / "build" / "liteferry"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--revisions", type=int, default=400_000)
    parser.add_argument("--follow", type=float, default=10, help="seconds to follow")
    args = parser.parse_args()
    os.environ["LITEFERRY_PROGRAM"] = str(pathlib.Path(args.program).resolve())
    demo = Demo(args)
    try:
        equal = demo.run()
    except AssertionError as error:
        print(f"\n{error}", file=sys.stderr)
        equal = False
    finally:
        demo.close()
    took = time.monotonic() - _BEGIN
    print(f"\n{_paint('1;32', 'The demonstration succeeded') if equal else _paint('1;31', 'The demonstration FAILED')}"
          f" after {took:.0f} s; nothing was left running.")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
