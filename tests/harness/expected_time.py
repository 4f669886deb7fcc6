"""ISO 8601 text as PostgreSQL shows it again: DateStyle ISO, TimeZone UTC. None for what does not fit."""
import re

_DAY = 86_400_000_000
_TEXT = re.compile(
    r"(?P<year>\d{4}|[1-9]\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)"
    r"(?: ?(?P<zone>Z|[+-]\d\d(?::?\d\d|:\d\d:\d\d)?))?)?(?P<bc> BC)?", re.ASCII)
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII)
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _day_number(year, month, day):
    """Days since 0000-03-01 of the proleptic Gregorian calendar."""
    year -= month <= 2
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + of_year


def _civil(number):
    era, of_era = divmod(number, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + 400 * era + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


_FIRST = _day_number(-4713, 11, 24)
_LAST_DATE = _day_number(5874897, 12, 31)
_LAST_STAMP = _day_number(294276, 12, 31)


def _micros(text, digits):
    """Of a time of day; None where it is none, or has more than `digits` fraction digits to keep."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    fraction = match[4] or ""
    if hour > 24 or minute > 59 or second > 59:
        return None
    if hour == 24 and (minute or second or fraction.strip("0")):
        return None
    if digits < 6 and fraction[digits:].strip("0"):
        return None
    # More than six digits: rounded as floating point does it, to even.
    micros = int(fraction.ljust(6, "0")) if len(fraction) <= 6 else round(float("0." + fraction) * 1e6)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros


def _offset(zone):
    """Seconds east of UTC; None for no zone that there is."""
    if zone == "Z":
        return 0
    numbers = [int(n) for n in re.findall(r"\d\d", zone)] + [0, 0]
    hours, minutes, seconds = numbers[:3]
    if hours > 15 or minutes > 59 or seconds > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * 3600 + minutes * 60 + seconds)


def _parse(text, digits):
    """(day number, microseconds, offset or None); None where it is no date and time."""
    match = _TEXT.fullmatch(text)
    if not match:
        return None
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if year == 0 or not 1 <= month <= 12:
        return None
    if match["bc"]:
        year = 1 - year
    if not 1 <= day <= _MONTHS[month - 1] + (month == 2 and _leap(year)):
        return None
    micros = _micros(match["time"], digits) if match["time"] else 0
    offset = _offset(match["zone"]) if match["zone"] else None
    if micros is None or (match["zone"] and offset is None):
        return None
    return _day_number(year, month, day), micros, offset


def _show_date(number):
    year, month, day = _civil(number)
    shown, bc = (1 - year, " BC") if year <= 0 else (year, "")
    return f"{shown:04d}-{month:02d}-{day:02d}", bc


def _show_time(micros):
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction:06d}".rstrip("0") if fraction else "")


def _infinite(text):
    return text.lower() if text.lower() in ("infinity", "-infinity") else None


class Date:
    def read(self, text):
        if _infinite(text):
            return _infinite(text)
        parsed = _parse(text, 6)
        # As written: neither 24:00 nor what rounding would make midnight.
        if parsed is None or parsed[2] or (_TEXT.fullmatch(text)["time"] or "").strip("0:."):
            return None
        number = parsed[0]
        if not _FIRST <= number <= _LAST_DATE:
            return None
        return "".join(_show_date(number))


class Time:
    def __init__(self, digits):
        self.digits = digits

    def read(self, text):
        micros = _micros(text, self.digits)
        return None if micros is None else _show_time(micros)


class Timestamp:
    def __init__(self, digits, zoned):
        self.digits, self.zoned = digits, zoned

    def read(self, text):
        if _infinite(text):
            return _infinite(text)
        parsed = _parse(text, self.digits)
        if parsed is None:
            return None
        number, micros, offset = parsed
        if offset and not self.zoned:
            return None
        extra, micros = divmod(micros - (offset or 0) * 1_000_000, _DAY)
        number += extra
        if not _FIRST <= number <= _LAST_STAMP:
            return None
        date, bc = _show_date(number)
        return f"{date} {_show_time(micros)}{'+00' if self.zoned else ''}{bc}"
