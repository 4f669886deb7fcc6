"""The initial copy against pgloader, and against psql with the rows encoded already."""
import shutil
import subprocess
import time

from bench.rig import FOLLOWING, NARROW_PG, Figure, create, narrow, seconds, until_logged
from harness.process import clean_environment

JOBS = {"copy": {"jobs": 2}}


def wide(rig):
    rows, columns = rig.rows(50_000), 60
    names = ", ".join(f"c{i} {('TEXT', 'INTEGER', 'REAL')[i % 3]}" for i in range(columns))
    row = [(f"text {i} of a wide row", i * 1000, i / 7)[i % 3] for i in range(columns)]
    return create(rig.folder / "wide.db", f"CREATE TABLE wide (id INTEGER PRIMARY KEY, {names});",
                  lambda db: db.executemany(
                      f"INSERT INTO wide VALUES (?{', ?' * columns})", ([i, *row] for i in range(rows))))


def many(rig):
    tables, rows = rig.rows(300, 20), 1000

    def fill(db):
        for number in range(tables):
            db.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER)")
            db.executemany(f"INSERT INTO t{number} VALUES (?, ?, ?)",
                           ((i, f"name {i}", i % 10) for i in range(rows)))
    return create(rig.folder / "many.db", "", fill)


def blobs(rig):
    rows = rig.rows(8000, 200)
    return create(rig.folder / "blobs.db", "CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB NOT NULL);",
                  lambda db: db.executemany("INSERT INTO files VALUES (?, ?)",
                                            ((i, rig.random.randbytes(32768)) for i in range(rows))))


def copy_once(rig, source, scan=False):
    """From an empty database to indexes in place and following; types by declaration, as pgloader's, unless `scan`."""
    with rig.database() as database, rig.daemon(source, database, JOBS, start=False) as daemon:
        begin = time.monotonic()
        if not scan:
            rig.psql(database, daemon.must("schema", "--no-scan"))
        created = time.monotonic() - begin
        daemon.start()
        until_logged(daemon, FOLLOWING)
        return created + seconds(daemon, " starting ", FOLLOWING)


# With its own 100,000 rows ahead pgloader ends for want of memory where each has 32 KiB.
LARGE_ROWS = ("--with", "prefetch rows = 1000", "--with", "batch size = 5MB")


def pgloader_once(rig, source, options=()):
    with rig.database() as database:
        target = f"postgresql://app@unix:{rig.cluster.dir}:5432/{database}"
        begin = time.monotonic()
        result = subprocess.run(["pgloader", *options, f"sqlite://{source}", target], capture_output=True, text=True,
                                env=clean_environment(), cwd=rig.folder, check=False, timeout=3600)
        taken = time.monotonic() - begin
        if result.returncode != 0 or "ERROR" in result.stdout:
            raise RuntimeError(f"pgloader: {result.stdout}{result.stderr}")
        return taken


def against_pgloader(rig):
    if shutil.which("pgloader") is None:
        raise RuntimeError("pgloader is missing; `make bench` installs it")
    shapes = {"narrow": (narrow(rig, 2_000_000)[0], 5), "wide": (wide(rig), 1),
              "many small tables": (many(rig), 1), "blobs": (blobs(rig), 1)}
    for name, (source, bound) in shapes.items():
        ours, theirs = [], []

        def measure():
            rig.checkpoint()
            theirs.append(pgloader_once(rig, source, LARGE_ROWS if name == "blobs" else ()))
            rig.checkpoint()
            ours.append(copy_once(rig, source))
            return theirs[-1] / ours[-1]
        ratio = rig.median(measure)
        yield Figure(f"copy, {name}", "pgloader's time", ratio, bound,
                     detail=f"{min(theirs):.2f} s, liteferry {min(ours):.2f} s")
        if name == "narrow":
            rig.checkpoint()
            scanned = copy_once(rig, source, scan=True)
            yield Figure("copy, narrow, types by all values", "pgloader's time", min(theirs) / scanned, None)


def against_psql(rig):
    source, _ = narrow(rig, 2_000_000)
    encoded = rig.folder / "items.bin"
    with rig.database() as database, rig.daemon(source, database, JOBS) as daemon:
        until_logged(daemon, FOLLOWING)
        rig.psql(database, f"\\copy items to '{encoded}' (format binary)")

    def psql_once():
        with rig.database() as database:
            rig.psql(database, f"CREATE TABLE items ({NARROW_PG});")
            rig.checkpoint()
            return rig.psql(database, f"\\copy items from '{encoded}' (format binary)")

    def ours_once():
        with rig.database() as database:
            rig.psql(database, f"CREATE TABLE items ({NARROW_PG});")
            rig.checkpoint()
            with rig.daemon(source, database, JOBS) as daemon:
                until_logged(daemon, FOLLOWING)
                return seconds(daemon, " copy_started", FOLLOWING)
    yield Figure("copy, narrow, jobs 2", "psql \\copy of the encoded file, its time",
                 rig.median(lambda: ours_once() / psql_once()), 1.0, at_least=False)
