"""A Prometheus of one's own: scraping daemons, answering queries."""
import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from harness.daemon import free_port
from harness.process import spawn, tail, temp_dir, wait_until


class Prometheus:
    """Scrapes the ports given (name of the job: liteferry) five times a second; `rules` are evaluated too."""

    def __init__(self, ports, rules=()):
        self.folder = temp_dir("prom")
        self.port = free_port()
        self.begin = time.time()
        config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "1s"},
                  "rule_files": [str(path) for path in rules],
                  "scrape_configs": [{"job_name": "liteferry", "static_configs": [
                      {"targets": [f"127.0.0.1:{port}" for port in ports]}]}]}
        (self.folder / "prometheus.yaml").write_text(json.dumps(config))
        self._log = open(self.folder / "log", "wb")
        self._process = spawn(["prometheus", f"--config.file={self.folder}/prometheus.yaml",
                               f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
                              stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=self.folder)
        try:
            wait_until("Prometheus answers", self._ready, 120, step=0.2)
        except BaseException:
            print(tail(self.folder / "log"), flush=True)
            self.close()
            raise

    def close(self):
        self._process.kill()
        self._process.wait(30)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self):
        if self._process.poll() is not None:
            raise AssertionError(f"Prometheus ended: {self._process.returncode}")
        try:
            return self.query("vector(1)")
        except OSError:
            return None

    def query(self, expression):
        """The value of each series now, by its labels."""
        return [(series["metric"], float(series["value"][1])) for series in self._ask("query", query=expression)]

    def history(self, expression):
        """Every value since the start, by series."""
        found = self._ask("query_range", query=expression, start=self.begin, end=time.time(), step=1)
        return [(series["metric"], [float(value) for _, value in series["values"]]) for series in found]

    def _ask(self, path, **parameters):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}",
                                    timeout=60) as answer:
            return json.load(answer)["data"]["result"]
