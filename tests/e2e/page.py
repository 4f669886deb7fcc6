#!/usr/bin/env python3
"""The page at / in a real browser during a real run: live, quiet, narrow and wide, hostile names as text.

LITEFERRY_SHOTS=FOLDER keeps a picture of each state in each look.
"""
import os
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402
from harness.browser import Browser  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.proxy import Proxy  # noqa: E402

HOSTILE = ('select "x"', "<img src=x onerror=document.title='owned'>", "</script><b>bold</b>")
DDL = """CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, score INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
INSERT INTO notes SELECT i, 'note number ' || i, i FROM n;
""" + "".join('CREATE TABLE "{0}" (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO "{0}" VALUES (1, 1);'.format(
    name.replace('"', '""')) for name in HOSTILE)
LOOKS = [(width, dark) for width in (360, 1280) for dark in (False, True)]


class Page(case.Case):
    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def until_shows(self, selector, text, timeout=120):
        wait_until(f"the page shows {text!r} in {selector}",
                   lambda: text in (self.browser.text(selector) or ""), timeout, step=0.2)

    def look(self, state):
        """In every look: no scrolling sideways, whatever is shown."""
        shots = os.environ.get("LITEFERRY_SHOTS")
        for width, dark in LOOKS:
            self.browser.look(width, dark=dark)
            self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width, state)
            if shots:
                self.browser.screenshot(f"{shots}/{state}-{width}-{'dark' if dark else 'light'}.png")

    def test_live_through_the_states(self):
        path = self.make_source(DDL)
        proxy = Proxy(self.cluster.socket, self.dir)
        self.addCleanup(proxy.close)
        self.pg("ALTER TABLE notes ADD CONSTRAINT fair CHECK (score < 1000000)")
        daemon = self.daemon(path, {"copy": {"jobs": 1, "chunk_rows": 100}},
                             url=proxy.url(self.database))
        daemon.until_answers()
        address = f"http://127.0.0.1:{daemon.port}/"
        self.browser.open(address)
        wait_until("the page asked", lambda: self.browser.text("#updated") == "live", 120)
        self.look("copying")
        self.until_shows("#state", "Following")
        db = self.sqlite(path)
        db.execute("UPDATE notes SET title = 'changed' WHERE id <= 300")
        self.until_shows("#tables", "300")
        for name in HOSTILE:
            self.assertIn(name, self.browser.text("#tables"))
        self.assertEqual(self.browser.run("document.querySelectorAll('#main img, #main b b').length"), 0)
        wait_until("the charts have lines", lambda: self.browser.run(
            "document.querySelectorAll('#lag-chart .first, #rate-chart .first').length") >= 2, 120)
        self.look("following")
        # A refused row is told, with its place and its reason, and goes again.
        db.execute("UPDATE notes SET score = 2000000 WHERE id = 7")
        self.until_shows("#refused", "fair")
        self.until_shows("#gates", "1 row was refused by the target")
        self.until_shows("#gates", "Run liteferry verify.")  # of another gate: what to do
        self.look("refused")
        db.execute("UPDATE notes SET score = 7 WHERE id = 7")
        wait_until("the rejection is gone", lambda: self.browser.text("#rejected") == "0", 120)
        # Cut over, and back: the checklist before, done after it.
        daemon.must("verify")
        self.until_shows("#cutover", "Ready.")
        self.look("ready")
        daemon.must("cutover", "start")
        self.until_shows("#state", "Cut over")
        self.until_shows("#cutover", "Done.")
        self.look("cut_over")
        daemon.must("cutover", "abort")
        self.until_shows("#state", "Following")
        # The target goes away: cause and what is done about it; the lag of what is written grows.
        proxy.outage(True)
        db.execute("UPDATE notes SET title = 'while it was away' WHERE id = 1")
        self.until_shows("#state", "Retrying")
        self.until_shows("#cause", "attempt")
        self.until_shows("#target-up", "not reachable")
        self.until_shows("#crossing", "behind")
        self.look("retrying")
        proxy.outage(False)
        self.until_shows("#state", "Following")
        self.until_shows("#crossing", "up to date")
        # A source that is restored from a backup: halted, with the command to run.
        copy = self.dir / "backup.db"
        backup = sqlite3.connect(copy)
        db.backup(backup)
        backup.close()
        db.execute("UPDATE notes SET title = 'after the backup' WHERE id <= 5")
        daemon.wait()
        db.close()
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)
        os.replace(copy, path)
        self.until_shows("#state", "Halted")
        self.until_shows("#cause", "liteferry resume --reconcile")
        self.look("halted")
        # All that was asked for came from the daemon, and nothing was complained about.
        self.assertEqual([r for r in self.browser.requests
                          if r != "about:blank" and not r.startswith((address, "data:"))], [])
        self.assertEqual(self.browser.complaints, [])
        daemon.kill()
        self.until_shows("#gone", "has not answered since")
        self.look("gone")


if __name__ == "__main__":
    case.main()
