"""A stand-in for a notes service: its database, and what its users do to it all day.

From a test:   create(path, notes=500, revisions=20000, seed=1)
By hand:       python3 notes_service.py --db notes.db --seed 1 --rate 100     (writes until SIGTERM)
"""
import argparse
import datetime
import json
import pathlib
import random
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import sqlite_catalog  # noqa: E402
from harness.process import ROOT  # noqa: E402
from harness.writer import until_term  # noqa: E402

DATA = ROOT / "tests" / "data" / "notes"
_START = datetime.datetime(2025, 1, 6, 9, 0)
_WORDS = ("harbour tide ferry cable anchor ledger plan review sprint naïve façade Größe 日本 🚢 retro budget "
          "release migrate index vacuum snapshot").split()


def stamp(rng):
    """As SQLAlchemy writes a DATETIME; now and then as SQLite's CURRENT_TIMESTAMP does."""
    when = _START + datetime.timedelta(microseconds=rng.randrange(4 * 10**13))
    return when.strftime("%Y-%m-%d %H:%M:%S" if rng.random() < 0.15 else "%Y-%m-%d %H:%M:%S.%f")


def words(rng, count):
    return " ".join(rng.choice(_WORDS) for _ in range(count))


def labels(rng):
    return json.dumps([rng.choice(_WORDS) for _ in range(rng.randint(0, 3))])


def create(path, notes=400, revisions=3000, seed=1, journal="wal", dirty=False):
    """A new database with these many notes and revisions, and the rest in proportion."""
    db = sqlite_catalog.connect(path)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.executescript((DATA / "sqlite.sql").read_text())
    db.execute("INSERT INTO alembic_version VALUES ('0011_sprints')")
    fill(db, notes, revisions, seed)
    if dirty:
        db.executescript((DATA / "dirty.sql").read_text())
    db.close()


def fill(db, notes, revisions, seed):
    """Rows for the tables, which are there and empty."""
    rng = random.Random(seed)
    db.execute("BEGIN")
    projects, tags, sprints = max(3, notes // 40), max(5, notes // 10), max(3, notes // 40)
    db.executemany("INSERT INTO users VALUES (?,?,?,?,?,?,?)", (
        (i, f"user{i}", f"user{i}@example.org", rng.randbytes(20).hex(), rng.choice(("viewer", "admin")),
         rng.randint(0, 1), stamp(rng)) for i in range(1, 12)))
    db.executemany("INSERT INTO projects VALUES (?,?,?,?,?,?,?,NULL)", (
        (i, f"Project {i}", f"project-{i}", "forgejo", None, stamp(rng), stamp(rng))
        for i in range(1, projects + 1)))
    db.executemany("INSERT INTO repos VALUES (?,?,?,?,?,?,?,?)", (
        (i, f"Repo {i}", f"repo-{i}", "forgejo", f"https://example.org/{i}", rng.choice((None, i)), stamp(rng),
         stamp(rng)) for i in range(1, projects + 1)))
    db.executemany("INSERT INTO tags VALUES (?,?)", ((i, f"tag {i}") for i in range(1, tags + 1)))
    db.executemany("INSERT INTO notes VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", (
        (i, words(rng, 4), f"note-{i}", f"<p>{words(rng, 30)}</p>", rng.choice((None, rng.randint(1, projects))),
         rng.randint(0, 1), stamp(rng), stamp(rng), rng.choice((None, "page", "decision")),
         rng.choice((None, "open", "done")), rng.choice((None, rng.randint(1, i - 1))) if i > 1 else None,
         rng.choice((None, rng.randint(0, 50)))) for i in range(1, notes + 1)))
    db.execute("UPDATE projects SET page_note_id = 1 + (id * 7) % ?", (notes,))
    db.executemany("INSERT INTO note_revisions VALUES (?,?,?,?,?,?)", (
        (i, 1 + i % notes, f"<p>{words(rng, 12)}</p>", rng.choice((None, f"user{1 + i % 11}")), stamp(rng),
         1 + i // notes) for i in range(1, revisions + 1)))
    pairs = {(rng.randint(1, notes), rng.randint(1, tags)) for _ in range(2 * notes)}
    db.executemany("INSERT INTO note_tags VALUES (?,?)", sorted(pairs))
    links = {(rng.randint(1, notes), rng.randint(1, notes)) for _ in range(notes)}
    db.executemany("INSERT INTO note_links VALUES (?,?)", sorted(links))
    db.executemany("INSERT INTO sprints VALUES (?,?,?,?,?,?,?,?,?,?)", (
        (i, f"sprint-{i}", f"Sprint {i}", words(rng, 6), rng.choice(("planned", "active", "completed")),
         rng.randint(1, projects), f"2025-{1 + i % 12:02d}-01", f"2025-{1 + i % 12:02d}-14", stamp(rng), stamp(rng))
        for i in range(1, sprints + 1)))
    db.executemany("INSERT INTO sprint_items VALUES (?,?,?,?,?,?,?,?,?,?,?)", (
        (i, 1 + i % sprints, rng.choice((None, rng.randint(1, notes))), "note", "todo", words(rng, 3), None,
         rng.choice((None, labels(rng))), i // sprints, stamp(rng), stamp(rng)) for i in range(1, notes + 1)))
    db.execute("COMMIT")


class Users:
    """What the service's requests do, one transaction each, with foreign keys on."""

    def __init__(self, path, seed):
        self.rng = random.Random(seed)
        self.db = sqlite_catalog.connect(path)
        self.db.execute("PRAGMA foreign_keys=ON")
        self.serial = int(time.time() * 1000) % 10**10
        self.counts = {}

    def _any(self, table, column="id"):
        top = self.db.execute(f"SELECT max({column}) FROM {table}").fetchone()[0] or 0
        row = self.db.execute(f"SELECT {column} FROM {table} WHERE {column} >= ? LIMIT 1",
                              (self.rng.randint(0, top),)).fetchone()
        return row and row[0]

    def _name(self, what):
        self.serial += 1
        return f"{what}-{self.serial}"

    def write_note(self):
        note = self.db.execute(
            "INSERT INTO notes (title, slug, html_content, project_id, is_public, created_at, updated_at,"
            " parent_note_id, position) VALUES (?,?,?,?,?,?,?,?,?)",
            (words(self.rng, 4), self._name("note"), words(self.rng, 40), self._any("projects"),
             self.rng.randint(0, 1), stamp(self.rng), stamp(self.rng), self._any("notes"), 1)).lastrowid
        self._revise(note)
        self._tag(note)

    def _revise(self, note):
        self.db.execute(
            "INSERT INTO note_revisions (note_id, html_content, revised_by, revision_number)"
            " SELECT ?, ?, 'user1', coalesce(max(revision_number), 0) + 1 FROM note_revisions WHERE note_id = ?",
            (note, words(self.rng, 20), note))

    def _tag(self, note):
        tag = self.db.execute("INSERT INTO tags (name) VALUES (?)", (self._name("tag"),)).lastrowid
        self.db.execute("INSERT OR IGNORE INTO note_tags VALUES (?, ?)", (note, tag))
        self.db.execute("INSERT OR IGNORE INTO note_links VALUES (?, ?)", (note, self._any("notes")))

    def edit_note(self):
        note = self._any("notes")
        if note:
            self.db.execute("UPDATE notes SET html_content = ?, is_public = 1 - is_public, updated_at = ? WHERE id = ?",
                            (words(self.rng, 40), stamp(self.rng), note))
            self._revise(note)

    def delete_note(self):
        """Takes revisions, tags and links along; pages and sprint items lose their reference."""
        note = self.db.execute(
            "SELECT id FROM notes n WHERE id >= ? AND NOT EXISTS"
            " (SELECT 1 FROM notes c WHERE c.parent_note_id = n.id) LIMIT 1",
            (self._any("notes") or 0,)).fetchone()
        if note:
            self.db.execute("DELETE FROM notes WHERE id = ?", note)

    def turn_page(self):
        """Through the circle: a new project whose page is a new note of that project."""
        project = self.db.execute("INSERT INTO projects (name, slug, platform) VALUES (?,?,'forgejo')",
                                  (words(self.rng, 2), self._name("project"))).lastrowid
        note = self.db.execute("INSERT INTO notes (title, slug, html_content, project_id, is_public)"
                               " VALUES (?,?,?,?,1)",
                               (words(self.rng, 3), self._name("page"), "<h1>page</h1>", project)).lastrowid
        self.db.execute("UPDATE projects SET page_note_id = ? WHERE id = ?", (note, project))

    def plan_sprint(self):
        sprint = self.db.execute(
            "INSERT INTO sprints (slug, name, status, project_id, start_date) VALUES (?,?,'planned',?,'2026-02-01')",
            (self._name("sprint"), words(self.rng, 2), self._any("projects"))).lastrowid
        for position in range(3):
            self.db.execute("INSERT INTO sprint_items (sprint_id, note_id, item_type, status, title, labels, position)"
                            " VALUES (?,?,'note','todo',?,?,?)",
                            (sprint, self._any("notes"), words(self.rng, 3), labels(self.rng), position))

    def reorder_sprint(self):
        """Two items exchange places under the unique (sprint, position)."""
        items = self.db.execute("SELECT id, position FROM sprint_items WHERE sprint_id = ? LIMIT 2",
                                (self._any("sprints"),)).fetchall()
        if len(items) == 2:
            (first, at), (second, other) = items
            for item, position in ((first, -1), (second, at), (first, other)):
                self.db.execute("UPDATE sprint_items SET position = ? WHERE id = ?", (position, item))

    def drop_sprint(self):
        self.db.execute("DELETE FROM sprints WHERE id = ?", (self._any("sprints"),))

    def rename_tag(self):
        self.db.execute("UPDATE tags SET name = ? WHERE id = ?", (self._name("tag"), self._any("tags")))

    def request(self):
        """One request; returns its name, or None when the database was busy or refused it."""
        action = self.rng.choices(
            (self.write_note, self.edit_note, self.delete_note, self.turn_page, self.plan_sprint,
             self.reorder_sprint, self.drop_sprint, self.rename_tag), (25, 30, 12, 5, 8, 8, 4, 8))[0]
        try:
            self.db.execute("BEGIN IMMEDIATE")
            action()
            self.db.execute("COMMIT")
        except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "locked" not in str(error):
                raise
            name = "locked" if isinstance(error, sqlite3.OperationalError) else "refused"
            self.counts[name] = self.counts.get(name, 0) + 1
            return None
        self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
        return action.__name__


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    args = parser.parse_args()
    stop = until_term()
    users = Users(args.db, args.seed)
    begin, done, slowest = time.monotonic(), 0, 0.0
    while not stop:
        start = time.monotonic()
        users.request()
        slowest = max(slowest, time.monotonic() - start)
        done += 1
        time.sleep(max(0.0, begin + done / args.rate - time.monotonic()))
    users.db.close()
    print(json.dumps({**users.counts, "slowest_ms": round(slowest * 1000, 1)}))


if __name__ == "__main__":
    main()
