"""What a SQLite value has to become on PostgreSQL, written down independently of the program.

converter(type) gives an object with from_sqlite(value), select(column), from_postgres(value): both
sides are brought to one plain form, which then compares with ==. A value that the type cannot hold
exactly raises Unfit. The rules are those of replication/VALUES.md, without `epoch` and `on_invalid`.
"""
import decimal
import json
import math
import re
import struct

import psycopg2

from harness import expected_array
from harness.expected_time import Date, Time, Timestamp
from harness.sqlite_catalog import Text

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"nan|[+-]?inf(inity)?", re.I)
decimal.setcontext(decimal.Context(prec=300_000, Emax=10**9, Emin=-10**9))


class Unfit(Exception):
    """This value has no exact form in that type."""


class _Type:
    """Without anything said: read as text on PostgreSQL; takes nothing."""

    def __init__(self, shown):
        self.shown = shown

    def select(self, column):
        return f"{column}::text"

    def from_postgres(self, value):
        return value

    def from_sqlite(self, value):
        if isinstance(value, Text):
            return self.broken_text(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.blob(value)
        if isinstance(value, float):
            return self.real(value)
        return self.integer(value)

    def refuse(self, what):
        raise Unfit(f"{what} for {self.shown}")

    def integer(self, value):
        self.refuse("integer")

    def real(self, value):
        self.refuse("real")

    def text(self, value):
        self.refuse("text")

    def blob(self, value):
        self.refuse("blob")

    def broken_text(self, value):
        self.refuse("text that is not UTF-8")


def real_text(value):
    """The shortest digits that give the same double again, in the form PostgreSQL prints them."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, digits))
    point = len(digits) + exponent  # digits before the point
    if -4 < point <= 15:
        if point <= 0:
            text = "0." + "0" * -point + digits
        elif point >= len(digits):
            text = digits + "0" * (point - len(digits))
        else:
            text = digits[:point] + "." + digits[point:]
    else:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        text = f"{mantissa}e{'-' if point <= 0 else '+'}{abs(point - 1):02d}"
    return "-" * sign + text


class _Boolean(_Type):
    WORDS = {**dict.fromkeys(("t", "true", "y", "yes", "on", "1"), "true"),
             **dict.fromkeys(("f", "false", "n", "no", "off", "0"), "false")}

    def integer(self, value):
        if value not in (0, 1):
            self.refuse("number other than 0 and 1")
        return "true" if value else "false"

    def real(self, value):
        return self.integer(value)

    def text(self, value):
        if not value.isascii() or value.lower() not in self.WORDS:
            self.refuse("text that is none of its words")
        return self.WORDS[value.lower()]


class _Integer(_Type):
    def __init__(self, shown, bits):
        super().__init__(shown)
        self.top = 2 ** (bits - 1)

    def integer(self, value):
        if not -self.top <= value < self.top:
            self.refuse("number out of range")
        return str(value)

    def real(self, value):
        if not math.isfinite(value) or value != int(value):
            self.refuse("real with a fraction")
        return self.integer(int(value))

    def text(self, value):
        if not re.fullmatch(r"[+-]?\d+", value, re.ASCII) or len(value) > 4000:
            self.refuse("text that is not digits")
        return self.integer(int(value))


class _Double(_Type):
    def from_postgres(self, value):
        return struct.pack("<d", float(value))

    def integer(self, value):
        if int(float(value)) != value:
            self.refuse("integer without an exact double")
        return self.real(float(value))

    def real(self, value):
        return struct.pack("<d", value)

    def text(self, value):
        if _NOT_FINITE.fullmatch(value):
            return self.real(float(value))
        if not _NUMBER.fullmatch(value):
            self.refuse("text that is not a number")
        nearest = float(value)
        if math.isinf(nearest) or (nearest == 0 and decimal.Decimal(value) != 0):
            self.refuse("number out of range")
        return self.real(nearest)


class _Float(_Double):
    """real: a number that a float is, or that a float shows as."""

    LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]

    @staticmethod
    def _narrow(value):
        """The nearest float, as a double."""
        return struct.unpack("<f", struct.pack("<f", value))[0]

    def from_postgres(self, value):
        return struct.pack("<f", self._narrow(float(value)))

    def _shown(self, narrow):
        """The fewest digits that give the same float again."""
        for digits in range(1, 10):
            text = f"{narrow:.{digits}g}"
            try:
                if self._narrow(float(text)) == narrow:
                    return text
            except OverflowError:
                pass
        return ""

    def real(self, value):
        if math.isfinite(value) and abs(value) > self.LARGEST:
            narrow = math.copysign(self.LARGEST, value)
        else:
            narrow = self._narrow(value)
        if math.isfinite(value) and narrow != value and float(self._shown(narrow) or "nan") != value:
            self.refuse("number without an exact float")
        return struct.pack("<f", narrow)


class _Numeric(_Type):
    """Plain numeric keeps the digits as written: 1.50 is not 1.5."""

    def from_postgres(self, value):
        return value

    def _plain(self, value):
        if value.is_nan():
            return "NaN"
        sign, digits, exponent = value.as_tuple()
        if max(len(digits) + exponent, 0) > 131072 or -exponent > 16383:
            self.refuse("number beyond the limits")
        text = format(abs(value) if value == 0 else value, "f")
        return text

    def integer(self, value):
        return self._plain(decimal.Decimal(value))

    def real(self, value):
        if not math.isfinite(value):
            self.refuse("infinity")
        return self._plain(decimal.Decimal(real_text(value)))

    def text(self, value):
        if value.lower() != "nan" and not _NUMBER.fullmatch(value):
            self.refuse("text that is not a number")
        return self._plain(decimal.Decimal(value))


class _LimitedNumeric(_Numeric):
    """numeric(p,s): compared by value, since PostgreSQL always shows s digits."""

    def __init__(self, shown, typmod):
        super().__init__(shown)
        self.precision = ((typmod - 4) >> 16) & 0xFFFF
        scale = (typmod - 4) & 0x7FF
        self.scale = scale - 2048 if scale >= 1024 else scale

    def from_postgres(self, value):
        return self._value(decimal.Decimal(value))

    @staticmethod
    def _value(value):
        if value.is_nan():
            return "NaN"
        return "0" if value == 0 else str(value.normalize())

    def _plain(self, value):
        if not value.is_nan() and value != 0:
            if value.normalize().as_tuple().exponent < -self.scale:
                self.refuse("number with more digits")
            if value.adjusted() >= self.precision - self.scale:
                self.refuse("number out of range")
        return self._value(value)

    def real(self, value):
        try:
            return super().real(value)
        except Unfit:
            # As PostgreSQL's own cast from double precision.
            if math.isfinite(value) and -decimal.Decimal(real_text(value)).as_tuple().exponent > self.scale:
                return self._plain(decimal.Decimal(f"{value:.15g}"))
            raise


class _Characters(_Type):
    def __init__(self, shown, limit=None, padded=False, bytes_limit=None):
        super().__init__(shown)
        self.limit, self.padded, self.bytes_limit = limit, padded, bytes_limit

    def text(self, value):
        if "\0" in value:
            self.refuse("text with NUL")
        if self.limit is not None and len(value) > self.limit:
            self.refuse("longer text")
        if self.bytes_limit is not None and len(value.encode()) > self.bytes_limit:
            self.refuse("longer text")
        return value.rstrip(" ") if self.padded else value

    def integer(self, value):
        return self.text(str(value))

    def real(self, value):
        return self.text(real_text(value))

    def blob(self, value):
        try:
            return self.text(value.decode("utf-8"))
        except UnicodeDecodeError:
            self.refuse("blob that is not text")


class _Bytes(_Type):
    def select(self, column):
        return f"encode({column}, 'hex')"

    def blob(self, value):
        return value.hex()

    def text(self, value):
        return value.encode().hex()

    def broken_text(self, value):
        return value.hex()


class _Json(_Characters):
    """The server judges the syntax; jsonb compares by value, json by its text."""

    def __init__(self, shown, connection, binary):
        super().__init__(shown)
        self.asked, self.binary = _Asked(shown, connection), binary

    @staticmethod
    def _value(text):
        def number(digits):
            value = decimal.Decimal(digits)
            return ("number", "0" if value == 0 else str(value.normalize()))
        return repr(json.loads(text, parse_int=number, parse_float=number,
                               object_pairs_hook=lambda pairs: sorted(dict(pairs).items())))

    def from_postgres(self, value):
        return self._value(value) if self.binary else value

    def text(self, value):
        self.asked.text(super().text(value))
        return self._value(value) if self.binary else value

    def real(self, value):
        if not math.isfinite(value):
            self.refuse("infinity")
        return super().real(value)


class _Uuid(_Type):
    _FORM = re.compile(r"(\{)?([0-9a-f]{8})(-?)([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{4})\3([0-9a-f]{12})(?(1)\})", re.I)

    def text(self, value):
        match = self._FORM.fullmatch(value)
        if not match:
            self.refuse("text of another form")
        return "-".join(match.group(2, 4, 5, 6, 7)).lower()

    def blob(self, value):
        if len(value) != 16:
            self.refuse("blob of another length")
        return self.text(value.hex())


class _Enum(_Type):
    def __init__(self, shown, labels):
        super().__init__(shown)
        self.labels = labels

    def text(self, value):
        if value not in self.labels:
            self.refuse("text that is no label")
        return value


class _Money(_LimitedNumeric):
    """Shown with lc_monetary = C; two fraction digits, and no exponent."""

    def __init__(self, shown):
        super().__init__(shown, (19 << 16 | 2) + 4)

    def from_postgres(self, value):
        return super().from_postgres(value.replace("$", "").replace(",", ""))

    def real(self, value):
        if math.isfinite(value) and "e" in real_text(value):
            self.refuse("number with an exponent")
        return super().real(value)

    def text(self, value):
        if not _NUMBER.fullmatch(value) or "e" in value.lower():
            self.refuse("text that is not digits and a point")
        return super().text(value)

    def _plain(self, value):
        if value.is_nan() or not -2**63 <= value * 100 < 2**63:
            self.refuse("number out of range")
        return super()._plain(value)


class _Moment(_Type):
    """Dates and times: expected_time.py reads the text."""

    def __init__(self, shown, reader):
        super().__init__(shown)
        self.reader = reader

    def text(self, value):
        result = self.reader.read(value)
        if result is None:
            self.refuse("text that it does not hold")
        return result


class _Asked(_Type):
    """Any other type: what the server's own input function makes of the text."""

    # Digits alone would be a guess there.
    NO_NUMBERS = ("interval", "timetz", "bit", "varbit", "inet", "cidr")

    def __init__(self, shown, connection, typname=None):
        super().__init__(shown)
        self.connection, self.typname = connection, typname

    def text(self, value):
        if "\0" in value:
            self.refuse("text with NUL")
        with self.connection.cursor() as cursor:
            cursor.execute("SAVEPOINT asked")
            try:
                cursor.execute(f"SELECT (%s::{self.shown})::text", (value,))
                return cursor.fetchone()[0]
            except psycopg2.Error as error:
                cursor.execute("ROLLBACK TO asked")
                raise Unfit(str(error).splitlines()[0]) from None
            finally:
                cursor.execute("RELEASE asked")

    def integer(self, value):
        if self.typname in self.NO_NUMBERS:
            self.refuse("number")
        return self.text(str(value))

    def real(self, value):
        if self.typname in self.NO_NUMBERS:
            self.refuse("number")
        return self.text(real_text(value))


class _Bits(_Asked):
    """A cast would cut or fill up; storing does not."""

    def __init__(self, shown, connection, typname, typmod):
        super().__init__(shown, connection, typname)
        self.fixed, self.length = typname == "bit", typmod

    def text(self, value):
        shown = _Asked("varbit", self.connection).text(value)
        if self.length >= 0 and (len(shown) > self.length or (self.fixed and len(shown) < self.length)):
            self.refuse("bits of another length")
        return shown


class _Array(_Asked):
    """Each element must fit its own type; the server then says how it shows the whole."""

    def __init__(self, shown, connection, element, typname, delimiter):
        super().__init__(shown, connection)
        self.element, self.typname, self.delimiter = element, typname, delimiter

    def integer(self, value):
        self.refuse("integer")

    def real(self, value):
        self.refuse("real")

    def text(self, value):
        if "\0" in value:
            self.refuse("text with NUL")
        try:
            literal = expected_array.literal(value, self.typname, self.delimiter, self.element.from_sqlite)
        except expected_array.Malformed as wrong:
            self.refuse(str(wrong))
        return super().text(literal)


def _element_of(connection, typname, typmod, shown):
    """The array type `shown`, or None for what is none."""
    if not shown.endswith("[]"):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.typname, e.typtype, format_type(e.oid, %s), e.typdelim, "
            "  (SELECT array_agg(enumlabel ORDER BY enumsortorder)::text[] FROM pg_enum WHERE enumtypid = e.oid) "
            "FROM pg_type a JOIN pg_type e ON e.oid = a.typelem AND e.typarray = a.oid "
            "WHERE a.oid = to_regtype(%s)", (typmod, shown))
        row = cursor.fetchone()
    if row is None:
        return None
    name, typtype, element_shown, delimiter, labels = row
    element = converter(connection, name, typmod, typtype, element_shown, labels)
    return _Array(shown, connection, element, name, delimiter)


def converter(connection, typname, typmod, typtype, shown, labels):
    """For a base type of pg_type; `shown` is format_type()'s form."""
    if typtype == "e":
        return _Enum(shown, labels)
    array = _element_of(connection, typname, typmod, shown)
    if array:
        return array
    limit = typmod - 4 if typmod >= 4 else None
    digits = typmod if 0 <= typmod <= 6 else 6
    makers = {
        "bool": lambda: _Boolean(shown),
        "int2": lambda: _Integer(shown, 16), "int4": lambda: _Integer(shown, 32),
        "int8": lambda: _Integer(shown, 64), "float4": lambda: _Float(shown),
        "float8": lambda: _Double(shown),
        "numeric": lambda: _LimitedNumeric(shown, typmod) if typmod >= 4 else _Numeric(shown),
        "text": lambda: _Characters(shown), "citext": lambda: _Characters(shown),
        "name": lambda: _Characters(shown, bytes_limit=63),
        "varchar": lambda: _Characters(shown, limit), "bpchar": lambda: _Characters(shown, limit, padded=True),
        "bytea": lambda: _Bytes(shown), "uuid": lambda: _Uuid(shown),
        "json": lambda: _Json(shown, connection, False), "jsonb": lambda: _Json(shown, connection, True),
        "bit": lambda: _Bits(shown, connection, typname, typmod),
        "varbit": lambda: _Bits(shown, connection, typname, typmod),
        "money": lambda: _Money(shown),
        "date": lambda: _Moment(shown, Date()), "time": lambda: _Moment(shown, Time(digits)),
        "timestamp": lambda: _Moment(shown, Timestamp(digits, zoned=False)),
        "timestamptz": lambda: _Moment(shown, Timestamp(digits, zoned=True)),
    }
    return makers.get(typname, lambda: _Asked(shown, connection, typname))()
