"""A real Litestream beside a database: replicating to a folder, and restoring from it."""
import pathlib
import signal
import subprocess

from harness.process import ROOT, clean_environment, spawn, tail, wait_until


def program():
    result = subprocess.run([str(ROOT / "scripts" / "fetch_litestream.sh")], capture_output=True, text=True,
                            timeout=900, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stderr.strip())
    return result.stdout.strip()


# Litestream 0.3.13, asked to end when its last look at the WAL calls for a checkpoint, cannot do that checkpoint any
# more and says 1. It has written the WAL by then: what it kept is whole, and restoring it shows so.
_CHECKPOINT_TOO_LATE = "release read lock: context canceled"


class Litestream:
    """`litestream replicate` of one database."""

    def __init__(self, folder, database):
        self.database = str(database)
        self.program = program()
        self.log = pathlib.Path(folder) / "litestream.log"
        self.replica = pathlib.Path(folder) / "replica"
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = spawn([self.program, "replicate", self.database, f"file://{self.replica}"],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())
        wait_until("Litestream replicates", self._has_snapshot, 60)
        return self

    def _has_snapshot(self):
        if not self.alive():
            raise AssertionError(f"Litestream ended:\n{tail(self.log)}")
        return any(self.replica.glob("generations/*/snapshots/*"))

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM: it writes what it has not yet. Its exit status; 0 also where it only came too late to checkpoint."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process = None
        late = status == 1 and _CHECKPOINT_TOO_LATE in self.log.read_text().splitlines()[-1]
        return 0 if late else status

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def restore(self, output):
        result = subprocess.run([self.program, "restore", "-o", str(output), f"file://{self.replica}"],
                                capture_output=True, text=True, timeout=120, check=False, env=clean_environment())
        if result.returncode != 0:
            raise AssertionError(f"litestream restore: {result.stdout}{result.stderr}")
        return output

    def complaints(self):
        """Lines of its log that speak of an error."""
        return [line for line in self.log.read_text().splitlines()
                if "error" in line.lower() and _CHECKPOINT_TOO_LATE not in line]
