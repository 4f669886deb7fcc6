#!/usr/bin/env python3
"""The documentation: its links lead somewhere, the tests it names exist, and its commands do what it says.

A block of commands is run when a comment <!-- run --> stands above it: all of a page, in their order, in a folder with
app.db and liteferry.yaml, with a daemon that follows (README.md: the daemon that it starts itself). Addresses like
postgresql://app@db/app stand for the test's PostgreSQL.
"""
import os
import pathlib
import re
import shlex
import signal
import stat
import subprocess
import sys
import unittest

from harness import case, notes_service
from harness.daemon import program
from harness.process import ROOT, clean_environment, spawn, wait_until

PAGES = sorted(p for folder in ("", "docs", "docs/runbooks", "metrics", "replication", "replication/source",
                                "replication/target", "tests/data") for p in (ROOT / folder).glob("*.md"))
TARGET = re.compile(r"postgresql://app@(?:db|localhost)/app")


def prose(page):
    """The text without code blocks."""
    return re.sub(r"^( {4}|\t).*$", "", page.read_text(), flags=re.M)


def anchors(page):
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", h).lower()).strip().replace(" ", "-") for h in heads}


def links(page):
    return re.findall(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)", prose(page))


def command_lines(page):
    """Every `liteferry …` line of a code block, as words; what follows a pipe or a # is not ours."""
    for line in re.findall(r"^ {4,}(?:\$ )?(liteferry .*)$", page.read_text(), re.M):
        words = shlex.split(line, comments=True)
        yield words[:next((i for i, w in enumerate(words) if w in ("|", ">", "&&", "&")), len(words))]


def marked_blocks(page):
    """[(what stands after "run", lines)]: the indented lines below each mark."""
    found = []
    for match in re.finditer(r"^( *)<!-- run(.*?) -->\n\n((?:\1? {4}.*\n)+)", page.read_text(), re.M):
        found.append((match[2].strip(), [line.strip() for line in match[3].splitlines()]))
    return found


def ask(*words):
    return subprocess.run([program(), *words], capture_output=True, text=True, timeout=60, check=False,
                          env=clean_environment())


class Text(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        for page in PAGES:
            for text, link in links(page):
                if re.match(r"[a-z]+:", link):
                    self.assertRegex(link, r"^https://", f"{page}: {text}")
                    continue
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                self.assertTrue(target.exists(), f"{page}: {link}")
                self.assertTrue(target.is_relative_to(ROOT), f"{page}: {link}")
                if anchor:
                    self.assertIn(anchor, anchors(target), f"{page}: {link}")

    def test_every_test_that_is_named_exists(self):
        named = 0
        for page in PAGES:
            for text, link in links(page):
                test = re.fullmatch(r"`(\w+)`", text)
                if test and "tests/" in link:
                    named += 1
                    code = (page.parent / link).resolve().read_text()
                    self.assertRegex(code, rf"(def {test[1]}\(|TEST\w*\(\w+, {test[1]}\))", f"{page}: {link}")
            for path in re.findall(r"`(?:tests/)?(e2e/\w+\.py)`", page.read_text()):
                self.assertTrue((ROOT / "tests" / path).is_file(), f"{page}: {path}")
        self.assertGreater(named, 10)

    def test_every_page_can_be_found_from_the_index(self):
        seen, todo = set(), [ROOT / "docs" / "README.md"]
        while todo:
            page = todo.pop()
            if page in seen or page.suffix != ".md":
                continue
            seen.add(page)
            todo += [(page.parent / link.partition("#")[0]).resolve() for _, link in links(page)
                     if not re.match(r"[a-z]+:|#", link)]
        self.assertEqual({p for p in PAGES if "tests" not in p.parts} - seen, set())

    def check_words(self, words, helps, where):
        name = " ".join(words[1:3]) if " ".join(words[1:3]) in helps else words[1]
        self.assertIn(name, helps, where)
        for word in words[1:]:
            if word.startswith("-"):
                flag = word.partition("=")[0]
                self.assertRegex(helps[name], rf"(?<![\w-]){re.escape(flag)}(?![\w-])", f"{where}: {' '.join(words)}")

    def test_every_command_and_flag_exists(self):
        overview = ask("--help").stdout
        names = [re.split(r"\s{2,}", line.strip())[0]
                 for line in overview.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
        helps = {name: ask(*name.split(), "--help").stdout for name in names}
        seen = 0
        for page in PAGES:
            for words in command_lines(page):
                self.check_words(words, helps, page)
                seen += 1
        self.assertGreater(seen, 40)
        for name, text in helps.items():
            examples = re.findall(r"^ {2}(liteferry .*)$", text.split("Example:\n")[1], re.M)
            self.assertTrue(examples, name)
            for line in examples:
                words = shlex.split(line, comments=True)
                self.check_words(words[:words.index("|")] if "|" in words else words, helps, f"{name} --help")


class Commands(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "app.db"
        notes_service.create(self.path, notes=40, revisions=100)
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        (self.bin / "liteferry").symlink_to(program())
        # What the application's side would do.
        self.tool("systemctl", "echo \"$@\" >> systemctl.log")
        self.tool("alembic", f"sqlite3 app.db 'ALTER TABLE tags ADD COLUMN colour TEXT' && "
                             f"psql -qX -d '{self.url}' -c 'ALTER TABLE tags ADD COLUMN colour text'")

    def tool(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\nset -e\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def make_tables(self):
        self.pg((notes_service.DATA / "postgres.sql").read_text())

    def environment(self):
        return clean_environment(PATH=f"{self.bin}:{os.environ['PATH']}", LITEFERRY_HTTP_LISTEN="127.0.0.1:0")

    def shell(self, lines, where):
        """Each line as a person types it. --watch is left with Ctrl-C."""
        for line in lines:
            line = TARGET.sub(self.url, line)
            shell = spawn(["bash", "-euo", "pipefail", "-c", line], cwd=self.dir, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment())
            try:
                if "--watch" in line:
                    shell.stdout.readline()
                    shell.send_signal(signal.SIGINT)
                output = shell.communicate(timeout=240)[0].decode()
            finally:
                shell.kill()
            self.assertEqual(shell.returncode, 0, f"{where}: {line}\n{output}")

    def follow(self):
        daemon = self.daemon(self.path)
        (self.dir / "liteferry.yaml").symlink_to(daemon.config)
        daemon.wait()
        return daemon

    def run_page(self, page, prepare=()):
        """Short commands find database and daemon as they would where LITEFERRY_CONFIG is set."""
        blocks = marked_blocks(ROOT / page)
        self.assertTrue(blocks, page)
        self.make_tables()
        daemon = self.follow()
        with_config = self.environment() | {"LITEFERRY_CONFIG": str(daemon.config)}
        self.environment = lambda: with_config
        for line in prepare:
            self.shell([line], page)
        for _, lines in blocks:
            self.shell(lines, page)
        return daemon

    def test_readme(self):
        """From check to the cutover, and the migration in between."""
        blocks = marked_blocks(ROOT / "README.md")
        self.assertEqual([how for how, _ in blocks], ["", "in the background", "", ""])
        check, run, cutover, migration = [lines for _, lines in blocks]
        self.make_tables()
        self.shell(check, "README.md")
        with open(self.dir / "run.log", "wb") as log:
            daemon = spawn(["bash", "-c", "exec " + TARGET.sub(self.url, run[0])], cwd=self.dir,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())
        self.addCleanup(daemon.wait, 60)
        self.addCleanup(daemon.kill)
        wait_until("the daemon answers", (self.dir / "app.db-liteferry.sock").exists, 60)
        self.shell(["liteferry wait --source app.db --timeout 120s", *migration,
                    "liteferry wait --source app.db --timeout 120s", *cutover], "README.md")
        self.assert_equal(self.path)
        self.assertEqual(self.pg("SELECT phase FROM liteferry.stream"), [("cut_over",)])
        self.assertIn("colour", self.pg("SELECT string_agg(attname, ' ') FROM pg_attribute "
                                        "WHERE attrelid = 'tags'::regclass")[0][0])
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(120), 0, (self.dir / "run.log").read_text())
        self.shell(["liteferry cleanup --source app.db --target postgresql://app@db/app"], "README.md")
        self.assertEqual(self.pg("SELECT 1 FROM pg_namespace WHERE nspname = 'liteferry'"), [])

    def test_schema(self):
        (_, lines), = marked_blocks(ROOT / "docs/SCHEMA.md")
        self.shell(lines, "docs/SCHEMA.md")
        self.assertEqual(self.pg("SELECT count(*) FROM pg_tables WHERE tablename = 'notes'"), [(1,)])

    def test_pages_of_a_daemon_that_follows(self):
        self.run_page("docs/MONITORING.md")
        for page in ("docs/VERIFY.md", "docs/CHECK.md"):
            for _, lines in marked_blocks(ROOT / page):
                if page.endswith("CHECK.md"):
                    (self.dir / "liteferry.yaml").unlink()  # the page makes one
                self.shell(lines, page)

    def test_cutover(self):
        self.run_page("docs/CUTOVER.md", ["liteferry verify"])
        self.assertEqual((self.dir / "systemctl.log").read_text(), "restart app\n")


if __name__ == "__main__":
    case.main()
