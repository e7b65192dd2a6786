# SPDX-License-Identifier: Apache-2.0
"""Calls of the admin API over its socket file."""

import json
import socket


class Admin:
    """Each call has a connection of its own, as the commands' have."""

    def __init__(self, path):
        self.path = path

    def open_call(self, method, path, body=None):
        """Send a call; returns the socket that its answer comes on."""
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        connection.sendall(head.encode() + text)
        return connection

    def call(self, method, path, body=None):
        """The answer, which must be a good one."""
        with self.open_call(method, path, body) as connection:
            parts = []
            while more := connection.recv(65536):
                parts.append(more)
        head, _, text = b"".join(parts).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise SystemExit(f"{method} {path}: {head[:60]!r} {text[:300]!r}")
        return json.loads(text)
