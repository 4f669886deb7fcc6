"""A throw-away PostgreSQL: its own folder, a unix socket, a plain role that owns its database."""
import atexit
import os
import pathlib
import shutil
import signal
import subprocess

import psycopg2

from harness.process import (ROOT, clean_environment, spawn, tail, temp_dir, unprivileged,
                             wait_until)

DEBIAN = pathlib.Path("/usr/lib/postgresql/15/bin")


class Unavailable(Exception):
    """This PostgreSQL version cannot be had here; the reason is in the message."""


def binaries(version):
    """The bin folder of a PostgreSQL major version: Debian's 15, others fetched."""
    if str(version) == "15":
        if not (DEBIAN / "postgres").exists():
            raise Unavailable(f"{DEBIAN}/postgres is missing; install postgresql-15")
        return DEBIAN
    result = subprocess.run([str(ROOT / "scripts" / "fetch_postgres.sh"), str(version)],
                            capture_output=True, text=True, timeout=900, check=False)
    if result.returncode != 0:
        raise Unavailable(result.stderr.strip())
    return pathlib.Path(result.stdout.strip().splitlines()[-1]) / "bin"


class Cluster:
    """Started by the constructor; stopped and removed by close(), at exit, or with this process.

    Role `app` owns database `app` and is not a superuser; liteferry connects as this role only. With
    `primary` it is a standby of that one, asynchronous unless the primary names it. It lives in
    `folder`, if there is one.
    """

    def __init__(self, version="15", settings=None, primary=None, folder=None, initdb=()):
        self.version = str(version)
        self.bin = binaries(version)
        self.dir = pathlib.Path(folder) if folder else temp_dir(f"pg{version}")
        self.data = self.dir / "data"
        self.log = self.dir / "server.log"
        self.process = None
        self.settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.dir), "port": "5432",
            # A crash of the server loses nothing without fsync, only one of the machine would.
            "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
            "max_connections": "40", "shared_buffers": "64MB", **(settings or {})}
        self.user = unprivileged()
        if self.user:
            os.chown(self.dir, self.user["user"], self.user["group"])
        atexit.register(self.close)
        if primary is not None:
            self._run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "--no-sync",
                      "--checkpoint", "fast", "-d", primary.dsn("postgres", "postgres"))
            self.start()
            return
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync", *initdb)
        self.start()
        self.admin("CREATE ROLE app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        self.create_database("app")

    def _run(self, tool, *args):
        result = subprocess.run([str(self.bin / tool), *map(str, args)], capture_output=True,
                                text=True, cwd="/", env=clean_environment(LC_ALL="C.UTF-8"),
                                timeout=120, check=False, **self.user)
        if result.returncode != 0:
            raise RuntimeError(f"{tool}: {result.stdout}{result.stderr}")
        return result.stdout

    def start(self, timeout=60):
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            # SIGQUIT is PostgreSQL's immediate shutdown: the whole server goes when the test does.
            self.process = spawn(command, death_signal=signal.SIGQUIT, cwd="/",
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=clean_environment(LC_ALL="C.UTF-8"), **self.user)
        wait_until("PostgreSQL accepts connections", self._accepts, timeout)

    def _accepts(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{tail(self.log)}")
        try:
            psycopg2.connect(self.dsn("postgres", "postgres")).close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop(self, mode="fast"):
        """Shuts the server down: smart, fast or immediate (as after a crash)."""
        if self.process is None:
            return
        number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def revive(self):
        """Starts a server that was stopped, or ended by itself, as one does whose disk is full."""
        if self.process is not None and self.process.poll() is None:
            # It may be about to end: what it does since its disk was full, not what it does now.
            wait_until("PostgreSQL accepts connections, or has ended",
                       lambda: self.process.poll() is not None or self._accepts(), 60)
        if self.process is None or self.process.poll() is not None:
            self.start()

    def fall_behind(self):
        """A standby receives no more."""
        self.admin("ALTER SYSTEM SET primary_conninfo = ''")
        self.admin("SELECT pg_reload_conf()")
        wait_until("the standby receives nothing", lambda: not self.execute(
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'walreceiver'", "postgres"), 30)

    def promote(self):
        """A standby becomes a primary on the next timeline."""
        self.admin("SELECT pg_promote(true, 60)")

    def close(self):
        atexit.unregister(self.close)
        self.stop("immediate")
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Addresses.

    def dsn(self, database="app", user="app", **more):
        parts = {"host": self.dir, "port": self.settings["port"], "dbname": database, "user": user,
                 "connect_timeout": 10, **more}
        return " ".join(f"{k}={v}" for k, v in parts.items())

    def url(self, database="app"):
        return f"postgresql://app@/{database}?host={self.dir}"

    @property
    def socket(self):
        return self.dir / f".s.PGSQL.{self.settings['port']}"

    def connect(self, database="app", user="app"):
        """A psycopg2 connection of the plain role, autocommit."""
        connection = psycopg2.connect(self.dsn(database, user))
        connection.autocommit = True
        return connection

    # Set-up.

    def admin(self, sql, database="postgres"):
        """Runs statements as superuser: for setting up only."""
        connection = self.connect(database, "postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
        finally:
            connection.close()

    def create_database(self, name):
        self.admin(f'CREATE DATABASE "{name}" OWNER app TEMPLATE template0')

    def drop_database(self, name):
        self.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, sql, database="app", parameters=None):
        """Runs statements as the plain role; the rows of the last one, if it has any."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def schema_dump(self, database="app"):
        """What pg_dump --schema-only prints, without what differs from run to run."""
        # pg_dump refuses a server newer than itself.
        tool = self.bin / "pg_dump"
        if not tool.exists():
            return schema_from_catalog(self, database)
        result = subprocess.run([str(tool), "--schema-only", self.dsn(database)],
                                capture_output=True, text=True, timeout=120, check=True)
        return "\n".join(line for line in result.stdout.splitlines()
                         if not line.startswith(("\\restrict", "\\unrestrict")))


_CATALOG = """
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT format('relation %s.%s kind %s owner %s acl %s', nspname, relname, relkind, relowner::regrole, relacl)
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT format('column %s.%s %s type %s notnull %s default %s identity %s', attrelid::regclass, attnum,
              attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity)
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped AND nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT format('constraint %s on %s: %s valid %s deferrable %s comment %s', conname, conrelid::regclass,
              pg_get_constraintdef(oid), convalidated, condeferrable, obj_description(oid, 'pg_constraint'))
  FROM pg_constraint WHERE conrelid <> 0
UNION ALL
SELECT format('index %s comment %s', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'))
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT format('trigger %s enabled %s', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1
"""


def schema_from_catalog(cluster, database="app"):
    """The same in our own words, where no pg_dump of that version is at hand."""
    return "\n".join(row[0] for row in cluster.execute(_CATALOG, database))
