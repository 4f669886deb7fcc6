"""Random values for a declared SQLite type: plausible ones, edges, and (asked for) wrong ones."""
import datetime
import json
import re
import struct

_WORDS = ("alpha", "beta", "naïve", "Straße", "日本語", "emoji 🚢", "O'Brien", 'quo"te', "back\\slash", "tab\there",
          "line\nbreak", "", "  spaces  ", "NULL", "\\N", "{}", "%s", "Ünïcödé", "a" * 40)
_EDGE_REALS = (0.0, -0.0, 1.0, 0.1, 1 / 3, 1e-300, 1.7976931348623157e308, 5e-324, -2.5, 1e15, 123456789.125)


class Values:
    """Draws from `random`; `odd` is the share of values of another kind than the column says."""

    def __init__(self, random, odd=0.0):
        self.random = random
        self.odd = odd

    def of(self, declared):
        if self.odd and self.random.random() < self.odd:
            return self._odd()
        text = declared.upper()
        size = [int(n) for n in re.findall(r"\d+", text)]
        name = re.sub(r"\(.*?\)", "", text).strip()
        if "BOOL" in name:
            return self.random.randint(0, 1)
        if "INT" in name:
            return self._integer(name)
        if any(w in name for w in ("CHAR", "CLOB", "TEXT")):
            return self._text(size[0] if size else None)
        if "BLOB" in name or "BINARY" in name:
            return self.random.randbytes(self.random.choice((0, 1, 16, 300)))
        if any(w in name for w in ("REAL", "FLOA", "DOUB")):
            return self._real()
        if "DATETIME" in name or "TIMESTAMP" in name:
            return self._timestamp()
        if "DATE" in name:
            return self._date().isoformat()
        if "TIME" in name:
            return self._timestamp()[11:]
        if "JSON" in name:
            return self._json()
        if "UUID" in name:
            raw = self.random.randbytes(16).hex()
            return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
        if name == "":
            return self.random.choice((self._text(None), self._integer("INTEGER"), None))
        return self._numeric(*(size + [None, 0])[:2] if size else (None, 0))

    def _integer(self, name):
        top = {"INT": 2**31, "TINYINT": 2**31, "SMALLINT": 2**31, "MEDIUMINT": 2**31}.get(name, 2**63)
        kind = self.random.random()
        if kind < 0.03 and name not in ("INTEGER",):
            return self.random.choice((top - 1, -top))
        if kind < 0.2:
            return self.random.randint(-2**31, 2**31 - 1)
        return self.random.randint(-5, 2000)

    def _text(self, size):
        random = self.random
        text = " ".join(random.choice(_WORDS) for _ in range(random.randint(1, 4)))
        text += f" {random.randint(0, 10**6)}"
        if random.random() < 0.02:
            text += "x" * random.randint(1000, 20000)
        return text if size is None else text[:size]

    def _real(self):
        if self.random.random() < 0.1:
            return self.random.choice(_EDGE_REALS)
        if self.random.random() < 0.2:
            bits = self.random.getrandbits(64)
            value = struct.unpack("<d", struct.pack("<Q", bits))[0]
            return value if value == value else 1.5
        return self.random.uniform(-1e6, 1e6)

    def _timestamp(self):
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(
            microseconds=self.random.randint(0, 4 * 10**15))
        form = self.random.random()
        if form < 0.2:
            return when.strftime("%Y-%m-%d %H:%M:%S")
        if form < 0.3:
            return when.strftime("%Y-%m-%d %H:%M:%S.") + f"{when.microsecond // 1000:03d}"
        return when.strftime("%Y-%m-%d %H:%M:%S.%f")

    def _date(self):
        return datetime.date.fromordinal(self.random.randint(700000, 760000))

    def _json(self):
        return json.dumps({"a": self.random.randint(0, 99), "t": self._text(None)[:200],
                           "l": [1, None, True, 1.5]},
                          ensure_ascii=self.random.random() < 0.5)

    def _numeric(self, precision, scale):
        if precision is None:
            return self.random.choice((self.random.randint(-10**9, 10**9), self.random.uniform(-1e6, 1e6)))
        whole = self.random.randint(0, min(10**(precision - scale) - 1, 10**6))
        if not scale:
            return whole
        return round(whole + self.random.randint(0, 10**min(scale, 4) - 1) / 10**min(scale, 4), scale)

    def _odd(self):
        random = self.random
        return random.choice((
            None, "", "not a number", 2, -1, 2**62, -2**63, 1.5, float("inf"), 1772817205, "2024-02-30",
            "2026-03-06T12:00:00Z", "true", "{not json", "nul\0inside", b"\xff\x00blob", "12345", " 7 ",
            "x" * 600, "0x10", "1e3", "infinity", "24:00:00"))
