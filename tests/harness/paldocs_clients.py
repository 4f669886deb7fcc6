"""People who use the notes service: they remember all that was acknowledged, and find fault with any other answer."""
import http.client
import random
import threading
import time

from harness import paldocs
from harness.notes_service import words

REFUSAL = "moved to PostgreSQL"
_AGAIN = 0.02


class Wrong(Exception):
    """The service answered what it must not."""


class Client(threading.Thread):
    """One person with notes, a project and sprints of their own, so that each answer is known beforehand.

    `port()` says where the service is now. What is refused by the fence, and what got no answer, is tried again
    until it is acknowledged; nothing else may go wrong. `notes` and `sprints` are what was acknowledged.
    """

    def __init__(self, name, port, seed):
        super().__init__(daemon=True)
        self.name = name
        self.port = port
        self.rng = random.Random(seed)
        self.over = threading.Event()
        self.failure = None
        self.acknowledged = []  # (time, port) of each write
        self.refused = 0
        self.unanswered = 0
        self.reads = 0
        self.serial = 0
        self.notes = {}      # slug: what GET /notes/{slug} has to say, and "revisions"
        self.deleted = []    # slugs
        self.sprints = {}    # slug: (status, {position: title})
        self.lost_sprints = []

    def run(self):
        try:
            self._write("POST", "/projects", {"slug": self.name, "name": self.name}, created=f"/projects/{self.name}")
            while not self.over.is_set():
                action = self.rng.choices(
                    (self.write_note, self.edit_note, self.delete_note, self.link, self.tag, self.turn_page,
                     self.plan_sprint, self.reorder_sprint, self.drop_sprint, self.read_note, self.read_list,
                     self.read_sprint), (20, 25, 6, 8, 8, 4, 6, 8, 2, 12, 3, 6))[0]
                action()
                # People think now and then: what is to be measured is not how busy the machine is.
                self.over.wait(self.rng.uniform(0, 0.04))
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    # Requests.

    def _call(self, method, path, body):
        """(status, answer, whether an earlier try may have come through)."""
        doubtful = False
        deadline = time.monotonic() + 180
        while True:
            port = self.port()
            try:
                status, answer = paldocs.request(port, method, path, body)
            except ConnectionRefusedError:
                self.unanswered += 1
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                doubtful = True
            else:
                if status != 409 or REFUSAL not in str(answer):
                    return status, answer, doubtful, port
                self.refused += 1
            if time.monotonic() > deadline:
                raise Wrong(f"{method} {path}: no answer but refusals for three minutes")
            time.sleep(_AGAIN)

    def _write(self, method, path, body=None, created=None):
        """What a write answers; `created` is where the thing can be read that a POST makes."""
        status, answer, doubtful, port = self._call(method, path, body)
        if doubtful and status == 409 and created:
            status, answer = 201, self._read(created)
        if doubtful and status == 404 and method == "DELETE":
            status = 204
        if status != {"POST": 201, "DELETE": 204}.get(method, 204 if answer is None else 200):
            raise Wrong(f"{method} {path} {body}: {status} {answer}")
        self.acknowledged.append((time.monotonic(), port))
        return answer

    def _read(self, path, expected=200):
        status, answer, _, _ = self._call("GET", path, None)
        if status != expected:
            raise Wrong(f"GET {path}: {status} {answer}, not {expected}")
        self.reads += 1
        return answer

    def _require(self, what, answer, expected):
        if answer != expected:
            raise Wrong(f"{self.name}: {what} is {answer!r}, not {expected!r}")

    def _fresh(self, what):
        self.serial += 1
        return f"{self.name}-{what}-{self.serial}"

    def _any(self, things):
        return self.rng.choice(sorted(things)) if things else None

    # Writes.

    def _content(self):
        return f"<p>{words(self.rng, 25)} {self.rng.randrange(10**9)}</p>"

    def write_note(self):
        slug = self._fresh("note")
        body = {"slug": slug, "title": words(self.rng, 4), "html_content": self._content(), "project": self.name,
                "is_public": self.rng.random() < 0.5, "note_type": self.rng.choice((None, "page")), "status": None,
                "parent": self._any([None or s for s in self.notes]) if self.rng.random() < 0.2 else None,
                "position": self.rng.choice((None, 1, 2)), "tags": [f"{self.name}-tag-{self.rng.randrange(9)}"]}
        answer = self._write("POST", "/notes", body, created=f"/notes/{slug}")
        note = self.notes[slug] = {**body, "links": [], "revisions": [body["html_content"]], "id": answer["id"]}
        self._agree(note, answer)

    def _agree(self, note, answer):
        for field, value in note.items():
            if field != "revisions":
                self._require(f"{field} of {note['slug']}", answer[field], value)
        self._require(f"revision of {note['slug']}", answer["revision"], len(note["revisions"]))

    def edit_note(self):
        slug = self._any(self.notes)
        if slug is None:
            return
        note = self.notes[slug]
        change = {"title": words(self.rng, 4), "html_content": self._content(), "is_public": not note["is_public"]}
        body = {f: note[f] for f in ("project", "note_type", "status", "parent", "position")}
        answer = self._write("PUT", f"/notes/{slug}", {**body, **change})
        note.update(change)
        note["revisions"].append(change["html_content"])
        self._agree(note, answer)

    def delete_note(self):
        leaves = set(self.notes) - {note["parent"] for note in self.notes.values()}
        slug = self._any(leaves)
        if slug is None or len(self.notes) < 5:
            return
        self._write("DELETE", f"/notes/{slug}")
        del self.notes[slug]
        self.deleted.append(slug)
        for note in self.notes.values():
            note["links"] = [other for other in note["links"] if other != slug]

    def link(self):
        slug, other = self._any(self.notes), self._any(self.notes)
        if slug is None:
            return
        links = set(self.notes[slug]["links"])
        self._write("DELETE" if other in links else "PUT", f"/notes/{slug}/links/{other}")
        self.notes[slug]["links"] = sorted(links ^ {other})

    def tag(self):
        slug, name = self._any(self.notes), f"{self.name}-tag-{self.rng.randrange(9)}"
        if slug is None:
            return
        tags = set(self.notes[slug]["tags"])
        self._write("DELETE" if name in tags else "PUT", f"/notes/{slug}/tags/{name}")
        self.notes[slug]["tags"] = sorted(tags ^ {name})

    def turn_page(self):
        """Through the circle."""
        slug = self._any(self.notes)
        if slug is not None:
            answer = self._write("PUT", f"/projects/{self.name}/page/{slug}")
            self._require("the page", answer["page"], slug)

    def plan_sprint(self):
        slug = self._fresh("sprint")
        status = self.rng.choice(("planned", "active", "cancelled"))
        self._write("POST", "/sprints", {"slug": slug, "name": slug, "status": status, "project": self.name,
                                         "start_date": "2026-02-01"}, created=f"/sprints/{slug}")
        self.sprints[slug] = (status, {})
        for position in range(3):
            title = words(self.rng, 3)
            self._write("PUT", f"/sprints/{slug}/items/{position}",
                        {"title": title, "note": self._any(self.notes), "labels": [title, position, None, 1.5]})
            self.sprints[slug][1][position] = title

    def reorder_sprint(self):
        """Not to be tried twice without looking: what was not answered may have happened."""
        slug = self._any(self.sprints)
        if slug is None:
            return
        items = self.sprints[slug][1]
        self._write("DELETE", f"/sprints/{slug}/items/0")
        del items[0]
        title = words(self.rng, 3)
        self._write("PUT", f"/sprints/{slug}/items/0", {"title": title, "item_type": "issue", "status": "in_progress"})
        items[0] = title
        status, answer, doubtful, port = self._call("PUT", f"/sprints/{slug}/items/0/swap/2", None)
        if status != 204:
            raise Wrong(f"swap in {slug}: {status} {answer}")
        self.acknowledged.append((time.monotonic(), port))
        items[0], items[2] = items[2], items[0]
        if doubtful:
            there = {i["position"]: i["title"] for i in self._read(f"/sprints/{slug}")["items"]}
            if there == {**items, 0: items[2], 2: items[0]}:
                items[0], items[2] = items[2], items[0]

    def drop_sprint(self):
        slug = self._any(self.sprints)
        if slug is not None:
            self._write("DELETE", f"/sprints/{slug}")
            del self.sprints[slug]
            self.lost_sprints.append(slug)

    # Reads.

    def read_note(self, slug=None):
        slug = slug or self._any(self.notes)
        if slug is None:
            return
        self._agree(self.notes[slug], self._read(f"/notes/{slug}"))
        revisions = self._read(f"/notes/{slug}/revisions")
        self._require(f"revisions of {slug}", [r["html_content"] for r in revisions], self.notes[slug]["revisions"])

    def read_list(self):
        listed = self._read(f"/notes?limit=1000&project={self.name}")
        self._require("the list of notes", sorted(note["slug"] for note in listed), sorted(self.notes))

    def read_sprint(self, slug=None):
        slug = slug or self._any(self.sprints)
        if slug is not None:
            answer = self._read(f"/sprints/{slug}")
            self._require(f"sprint {slug}", (answer["status"], {i["position"]: i["title"] for i in answer["items"]}),
                          self.sprints[slug])

    def read_everything(self):
        """All that was acknowledged, after the end."""
        self.read_list()
        for slug in self.notes:
            self.read_note(slug)
        for slug in self.sprints:
            self.read_sprint(slug)
        for path in [f"/notes/{s}" for s in self.deleted] + [f"/sprints/{s}" for s in self.lost_sprints]:
            self._read(path, 404)


class Clients:
    """Several of them at once."""

    def __init__(self, count, port, seed):
        self.all = [Client(f"client-{i}", port, seed + i) for i in range(count)]
        for client in self.all:
            client.start()

    def require_health(self):
        for client in self.all:
            if client.failure is not None:
                raise AssertionError(f"{client.name}: {client.failure}") from client.failure

    def writes(self, port=None):
        """How many each has had acknowledged, by the service at `port`; the fewest of them."""
        self.require_health()
        return min(sum(port in (None, p) for _, p in client.acknowledged) for client in self.all)

    def stop(self):
        for client in self.all:
            client.over.set()
        for client in self.all:
            client.join(240)
            assert not client.is_alive(), f"{client.name} hangs"
        self.require_health()

    def read_everything(self):
        for client in self.all:
            client.read_everything()

    def longest_gap(self, since, until):
        """Seconds between two acknowledged writes of anybody, and of one person."""
        def gap(times):
            times = [since] + sorted(t for t in times if since < t < until) + [until]
            return max(b - a for a, b in zip(times, times[1:]))

        times = [[t for t, _ in client.acknowledged] for client in self.all]
        return gap(sum(times, [])), max(gap(one) for one in times)

    def total(self):
        return {"writes": sum(len(c.acknowledged) for c in self.all), "reads": sum(c.reads for c in self.all),
                "refused by the fence": sum(c.refused for c in self.all),
                "without an answer": sum(c.unanswered for c in self.all)}
