#!/usr/bin/env python3
"""Every kind of value in a column of every type: what arrives, and what is rejected, is what expected.py says."""
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import case, sqlite_catalog  # noqa: E402

TYPES = ("boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "numeric(7,3)",
         "text", "varchar(5)", "char(4)", "name", "bytea", "date", "time", "time(2)", "timestamp", "timestamp(3)",
         "timestamptz", "uuid", "json", "jsonb", "mood", "interval", "interval(0)", "inet", "bit(3)", "varbit",
         "money", "xml", "tsvector", "int4range", "pair", "oid",
         "boolean[]", "integer[]", "bigint[]", "real[]", "double precision[]", "numeric(7,3)[]", "text[]", "varchar(5)[]",
         "bytea[]", "date[]", "timestamptz[]", "uuid[]", "json[]", "jsonb[]", "mood[]", "interval[]", "inet[]", "box[]")

TEXTS = ("", " ", "0", "1", "2", "-7", "+7", "007", "7.0", "1e3", ".5", "5.", "1.500", "0.1", "0.1234567890123", "1e39",
         "1e400", "99999", "123456", "9223372036854775808", "NaN", "inf", "-Infinity", "infinity", "true", "F", "yes",
         "0x10", "1_000", "naïve", "日本語 🚢", "a" * 70, "abc  ", "nul\0in", "tab\tnew\nline\\", "\\N", "\\.", "\\x6162",
         "sad", "SAD", "O'K", "2024-02-29", "2023-02-29", "0000-00-00", "2024-02-29 10:00", "2024-02-29T10:00:00Z",
         "2024-02-29 10:00:00.123456789+05:30", "2024-02-29 23:59:59.9999999", "2024-02-29 24:00:00", "294276-12-31",
         "294277-01-01", "5874897-12-31", "0044-03-15 BC", "4714-11-23 BC", "2024-2-9", "now", "10:00", "10:00:00.125",
         "23:59:60", "24:00:00", "1 day", "1 mon -2 days 01:02:03.5", "P1Y2M", "10.0.0.1", "::1/64", "101", "12.34",
         "$5.00", "(1,x)", "[1,5)", "empty", "<a/>", "fat cat", "550e8400-e29b-41d4-a716-446655440000",
         "{550E8400E29B41D4A716446655440000}", "550e8400e29b41d4", "null", "{}", "[]", "[1, 2]", "[1.50, null]",
         "[[1],[2]]", "[[1],[2,3]]", "[1, \"x\"]", "[\"sad\", \"ok\"]", "[true, 0]", "[{\"a\": [1]}, \"b\"]", "[1,]", "[[]]",
         "[\"2024-02-29 10:00+02\"]", "[\"10.0.0.1\", \"1 day\"]", "[\"1 day\"]", "[\"10.0.0.1\"]", "[\"(1,2),(3,4)\"]",
         "[\"q\\\"\\u00e9\\\\\"]", "[\"\\ud83d\\udea2\", \"NULL\"]", "[\"\\ud83d\"]", "[0.1, 1e400]", "[9007199254740993]",
         "[\"550e8400-e29b-41d4-a716-446655440000\"]", "{1,2}", "{a,\"b c\",NULL}", "{{t},{f}}", "{1,{2}}", "{,}",
         "{\"\\\\x00ff\"}", "[0:1]={1,2}", "{sad}", "{\"{\\\"a\\\": 1}\"}", "{\"(1,2),(3,4)\";(5,6),(7,8)}")
REALS = (0.0, -0.0, 1.0, 0.5, 0.1, 0.30000000000000004, 1e15, 1e300, -2.5, 16777217.0, 3.4028235e38, 5e-324,
         9007199254740993.0, 123.456, float("inf"), float("-inf"), 2460370.5, 1.7e9)
INTEGERS = (0, 1, 2, -1, 32767, 32768, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -2**63, 101, 1700000000)
BLOBS = (b"", b"abc", b"\xff\x00", b"nul\x00", "日本".encode(), bytes(range(16)), b'{"a": [1]}', b"[1]", b"1")


class ValuesInTypes(case.Case):
    def values(self):
        """The list above, and some that the seed chooses."""
        yield None
        yield from TEXTS + REALS + INTEGERS + BLOBS
        for _ in range(60):
            yield self.random.getrandbits(64) - 2**63 >> self.random.randrange(64)
            real, = struct.unpack("<d", self.random.randbytes(8))
            yield real if real == real else 1.5
            yield float(f"{self.random.uniform(-1000, 1000):.{self.random.randrange(12)}f}")
            yield struct.unpack("<f", struct.pack("<f", self.random.uniform(-1000, 1000)))[0]
            yield json.dumps([self.random.choice((None, True, 1, 1.5, "a", "1", "sad", "t"))
                              for _ in range(self.random.randrange(4))])
            yield self.random.randbytes(self.random.randrange(5))

    def test_every_value_in_every_type(self):
        path = self.dir / "app.db"
        db = sqlite_catalog.connect(path)
        self.addCleanup(db.close)
        db.execute("PRAGMA journal_mode=wal")
        self.pg("CREATE TYPE mood AS ENUM ('sad', 'ok', 'O''K', '1'); CREATE TYPE pair AS (a int, b text)")
        values = list(self.values())
        for number, name in enumerate(TYPES):
            self.pg(f"CREATE TABLE t{number} (id int PRIMARY KEY, v {name})")
            db.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, v)")
            with_id = list(enumerate(values))
            db.execute("BEGIN")
            db.executemany(f"INSERT INTO t{number} VALUES (?, ?)", with_id)
            db.execute(f"INSERT INTO t{number} VALUES (-1, CAST(x'ff61' AS TEXT))")
            db.execute("COMMIT")
        daemon = self.daemon(path)
        daemon.wait()
        report = self.assert_equal(path)
        self.assertEqual(report.tables, len(TYPES))
        arrived = self.pg(" UNION ALL ".join(f"SELECT {i}, count(v) FROM t{i}" for i in range(len(TYPES))))
        for number, count in arrived:
            self.assertGreater(count, 0, f"{TYPES[number]}: nothing fits, so nothing was tested")
        print(f"{report.rows} values, {report.rejected} rejected", flush=True)
        reasons = self.pg("SELECT DISTINCT reason FROM liteferry.rejected_row")
        for secret in (t for t in TEXTS if len(t) > 5 and t not in ("infinity", "-Infinity")):
            self.assertEqual([r for r, in reasons if secret in r], [])
        # The program's own comparison, which does not use the conversion either.
        daemon.must("verify")


if __name__ == "__main__":
    case.main()
