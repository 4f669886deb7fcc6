"""The notes service of tests/e2e/paldocs as processes: its migrations, and instances that answer HTTP."""
import http.client
import json
import pathlib
import signal
import subprocess
import sys

from harness.daemon import free_port
from harness.process import ROOT, clean_environment, spawn, tail, wait_until

FOLDER = ROOT / "tests" / "e2e" / "paldocs"


def on_sqlite(path):
    return {"PALDOCS_DATABASE_PATH": str(path)}


def on_postgres(url):
    return {"PALDOCS_DATABASE_URL": url}


def _environment(settings):
    return clean_environment(PYTHONDONTWRITEBYTECODE="1", **settings)


def alembic(settings, *args):
    result = subprocess.run([sys.executable, "-m", "alembic", *args], cwd=FOLDER, capture_output=True, text=True,
                            timeout=120, check=False, env=_environment(settings))
    if result.returncode != 0:
        raise AssertionError(f"alembic {' '.join(args)}: {result.stdout}{result.stderr}")


def request(port, method, path, body=None, timeout=120):
    """(status, answer) over a connection of its own. OSError or HTTPException when there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None
    finally:
        connection.close()


class Service:
    """One uvicorn with the application."""

    def __init__(self, folder, name, settings):
        self.port = free_port()
        self.log = pathlib.Path(folder) / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = spawn([sys.executable, "-m", "uvicorn", "paldocs.main:app", "--port", str(self.port),
                                  "--no-access-log"], cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=_environment(settings))

    def until_ready(self):
        wait_until("the service answers", self._ready, 120, step=0.02)
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended: {self.process.returncode}\n{tail(self.log)}")
        try:
            return request(self.port, "GET", "/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request(self, method, path, body=None):
        return request(self.port, method, path, body)

    def must(self, method, path, body=None):
        status, answer = self.request(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}\n{tail(self.log)}"
        return answer

    def stop(self):
        """SIGTERM: it answers what it is at, and ends."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
