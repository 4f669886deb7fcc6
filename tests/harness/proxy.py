"""Stands between a client and PostgreSQL, and cuts the connection where it hurts most.

Understands as much of the protocol as it takes to see a COMMIT go by and its answer come back.
"""
import os
import pathlib
import random
import socket
import struct
import threading
import time

# Where the exchange of a COMMIT is cut; what the server has then made of it stands behind.
BEFORE = "before the COMMIT is sent on"  # rolled back
WITHIN = "within the COMMIT message"  # rolled back
LATE = "before the COMMIT is sent on, which then arrives late"  # committed, after the client came back
UNANSWERED = "after the COMMIT, before its answer"  # committed
WITHIN_ANSWER = "within the answer"  # committed
ANSWERED = "right after the answer"  # committed
STEPS = (BEFORE, WITHIN, LATE, UNANSWERED, WITHIN_ANSWER, ANSWERED)


class Cut(Exception):
    """This connection ends here."""


class Proxy:
    """A unix socket in `folder`; one thread per direction and connection.

    arm(step, skip) cuts one COMMIT after letting `skip` of them pass; outage(True) refuses everything until
    outage(False). delay(seconds) slows each request and each answer down, stall(True) lets nothing pass until
    stall(False), half_close(end) ends one direction only.
    """

    def __init__(self, server_socket, folder, late_by=0.5):
        self.server_socket = str(server_socket)
        self.folder = pathlib.Path(folder)
        self.late_by = late_by
        self.path = self.folder / ".s.PGSQL.5432"
        self.lock = threading.Lock()
        self.pairs = set()
        self.down = False
        self.slowness = 0.0
        self.flowing = threading.Event()
        self.flowing.set()
        self.step = None
        self.skip = 0
        self.fired = []  # steps that were cut, in order
        self.commits = 0  # COMMITs seen
        self.connections = 0
        self.changed = threading.Condition(self.lock)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        os.chmod(self.path, 0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database="app"):
        return f"postgresql://app@/{database}?host={self.folder}"

    def arm(self, step, skip=0):
        with self.lock:
            self.step, self.skip = step, skip

    def wait_fired(self, count, timeout=60):
        """Waits until so many cuts have been made."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.fired) >= count, timeout):
                raise AssertionError(f"no COMMIT came by to cut ({self.step}) within {timeout} s; "
                                     f"{self.commits} seen, {len(self.fired)} cut")

    def outage(self, down):
        with self.lock:
            self.down = down
        if down:
            self.cut_all()

    def delay(self, seconds):
        self.slowness = seconds

    def stall(self, stalled):
        (self.flowing.clear if stalled else self.flowing.set)()

    def half_close(self, end):
        """`end` ("client" or "server") reads the end of the stream; what it sends still passes."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            try:
                getattr(pair, end).shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def lead_to(self, server_socket):
        """To another server from now on, as a name does after a failover."""
        self.server_socket = str(server_socket)
        self.cut_all()

    def cut_all(self):
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            pair.close()

    def close(self):
        self.listener.close()
        self.stall(False)
        self.cut_all()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                down = self.down
            if down:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.server_socket)
            except OSError:
                server.close()
                client.close()
                continue
            with self.lock:
                self.connections += 1
                pair = _Pair(self, client, server)
                self.pairs.add(pair)
            pair.start()

    def pace(self, turn):
        """Called for every message; `turn`: it ends a request or an answer."""
        self.flowing.wait()
        if turn and self.slowness:
            time.sleep(self.slowness)

    def take(self):
        """Called for every COMMIT: the step to cut it at, or None."""
        with self.lock:
            self.commits += 1
            if self.step is None:
                return None
            if self.skip > 0:
                self.skip -= 1
                return None
            step, self.step = self.step, None
            return step

    def done(self, step):
        with self.changed:
            self.fired.append(step)
            self.changed.notify_all()


class _Pair:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.step = None  # of the COMMIT that is under way
        self.prepared = set()  # names of prepared COMMITs

    def start(self):
        for target in (self._to_server, self._to_client):
            threading.Thread(target=self._guard, args=(target,), daemon=True).start()

    def _guard(self, target):
        try:
            target()
        except (OSError, Cut):
            pass
        self.close()
        with self.proxy.lock:
            self.proxy.pairs.discard(self)

    def close(self, which=None):
        for end in (which,) if which else (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    # Client to server.

    def _to_server(self):
        head = _exactly(self.client, 4)
        self.server.sendall(head + _exactly(self.client, struct.unpack("!I", head)[0] - 4))
        while True:
            head = _exactly(self.client, 5)
            size = struct.unpack("!I", head[1:])[0] - 4
            self.proxy.pace(head[:1] in b"QS")
            if head[:1] not in b"QPB":
                self.server.sendall(head)
                _pass_on(self.client, self.server, size)
                continue
            body = _exactly(self.client, size)
            if self._is_commit(head[:1], body):
                self._commit(head + body)
            else:
                self.server.sendall(head + body)

    def _is_commit(self, kind, body):
        """A query, the Parse of an unnamed statement, or the Bind of one that was prepared by name."""
        if kind == b"B":
            return body.split(b"\0", 2)[1] in self.prepared
        name, text = body.split(b"\0", 1) if kind == b"P" else (b"", body)
        if not _says_commit(text):
            return False
        if name:
            self.prepared.add(name)
        return not name

    def _commit(self, message):
        step = self.proxy.take()
        if step == BEFORE:
            self.close()
        elif step == WITHIN:
            self.server.sendall(message[:len(message) // 2])
            self.close()
        elif step == LATE:
            # The extended protocol sends more after these, without which the server does nothing.
            rest = b"" if message[:1] == b"Q" else _until_sync(self.client)
            self.close(self.client)
            self.proxy.done(step)
            time.sleep(self.proxy.late_by)
            self.server.sendall(message + rest)
            until_answered(self.server)
            raise Cut
        else:
            self.step = step
            self.server.sendall(message)
            return
        self.proxy.done(step)
        raise Cut

    # Server to client.

    def _to_client(self):
        while True:
            head = _exactly(self.server, 5)
            size = struct.unpack("!I", head[1:])[0] - 4
            self.proxy.pace(head[:1] == b"Z")
            if head[:1] != b"C" or self.step is None:
                self.client.sendall(head)
                _pass_on(self.server, self.client, size)
                continue
            body = _exactly(self.server, size)
            step = self.step
            if body == b"COMMIT\0":
                if step == WITHIN_ANSWER:
                    self.client.sendall((head + body)[:random.randint(1, 8)])
                elif step == ANSWERED:
                    # CommandComplete and ReadyForQuery.
                    self.client.sendall(head + body + _exactly(self.server, 6))
                self.close()
                self.proxy.done(step)
                raise Cut
            self.client.sendall(head + body)


def _says_commit(text):
    statements = [s.strip().upper() for s in text.split(b"\0")[0].split(b";")]
    return any(s in (b"COMMIT", b"END", b"COMMIT TRANSACTION") for s in statements)


def _exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise Cut
        data += piece
    return bytes(data)


def _pass_on(source, target, size):
    while size:
        piece = source.recv(min(size, 65536))
        if not piece:
            raise Cut
        target.sendall(piece)
        size -= len(piece)


def _until_sync(client):
    rest = b""
    while True:
        head = _exactly(client, 5)
        rest += head + _exactly(client, struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"S":
            return rest


def until_answered(server):
    """Reads until the server has answered, so that it has committed before the connection goes; Cut where it is gone."""
    server.settimeout(10)
    while True:
        head = _exactly(server, 5)
        _exactly(server, struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"Z":
            return
