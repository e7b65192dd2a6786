# SPDX-License-Identifier: Apache-2.0
"""One visit by hand: TLS with the client's certificate, the server's verified for the name that is asked for, one
request and the beginning of its answer."""

import ssl

from fault import Fault

PATIENCE_S = 10


def context(folder):
    """Of the certificates in this folder; used for many visits, for it is slow to make."""
    made = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    made.load_cert_chain(f"{folder}/client.crt", f"{folder}/client.key")
    return made


def ask(made, plain, host):
    """Over a connected socket, which stays the caller's. Fails with a Fault."""
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    try:
        plain.settimeout(PATIENCE_S)
        with made.wrap_socket(plain, server_hostname=host) as connection:
            connection.sendall(request)
            answer = connection.recv(4096)
    except OSError as error:
        raise Fault(f"{host}: {error}") from error
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Fault(f"{host}: the answer is {answer[:40]!r}")
