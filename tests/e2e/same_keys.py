#!/usr/bin/env python3
"""Rows whose keys differ on SQLite and are one on PostgreSQL: one of them is there, the others are named, none is lost."""
import json
import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case  # noqa: E402

ONE = uuid.UUID("11223344-5566-7788-99aa-bbccddeeff00")
TWO = uuid.UUID("00000000-0000-0000-0000-00000000000a")

# Of each table: its key columns here and there, groups of keys that are one key there, and keys that nobody
# could find again, which must be rejected wherever they stand.
TABLES = {
    "moments": ("at TEXT PRIMARY KEY", "at timestamp PRIMARY KEY", [
        ["2026-01-01 00:00:00", "2026-01-01T00:00:00", "2026-01-01", "2026-01-01T00:00:00.000Z"],
        ["2026-01-01 00:00:01.5", "2026-01-01T00:00:01.500", "2026-01-01 00:00:01.500000"],
        ["2026-01-01 00:00:01"], ["2026-01-01 00:00:01.25"]], ["2025-12-31 24:00:00"]),
    "zoned": ("at TEXT PRIMARY KEY", "at timestamptz PRIMARY KEY", [
        ["2026-01-01 12:00:00", "2026-01-01T12:00:00Z", "2026-01-01 12:00:00+00:00"], ["2026-01-01 14:00:00"]],
        ["2026-01-01 14:00:00+02:00"]),
    "ids": ("id PRIMARY KEY", "id uuid PRIMARY KEY", [
        [str(ONE), ONE.hex, str(ONE).upper(), ONE.bytes], [str(TWO), TWO.bytes]], ["{" + str(ONE) + "}"]),
    "numbers": ("n PRIMARY KEY", "n numeric PRIMARY KEY", [[1, "1", "1.0", "1.00"], [1.5, "1.5", "1.50"], [2, "2"]], ["01", "+2"]),
    "reals": ("n PRIMARY KEY", "n double precision PRIMARY KEY", [[3, "3", "3.0"], [0.1, "0.1"]], ["1e-1", ".1"]),
    "words": ("w PRIMARY KEY", "w text PRIMARY KEY", [["1", 1, b"1"], ["a", b"a"], ["A"], ["", b""], ["1.5", 1.5]], []),
    "codes": ("c PRIMARY KEY", "c char(4) PRIMARY KEY", [["ab", "ab  ", b"ab"], ["abc"]], ["ab "]),
    "flags": ("a INT, b, PRIMARY KEY (a, b)", "a int, b boolean, PRIMARY KEY (a, b)", [
        [(1, 1), (1, "t"), (1, "true")], [(1, 0), (1, "no")], [(2, 1), (2, "on")]], [(1, "tRuE")]),
    "series": ("id INT, at TEXT, PRIMARY KEY (id, at)", "id int, at timestamptz, PRIMARY KEY (id, at)", [
        [(1, "2026-01-01"), (1, "2026-01-01T00:00:00Z")], [(2, "2026-01-01"), (2, "2026-01-01 00:00")]], []),
    # What only the server knows to be one.
    "folded": ("w TEXT PRIMARY KEY", "w text COLLATE caseless PRIMARY KEY", [["a", "A"], ["été", "ÉTÉ", "Été"], ["b"]], []),
    "spans": ("s TEXT PRIMARY KEY", "s interval PRIMARY KEY", [["1 day", "24:00:00"], ["2 days"]], ["1 d", "P2D"]),
    "hosts": ("h TEXT PRIMARY KEY", "h inet PRIMARY KEY", [["10.0.0.1"], ["::1"]], ["10.0.0.1/32", "0:0:0:0:0:0:0:1"]),
    "papers": ("p TEXT PRIMARY KEY", "p jsonb PRIMARY KEY", [["1", "1.0", b"1"], ['{"a": 1}']], ['{"a":1}', '{"a":  1}']),
}


def key_json(key):
    def part(value):
        return {"blob": value.hex()} if isinstance(value, bytes) else {"real": value.hex()} if isinstance(value, float) else value
    return json.dumps([part(v) for v in (key if isinstance(key, tuple) else (key,))], separators=(",", ":"), sort_keys=True)


def normal(row_key):
    """A key of rejected_row in the form of key_json()."""
    def part(value):
        return {"real": float.fromhex(value["real"]).hex()} if isinstance(value, dict) and "real" in value else value
    return json.dumps([part(v) for v in json.loads(row_key)], separators=(",", ":"), sort_keys=True)


class SameKeys(case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.dir / "app.db"
        self.db = self.sqlite(self.path)
        self.db.isolation_level = None
        self.db.execute("PRAGMA journal_mode=wal")
        self.pg("CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        for name, (here, there, _, _) in TABLES.items():
            options = " WITHOUT ROWID" if name == "series" else ""
            self.db.execute(f"CREATE TABLE {name} (v INT, {here}){options}")
            self.pg(f"CREATE TABLE {name} (v int, {there})")
        self.count = 0

    def keys(self, name):
        _, _, groups, odd = TABLES[name]
        return [key for group in groups for key in group] + odd

    def columns(self, name):
        return [c[1] for c in sorted(self.db.execute(f"PRAGMA table_info({name})"), key=lambda c: c[5]) if c[5]]

    def where(self, name, key):
        values = key if isinstance(key, tuple) else (key,)
        return " AND ".join(f"{c} IS ?" for c in self.columns(name)), values

    def change(self, name):
        self.count += 1
        columns, key = self.columns(name), self.random.choice(self.keys(name))
        where, values = self.where(name, key)
        kind = self.random.randrange(6)
        if kind < 3:
            places = ", ".join("?" * len(values))
            self.db.execute(f"INSERT OR REPLACE INTO {name} ({', '.join(columns)}, v) VALUES ({places}, ?)",
                            (*values, self.count))
        elif kind == 3:
            self.db.execute(f"UPDATE {name} SET v = ? WHERE {where}", (self.count, *values))
        elif kind == 4:
            self.db.execute(f"DELETE FROM {name} WHERE {where}", values)
        else:
            other = self.random.choice(self.keys(name))
            new = other if isinstance(other, tuple) else (other,)
            self.db.execute(f"UPDATE OR REPLACE {name} SET {', '.join(f'{c} = ?' for c in columns)}, v = ? WHERE {where}",
                            (*new, self.count, *values))

    def rows(self, name):
        """{key: v} of SQLite."""
        columns = self.columns(name)
        return {row[0] if len(columns) == 1 else tuple(row[:-1]): row[-1]
                for row in self.db.execute(f"SELECT {', '.join(columns)}, v FROM {name}")}

    def assert_one_of_each(self):
        """Of each group one row is there, as it is now; exactly the others are rejected."""
        rejected = {}
        for name, key in self.pg("SELECT table_name, row_key FROM liteferry.rejected_row"):
            rejected.setdefault(name, set()).add(normal(key))
        for name, (_, _, groups, odd) in TABLES.items():
            rows = {key_json(key): v for key, v in self.rows(name).items()}
            there = [v for v, in self.pg(f"SELECT v FROM {name}")]
            held = rejected.get(name, set())
            self.assertLessEqual(held, set(rows), name)
            self.assertEqual(sorted(v for key, v in rows.items() if key not in held), sorted(there), (name, rows, held))
            for group in groups:
                present = [key for key in map(key_json, group) if key in rows]
                self.assertEqual(len([key for key in present if key not in held]), min(len(present), 1), (name, present, self.pg("SELECT row_key, reason FROM liteferry.rejected_row WHERE table_name = %s", (name,))))
            for key in map(key_json, odd):
                self.assertEqual(key in held, key in rows, (name, key))

    def test_no_row_is_lost(self):
        for name in TABLES:
            for _ in range(6):
                self.change(name)
        daemon = self.daemon(self.path, {"copy": {"chunk_rows": 100}})
        daemon.wait()
        self.assert_one_of_each()
        for _ in range(12):
            for name in self.random.sample(sorted(TABLES), 6):
                self.db.execute("BEGIN")
                for _ in range(self.random.randint(1, 5)):
                    self.change(name)
                self.db.execute("COMMIT")
            daemon.wait()
            self.assert_one_of_each()
        self.assertEqual(daemon.command("verify").returncode, 0, daemon.command("verify").stdout)
        # Where there is one row of each, everything arrives.
        for name, (_, _, groups, odd) in TABLES.items():
            for key in [key for group in groups for key in group[1:]] + odd:
                where, values = self.where(name, key)
                self.db.execute(f"DELETE FROM {name} WHERE {where}", values)
        daemon.wait()
        self.assertEqual(self.pg("SELECT table_name, row_key FROM liteferry.rejected_row"), [])
        self.assert_equal(self.path)

    def test_a_new_row_takes_no_place(self):
        daemon = self.daemon(self.path)
        self.db.execute("INSERT INTO moments (at, v) VALUES ('2026-01-01 00:00:00', 1)")
        daemon.wait()
        self.db.execute("INSERT INTO moments (at, v) VALUES ('2026-01-01T00:00:00', 2)")
        daemon.wait()
        self.assertEqual(self.pg("SELECT row_key FROM liteferry.rejected_row"), [('["2026-01-01T00:00:00"]',)])
        self.assertEqual(self.pg("SELECT v FROM moments"), [(1,)])
        text = daemon.must("status")
        self.assertIn('moments ["2026-01-01T00:00:00"]', text)
        self.db.execute("DELETE FROM moments WHERE v = 1")
        daemon.wait()
        self.assertEqual(self.pg("SELECT v FROM moments"), [(2,)])
        self.assertEqual(self.pg("SELECT row_key FROM liteferry.rejected_row"), [])

    def test_check_names_keys_that_nobody_could_find(self):
        self.db.execute("INSERT INTO zoned (at, v) VALUES ('2026-01-01 14:00:00+02:00', 1)")
        daemon = self.daemon(self.path, start=False)
        checked = daemon.command("check", "--scan")
        self.assertEqual(checked.returncode, 65, checked.stdout + checked.stderr)
        self.assertIn("not written in a usual way", checked.stdout)


if __name__ == "__main__":
    case.main()
