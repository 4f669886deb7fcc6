#!/usr/bin/env python3
"""pgbouncer in transaction mode between the daemon and the server."""
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import psycopg2  # noqa: E402

from harness import case, notes_service  # noqa: E402
from harness.process import clean_environment, spawn, tail, temp_dir, unprivileged, wait_until  # noqa: E402

CONFIG = """[databases]
* = host={server} port=5432
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 5432
auth_type = any
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 6
max_client_conn = 100
server_reset_query =
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
"""


class Pooled(case.Case):
    def setUp(self):
        super().setUp()
        self.folder = temp_dir("bouncer")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        user = unprivileged()
        (self.folder / "users").write_text('"app" ""\n')
        config = self.folder / "pgbouncer.ini"
        # Anyone in, always as the plain role.
        config.write_text(CONFIG.format(server=self.cluster.dir, folder=self.folder).replace(
            "port=5432\n[", "port=5432 user=app\n["))
        self.folder.chmod(0o777)
        self.process = spawn(["/usr/sbin/pgbouncer", "-q", str(config)], death_signal=signal.SIGKILL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment(), **user)
        self.addCleanup(self.end)
        wait_until("pgbouncer answers", self.answers, 20)

    def answers(self):
        if self.process.poll() is not None:
            self.fail(tail(self.folder / "pgbouncer.log"))
        try:
            psycopg2.connect(f"host={self.folder} dbname={self.database} user=app").close()
            return True
        except psycopg2.OperationalError:
            return False

    def end(self):
        self.process.kill()
        self.process.wait(10)

    @property
    def pooled_url(self):
        return f"postgresql://app@/{self.database}?host={self.folder}"

    def test_follow_through_the_pooler(self):
        """Works as without it, or refuses to start and says why; nothing in between."""
        path = self.dir / "notes.db"
        notes_service.create(path, notes=300, revisions=10000, seed=self.seed)
        self.pg((case.DATA / "notes" / "postgres.sql").read_text())
        dump = self.cluster.schema_dump(self.database)
        daemon = self.daemon(path, {"copy": {"chunk_rows": 500}}, url=self.pooled_url, start=False)
        writer = self.writer(path, 150, script=notes_service.__file__)
        daemon.start()
        status = daemon.until("it follows or refuses", lambda s: s["state"] in ("following", "halted"), 90)
        if status["state"] == "halted":
            self.assertRegex(status["reason"], "(?i)pool")
            self.assertTrue(status["next_action"])
            return
        for _ in range(6):
            daemon.run_for(self.random.uniform(0.2, 1.0))
            if self.random.random() < 0.5:
                daemon.kill()
                daemon.start()
                daemon.until_state("following", 60)
        daemon.must("pause")
        daemon.until_state("paused")
        daemon.must("resume")
        writer.stop()
        daemon.wait()
        self.assert_equal(path)
        self.clean_up(path, daemon, dump)


if __name__ == "__main__":
    case.main()
