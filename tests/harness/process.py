"""Child processes that never outlive the test, and waiting with a deadline."""
import ctypes
import os
import pathlib
import pwd
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Timeout(AssertionError):
    """A deadline passed."""


def spawn(command, death_signal=signal.SIGKILL, **kwargs):
    """Popen whose child gets `death_signal` when this thread dies, however it dies."""
    parent = os.getpid()

    def tie():
        _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(command, preexec_fn=tie, **kwargs)


def wait_until(what, condition, timeout, step=0.05):
    """The first true value of condition(); Timeout says what did not come about."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"{what}: not within {timeout} s")
        time.sleep(step)


def unprivileged():
    """Popen arguments that run a child as an ordinary user: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    raise RuntimeError("root cannot run PostgreSQL and there is no user postgres or nobody")


def temp_dir(name):
    """A short folder (socket paths have about 100 characters) that others may enter."""
    base = os.environ.get("LITEFERRY_TEST_TMP", "/tmp")
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"lf-{name[:12]}-", dir=base))
    folder.chmod(0o755)
    return folder


def clean_environment(**extra):
    """An environment in which nothing of the caller's (PG*, LITEFERRY_*, DATABASE_URL) has effect."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
    return {**{k: os.environ[k] for k in keep if k in os.environ}, **extra}


def cpu_seconds(pid):
    """User and system time that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tail(path, lines=60):
    try:
        text = pathlib.Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join(text[-lines:])
