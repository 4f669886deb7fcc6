#!/usr/bin/env python3
"""The proxy cuts where it says: what the server made of the transaction stands with each step."""
import pathlib
import shutil
import socket
import struct
import sys
import threading
import unittest

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import proxy as proxies  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.process import temp_dir, wait_until  # noqa: E402


CUT = (psycopg2.Error, OSError, proxies.Cut)


class Prepared:
    """A transaction that ends with a prepared COMMIT, sent at once with its preparation as in a pipeline."""

    def __init__(self, proxy, statement):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(proxy.path))
        startup = struct.pack("!I", 196608) + b"user\0app\0database\0app\0\0"
        self.socket.sendall(struct.pack("!I", len(startup) + 4) + startup)
        proxies.until_answered(self.socket)
        self.send((b"Q", f"BEGIN; {statement}".encode() + b"\0"))
        proxies.until_answered(self.socket)

    def send(self, *messages):
        self.socket.sendall(b"".join(kind + struct.pack("!I", len(body) + 4) + body for kind, body in messages))

    def commit(self):
        self.send((b"P", b"end\0COMMIT\0\0\0"), (b"B", b"\0end\0" + bytes(6)), (b"E", b"\0" + bytes(4)), (b"S", b""))
        proxies.until_answered(self.socket)

    def query(self):
        self.send((b"Q", b"SELECT 1\0"))
        proxies.until_answered(self.socket)

    def close(self):
        self.socket.close()


class Cuts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.close)
        folder = temp_dir("proxy")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.proxy = proxies.Proxy(cls.cluster.socket, folder)
        cls.addClassCleanup(cls.proxy.close)
        cls.cluster.execute("CREATE TABLE t (step text PRIMARY KEY)")

    def committed(self, step):
        return bool(self.cluster.execute("SELECT 1 FROM t WHERE step = %s", parameters=(step,)))

    def insert(self, step):
        connection = psycopg2.connect(self.proxy.url())
        connection.cursor().execute("INSERT INTO t VALUES (%s)", (step,))
        return connection

    def test_every_step(self):
        self.check_every_step("", self.insert, lambda connection: connection.cursor().execute("SELECT 1"))

    def test_every_step_of_a_prepared_commit(self):
        self.check_every_step("prepared: ", lambda step: Prepared(self.proxy, f"INSERT INTO t VALUES ('{step}')"),
                              Prepared.query)

    def check_every_step(self, prefix, insert, ask):
        for step in proxies.STEPS:
            with self.subTest(step=step):
                row = prefix + step
                connection = insert(row)
                self.addCleanup(connection.close)
                self.proxy.arm(step)
                cuts = len(self.proxy.fired)
                if step == proxies.ANSWERED:
                    connection.commit()
                    with self.assertRaises(CUT):
                        ask(connection)
                else:
                    with self.assertRaises(CUT):
                        connection.commit()
                self.proxy.wait_fired(cuts + 1)
                self.assertEqual(self.proxy.fired[-1], step)
                if step in (proxies.BEFORE, proxies.WITHIN):
                    wait_until("the server has let go", lambda: not self.cluster.execute(
                        "SELECT 1 FROM pg_locks WHERE relation = 't'::regclass AND pid <> pg_backend_pid()"), 10)
                    self.assertFalse(self.committed(row))
                else:
                    wait_until("committed", lambda row=row: self.committed(row), 10)

    def test_without_a_cut_all_passes(self):
        connection = self.insert("plain")
        connection.commit()
        connection.close()
        self.assertTrue(self.committed("plain"))

    def test_outage(self):
        self.proxy.outage(True)
        with self.assertRaises(psycopg2.OperationalError):
            psycopg2.connect(self.proxy.url())
        self.proxy.outage(False)
        psycopg2.connect(self.proxy.url()).close()

    def test_nothing_passes_while_it_stalls(self):
        connection = psycopg2.connect(self.proxy.url())
        answers = []
        self.proxy.stall(True)
        asking = threading.Thread(target=lambda: answers.append(connection.cursor().execute("SELECT 1")))
        asking.start()
        asking.join(0.3)
        self.assertEqual(answers, [])
        self.proxy.stall(False)
        asking.join(30)
        self.assertEqual(answers, [None])
        connection.close()

    def test_half_closed(self):
        for end in ("client", "server"):
            with self.subTest(end=end):
                connection = psycopg2.connect(self.proxy.url())
                self.proxy.half_close(end)
                with self.assertRaises(psycopg2.OperationalError):
                    connection.cursor().execute("SELECT 1")

    def test_leads_to_another_server(self):
        connection = psycopg2.connect(self.proxy.url())
        self.addCleanup(self.proxy.lead_to, self.cluster.socket)
        self.proxy.lead_to("/nowhere")
        with self.assertRaises(psycopg2.OperationalError):
            connection.cursor().execute("SELECT 1")
        with self.assertRaises(psycopg2.OperationalError):
            psycopg2.connect(self.proxy.url())


if __name__ == "__main__":
    unittest.main()
