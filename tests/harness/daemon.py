"""The program under test: starting, asking, stopping and killing it."""
import atexit
import json
import os
import pathlib
import signal
import socket
import subprocess
import urllib.request

from harness.process import ROOT, clean_environment, spawn, tail, wait_until


def program():
    return os.environ.get("LITEFERRY_PROGRAM", str(ROOT / "build" / "liteferry"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One `liteferry run` and the commands that talk to it.

    `config` is merged into the configuration file by sections; the file is JSON, which is YAML.
    """

    def __init__(self, folder, source, url, config=None, name="daemon"):
        self.folder = pathlib.Path(folder)
        self.source = str(source)
        self.socket = self.folder / f"{name}.sock"
        self.port = free_port()
        settings = {"source": {"path": self.source}, "target": {"url": url},
                    "socket": {"path": str(self.socket)},
                    "http": {"listen": f"127.0.0.1:{self.port}"},
                    "log": {"level": "debug", "format": "text"}}
        self.config = self.folder / f"{name}.yaml"
        self.config.write_text(json.dumps(settings))
        self.configure(config or {})
        self.log = self.folder / f"{name}.log"
        self.process = None
        self.starts = 0

    def configure(self, config):
        """Merges more into the configuration file: for the next start."""
        settings = json.loads(self.config.read_text())
        for section, values in config.items():
            settings.setdefault(section, {}).update(values)
        self.config.write_text(json.dumps(settings, indent=1))

    def start(self, **environment):
        assert self.process is None
        self.starts += 1
        with open(self.log, "ab") as log:
            log.write(f"--- start {self.starts}\n".encode())
            log.flush()
            self.process = spawn([program(), "run", "-c", str(self.config)],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=clean_environment(**environment))
        atexit.register(self.kill)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9."""
        atexit.unregister(self.kill)
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def stop(self, timeout=60):
        """SIGTERM; the exit status."""
        atexit.unregister(self.kill)
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"SIGTERM: still there after {timeout} s\n{self.tail()}") from None
        finally:
            self.process = None

    def run_for(self, seconds):
        """Lets it run; fails when it ends by itself, which it never should."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"the daemon ended by itself: {status}\n{self.tail()}")

    def tail(self, lines=60):
        return f"=== end of {self.log}\n{tail(self.log, lines)}\n==="

    # Commands.

    def command(self, *args, timeout=120):
        """Runs `liteferry ARGS -c CONFIG`; the completed process, output as text."""
        return subprocess.run([program(), *args, "-c", str(self.config)], capture_output=True,
                              text=True, timeout=timeout, env=clean_environment(), check=False)

    def must(self, *args, timeout=120):
        result = self.command(*args, timeout=timeout)
        if result.returncode != 0:
            raise AssertionError(f"liteferry {' '.join(args)}: status {result.returncode}\n"
                                 f"{result.stdout}{result.stderr}\n{self.tail()}")
        return result.stdout

    def status(self):
        """status --json; None while no answer is to be had."""
        result = self.command("status", "--json")
        try:
            return json.loads(result.stdout)
        except ValueError:
            return None

    def http(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def metrics(self):
        return self.http("/metrics")

    def wait(self, lag=0, timeout=60):
        """`liteferry wait`: following, and lag at most that."""
        self.until_answers()
        self.must("wait", "--lag", str(lag), "--timeout", f"{timeout}s", timeout=timeout + 30)

    def until_answers(self, timeout=30):
        wait_until("the daemon answers", self._answers, timeout)

    def _answers(self):
        if not self.alive():
            raise AssertionError(f"the daemon ended: {self.process and self.process.returncode}\n"
                                 f"{self.tail()}")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
                return True
            except OSError:
                return False

    def until(self, what, condition, timeout=60):
        """Waits until condition(status) holds; that status."""
        seen = {}

        def check():
            status = seen["last"] = self.status()
            return status is not None and condition(status) and status

        try:
            return wait_until(what, check, timeout, step=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; last status: {seen.get('last')}\n{self.tail()}") from None

    def until_state(self, state, timeout=60):
        """Of a daemon that runs, what it says itself: before it listens `status` reads the databases."""
        if self.alive():
            self.until_answers()
        return self.until(f"state {state}", lambda s: s["state"] == state, timeout)
