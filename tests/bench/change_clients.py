# SPDX-License-Identifier: Apache-2.0
"""Clients of one certificate, some of which ask without a pause: when does each learn that it may pass no more?"""

import selectors
import socket
import ssl
import time

PATIENCE_S = 10


class _Client:
    def __init__(self, connection, asks):
        self.connection = connection
        self.asks = asks
        self.asked_s = None     # when its present request went out
        self.admitted_s = None  # when the last request went out that was answered well
        self.refused_s = None   # when it first learned that it may not pass
        self.closed_s = None


class Clients:
    """Open connections to lb's workers. One thread: a loop over whatever is readable."""

    def __init__(self, port, ca, name, host, asking, idle):
        self.request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.selector = selectors.DefaultSelector()
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = False
        context.load_cert_chain(name + ".crt", name + ".key")
        self.clients = [self._connect(context, port, host, i, i < asking) for i in range(asking + idle)]
        self.open = len(self.clients)

    def _connect(self, context, port, host, number, asks):
        raw = socket.socket()
        raw.bind((f"127.1.{number // 250}.{number % 250 + 1}", 0))
        raw.connect(("127.0.0.1", port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = context.wrap_socket(raw, server_hostname=host)
        connection.sendall(self.request)  # in each a request: its handshake is over then
        if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
            raise SystemExit("a client that may pass was refused")
        connection.setblocking(False)
        client = _Client(connection, asks)
        self.selector.register(connection, selectors.EVENT_READ, client)
        return client

    def _ask(self, client):
        try:
            client.asked_s = time.perf_counter()
            client.connection.send(self.request)
        except OSError:
            self._end(client)

    def _end(self, client):
        now_s = time.perf_counter()
        client.closed_s = now_s
        client.refused_s = client.refused_s or now_s
        self.selector.unregister(client.connection)
        client.connection.close()
        self.open -= 1

    def _hear(self, client):
        try:
            answer = client.connection.recv(65536)
        except ssl.SSLWantReadError:
            return
        except OSError:
            answer = b""
        if answer == b"":
            self._end(client)
        elif answer.startswith(b"HTTP/1.1 200"):
            client.admitted_s = client.asked_s
            if client.asks:
                self._ask(client)
        elif answer.startswith(b"HTTP/1.1 "):
            client.refused_s = client.refused_s or time.perf_counter()

    def _turn(self, until_s):
        """True: the call of the change was answered meanwhile."""
        answered = False
        for key, _ in self.selector.select(max(0.0, until_s - time.perf_counter())):
            if key.data is None:
                answered = True
            else:
                self._hear(key.data)
        return answered

    def measure(self, send_change):
        """Milliseconds: from sending the change to its answer (answer), to the first refusal (refused); from its answer
        to the latest request that still passed (visible) and to the last close (closed); negative: before it."""
        for client in self.clients:
            if client.asks:
                self._ask(client)
        warm_s = time.perf_counter() + 0.3
        while time.perf_counter() < warm_s:
            self._turn(warm_s)
        sent_s = time.perf_counter()
        call = send_change()
        self.selector.register(call, selectors.EVENT_READ, None)
        answered_s = None
        while self.open and time.perf_counter() < sent_s + PATIENCE_S:
            if self._turn(sent_s + PATIENCE_S) and answered_s is None:
                answered_s = time.perf_counter()
                self.selector.unregister(call)
                said = call.recv(65536)
                call.close()
                if not said.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(f"the change was refused: {said[:200]!r}")
        if self.open or answered_s is None:
            raise SystemExit(f"{self.open} connections are open {PATIENCE_S} s after the change")
        self.selector.close()
        asking = [client for client in self.clients if client.asks]
        return {"answer_ms": (answered_s - sent_s) * 1000,
                "refused_ms": (min(client.refused_s for client in self.clients) - sent_s) * 1000,
                "visible_ms": (max(client.admitted_s for client in asking) - answered_s) * 1000,
                "closed_ms": (max(client.closed_s for client in self.clients) - answered_s) * 1000}
