"""An application that writes at random to any SQLite database, as a process of its own.

From a test:   writer = Writer(path, seed=7); ...; stats = writer.stop()
By hand:       python3 writer.py --db app.db --seed 7 --seconds 5
"""
import argparse
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import sqlite_catalog  # noqa: E402
from harness.process import Timeout, spawn  # noqa: E402
from harness.sqlite_catalog import Text, quote  # noqa: E402
from harness.values import Values  # noqa: E402


class Writer:
    """The process. `stop()` lets it end its transaction and returns its counts.

    `script` may be another program of the same manners: --db, --seed, --rate, until_term(), JSON at the end.
    """

    def __init__(self, path, seed, rate=0, options=(), script=__file__):
        self.log = f"{path}.writer.log"
        command = [sys.executable, str(script), "--db", str(path), "--seed", str(seed),
                   "--rate", str(rate), *options]
        with open(self.log, "ab") as log:
            self.process = spawn(command, death_signal=signal.SIGKILL, stdout=subprocess.PIPE,
                                 stderr=log, text=True)
        # From here on SIGTERM ends it in order.
        assert self.process.stdout.readline() == "ready\n", pathlib.Path(self.log).read_text()

    def alive(self):
        return self.process.poll() is None

    def stop(self, timeout=30):
        self.process.send_signal(signal.SIGTERM)
        return self.finish(timeout)

    def finish(self, timeout=60):
        """Waits for its own end (see --seconds, --commits)."""
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Timeout(f"the writer did not end within {timeout} s") from None
        if self.process.returncode != 0:
            text = pathlib.Path(self.log).read_text()
            raise AssertionError(f"the writer failed: {self.process.returncode}\n{text[-3000:]}")
        return json.loads(output)


def until_term():
    """For a writer's main: a list that is empty until SIGTERM has come. Says that it is ready."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    print("ready", flush=True)
    return stop


class RandomWriter:
    """Transactions of one to eight random statements; what SQLite refuses is left out."""

    def __init__(self, path, seed, odd=0.0, foreign_keys=True):
        self.random = random.Random(seed)
        self.values = Values(self.random, odd)
        self.db = sqlite_catalog.connect(path)
        self.db.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        self.db.execute(f"PRAGMA recursive_triggers={self.random.choice(('ON', 'OFF'))}")
        self.tables = sqlite_catalog.tables(self.db)
        self.by_name = {t.name.lower(): t for t in self.tables}
        self.seen = {t.name: self._sample(t) for t in self.tables}
        self.counts = {"commits": 0, "rollbacks": 0, "statements": 0, "refused": 0, "busy": 0,
                       "full": 0}

    def _sample(self, table):
        """Up to 50 values per column that the data already hold."""
        return {c.name: [row[0] for row in self.db.execute(
            f"SELECT DISTINCT {quote(c.name)} FROM {table.quoted} "
            f"WHERE length({quote(c.name)}) < 5000 LIMIT 50")] for c in table.columns}

    # Choosing.

    def _key_names(self, table):
        if table.without_rowid:
            return [quote(k) for k in table.key]
        return ["rowid"]

    def _some_rows(self, table, limit=1):
        count = self.db.execute(f"SELECT count(*) FROM {table.quoted}").fetchone()[0]
        if count == 0:
            return []
        return self.db.execute(f"SELECT {', '.join(self._key_names(table))} FROM {table.quoted} "
                               f"LIMIT {limit} OFFSET {self.random.randrange(count)}").fetchall()

    def _where(self, table):
        return " AND ".join(f"{k} IS ?" for k in self._key_names(table))

    def _value(self, table, column):
        for key in table.foreign_keys:
            if column.name in key.columns:
                return self._parent_value(key, column)
        if self.random.random() < 0.3 and self.seen[table.name][column.name]:
            return self.random.choice(self.seen[table.name][column.name])
        if not column.not_null and not column.pk and self.random.random() < 0.1:
            return None
        return self.values.of(column.type)

    def _parent_value(self, key, column):
        parent = self.by_name.get(key.parent.lower())
        if parent is None or (not column.not_null and self.random.random() < 0.3):
            return None
        place = key.columns.index(column.name)
        name = key.parent_columns[place] or parent.key[place]
        count = self.db.execute(f"SELECT count(*) FROM {parent.quoted}").fetchone()[0]
        if count == 0:
            return None
        return self.db.execute(f"SELECT {quote(name)} FROM {parent.quoted} LIMIT 1 OFFSET ?",
                               (self.random.randrange(count),)).fetchone()[0]

    def _execute(self, sql, parameters):
        # Text that is not UTF-8 came from the data; bound as it is it would become a blob.
        parts = sql.split("?")
        for i, value in enumerate(parameters):
            if isinstance(value, Text):
                parts[i], parts[i + 1] = parts[i] + "CAST(", " AS TEXT)" + parts[i + 1]
        parameters = [bytes(v) if isinstance(v, Text) else v for v in parameters]
        self.counts["statements"] += 1
        try:
            self.db.execute("?".join(parts), parameters)
            return True
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError):
            self.counts["refused"] += 1
            return False

    # Statements.

    def _insert(self, table, verb="INSERT"):
        columns = [c for c in table.columns if not c.generated]
        alias = table.rowid_alias
        if alias and self.random.random() < 0.7:
            columns = [c for c in columns if c.name != alias] or columns
        names = ", ".join(quote(c.name) for c in columns)
        marks = ", ".join("?" * len(columns))
        self._execute(f"{verb} INTO {table.quoted} ({names}) VALUES ({marks})",
                      [self._value(table, c) for c in columns])

    def insert(self, table):
        self._insert(table)

    def insert_or_replace(self, table):
        self._insert(table, self.random.choice(("REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE")))

    def update(self, table):
        columns = [c for c in table.columns if not c.generated and not c.pk]
        rows = self._some_rows(table)
        if not columns or not rows:
            return
        chosen = self.random.sample(columns, self.random.randint(1, min(3, len(columns))))
        sets = ", ".join(f"{quote(c.name)} = ?" for c in chosen)
        verb = self.random.choice(("UPDATE", "UPDATE", "UPDATE OR REPLACE"))
        self._execute(f"{verb} {table.quoted} SET {sets} WHERE {self._where(table)}",
                      [self._value(table, c) for c in chosen] + list(rows[0]))

    def update_key(self, table):
        rows = self._some_rows(table)
        columns = [c for c in table.columns if c.pk]
        if not rows:
            return
        if columns:
            column = self.random.choice(columns)
            name, value = quote(column.name), self._value(table, column)
        else:
            name, value = "rowid", self.random.randint(1, 5000)
        self._execute(f"UPDATE {table.quoted} SET {name} = ? WHERE {self._where(table)}",
                      [value] + list(rows[0]))

    def delete(self, table):
        rows = self._some_rows(table)
        if rows:
            self._execute(f"DELETE FROM {table.quoted} WHERE {self._where(table)}", list(rows[0]))

    def swap(self, table):
        """Two rows exchange the values of a unique column, through a third value."""
        rows = self._some_rows(table, 2)
        if len(rows) < 2 or not table.unique:
            return
        chosen = self.random.choice(table.unique)[-1]
        column = next(c for c in table.columns if c.name == chosen)
        name, where = quote(column.name), self._where(table)
        first, second = (self.db.execute(f"SELECT {name} FROM {table.quoted} WHERE {where}",
                                         row).fetchone()[0] for row in rows)
        between = None if not column.not_null else self.values.of(column.type)
        for value, row in ((between, rows[0]), (first, rows[1]), (second, rows[0])):
            if not self._execute(f"UPDATE {table.quoted} SET {name} = ? WHERE {where}",
                                 [value] + list(row)):
                return

    def touch_many(self, table):
        """One statement over up to 50 rows."""
        columns = [c for c in table.columns if not c.generated and not c.pk
                   and not any(c.name in u for u in table.unique)]
        if columns and self.random.random() < 0.2:
            column = self.random.choice(columns)
            key = self._key_names(table)[0]
            self._execute(f"UPDATE {table.quoted} SET {quote(column.name)} = ? WHERE {key} IN "
                          f"(SELECT {key} FROM {table.quoted} LIMIT 50)",
                          [self._value(table, column)])

    def transaction(self):
        if not self.tables:
            self.counts["commits"] += 1
            return
        try:
            self.db.execute("BEGIN IMMEDIATE")
            for _ in range(self.random.choice((1, 1, 2, 3, 8))):
                self._step()
            outcome = "rollbacks" if self.random.random() < 0.05 else "commits"
            self.db.execute("ROLLBACK" if outcome == "rollbacks" else "COMMIT")
            self.counts[outcome] += 1
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                self.counts["busy"] += 1
            elif "full" in str(error) or "disk I/O error" in str(error):
                self.counts["full"] += 1
            else:
                raise
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def die_in_transaction(self):
        """kill -9 of itself when much of a large transaction has been written to the files."""
        self.db.execute("PRAGMA cache_size = 10")
        self.db.execute("BEGIN IMMEDIATE")
        for _ in range(300):
            self._step()
        os.kill(os.getpid(), signal.SIGKILL)

    def _step(self):
        actions = (self.insert, self.insert, self.insert, self.insert_or_replace, self.update,
                   self.update, self.update, self.update_key, self.delete, self.delete, self.swap,
                   self.touch_many)
        action, table = self.random.choice(actions), self.random.choice(self.tables)
        if self.random.random() < 0.1:
            self.db.execute("SAVEPOINT s")
            action(table)
            if self.random.random() < 0.5:
                self.db.execute("ROLLBACK TO s")
            self.db.execute("RELEASE s")
        else:
            action(table)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--odd", type=float, default=0.0, help="share of values of the wrong kind")
    parser.add_argument("--rate", type=float, default=0, help="transactions a second, 0: no limit")
    parser.add_argument("--seconds", type=float, default=0, help="0: until SIGTERM")
    parser.add_argument("--commits", type=int, default=0, help="0: until SIGTERM")
    parser.add_argument("--no-foreign-keys", action="store_true")
    parser.add_argument("--die", action="store_true", help="kill -9 of itself within a transaction")
    args = parser.parse_args()

    stop = until_term()
    writer = RandomWriter(args.db, args.seed, args.odd, not args.no_foreign_keys)
    if args.die:
        writer.die_in_transaction()
    begin = time.monotonic()
    done = 0
    while not stop:
        writer.transaction()
        done += 1
        if args.rate:
            time.sleep(max(0.0, begin + done / args.rate - time.monotonic()))
        if args.seconds and time.monotonic() - begin > args.seconds:
            break
        if args.commits and writer.counts["commits"] >= args.commits:
            break
    writer.db.close()
    print(json.dumps(writer.counts))


if __name__ == "__main__":
    main()
