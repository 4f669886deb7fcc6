#!/usr/bin/env python3
"""Fails on what the build would not notice: a wrong include, a test that no one builds, a second
owner of a C handle, a sleep.

usage: check_layout.py [ROOT]

Folders may include those before them, never those after: config, metrics, replication, daemon.
Within replication: base, then source and target (which do not know each other), then the rest.
Tests may include anything.
"""
import pathlib
import re
import sys

FOLDERS = ("config", "metrics", "replication", "daemon")
# The C libraries stay behind our own handles: their headers appear in .cc files only.
C_HEADERS = ("sqlite3.h", "libpq-fe.h")
# Each of these has one owner, the deleter of its handle.
DELETERS = ("PQfinish", "PQclear", "sqlite3_finalize", "sqlite3_close", "sqlite3_close_v2")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|R"([^(\s]*)\(.*?\)\1"', re.S)


def layer(path):
    """(rank, name) of a file or include; None for what is not ours."""
    parts = pathlib.PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] not in FOLDERS:
        return None
    if parts[0] != "replication":
        return (10 * FOLDERS.index(parts[0]), parts[0])
    inner = parts[1] if len(parts) > 2 else ""
    rank = {"base": 0, "source": 1, "target": 1}.get(inner, 2)
    # What joins both sides is one layer, in several folders.
    name = "/".join(parts[:2]) if rank < 2 else "replication"
    return (10 * FOLDERS.index("replication") + rank, name)


def may_include(from_layer, to_layer):
    return to_layer[0] < from_layer[0] or to_layer == from_layer


def without_comments(text):
    # Newlines stay, so that line numbers do.
    return COMMENT_OR_STRING.sub(lambda m: '""' + "\n" * m.group(0).count("\n"), text)


def check_includes(name, text, problems):
    own = layer(name)
    for match in INCLUDE.finditer(text):
        ours, system = match.groups()
        where = f"{name}:{text.count(chr(10), 0, match.start(1 if ours else 2)) + 1}"
        if (ours or system) in C_HEADERS and name.endswith(".h"):
            problems.append(f"{where}: {ours or system} is included in .cc files only")
        if ours is None or own is None:
            continue
        other = layer(ours)
        if other is None:
            if ours.startswith("tests/"):
                problems.append(f"{where}: the program includes a file of the tests")
            elif "/" not in ours:
                problems.append(f'{where}: "{ours}" is not named from the root')
        elif not may_include(own, other):
            problems.append(f"{where}: {own[1]} may not include {other[1]} ({ours})")


def check_tests_are_built(root, tests, problems):
    cmake = root / "tests" / "CMakeLists.txt"
    patterns = re.findall(r"[\w./*-]+\.cc\b", cmake.read_text()) if cmake.exists() else []
    for name in tests:
        path = pathlib.PurePosixPath(name).relative_to("tests")
        if not any(len(pathlib.PurePosixPath(p).parts) == len(path.parts) and path.match(p)
                   for p in patterns):
            problems.append(f"{name}: no pattern of tests/CMakeLists.txt builds it")


def check(root):
    problems = []
    owners = {}
    tests = []
    for top in FOLDERS + ("tests",):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".cc", ".h"):
                continue
            name = path.relative_to(root).as_posix()
            text = path.read_text()
            check_includes(name, text, problems)
            code = without_comments(text)
            for match in re.finditer(r"\bsleep_for\b|\bsleep_until\b", code):
                line = code.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: {match.group(0)}: wait for an event instead")
            if top == "tests":
                if name.endswith(("_test.cc", "_pgtest.cc")):
                    tests.append(name)
                continue
            for deleter in DELETERS:
                for match in re.finditer(rf"\b{deleter}\b", code):
                    line = code.count("\n", 0, match.start()) + 1
                    owners.setdefault(deleter, []).append(f"{name}:{line}")
    for deleter, places in owners.items():
        if len(places) > 1:
            problems.append(f"{deleter} has more than one owner: {', '.join(places)}")
    check_tests_are_built(root, tests, problems)
    return problems


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
