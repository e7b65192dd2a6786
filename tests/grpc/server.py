# SPDX-License-Identifier: Apache-2.0
"""server.py NAME ADDRESS [CERTIFICATE KEY CLIENT_CA | AGE_MS]: a gRPC server for the stories, with Debian's library.

A connection older than AGE_MS is taken leave of (GOAWAY); what is under way on it goes on.

It needs no generated code: messages are bytes, and every service whose name begins with "test." has the same
methods. What it saw is told by Told; how it is is told to health checks, and set by SetHealth (service test.Control).
"""
import concurrent.futures
import json
import signal
import sys
import threading

import grpc

# Streams that are held open each take one.
THREADS = 128

# HealthCheckResponse { enum status = 1; }
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class Seen:
    """What happened here so far. Methods are called by many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {"calls": 0, "cancelled": 0, "held": 0, "flooded": 0, "checks": 0}
        self.health = SERVING

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def told(self):
        with self.lock:
            return json.dumps(self.counts).encode()


def metadata_of(context):
    return {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}


class Methods:
    """The methods of every test service, by name: request(s) and context in, answer(s) out."""

    def __init__(self, name, seen):
        self.name = name.encode()
        self.seen = seen

    def Unary(self, request, context):
        """Answer who I am, with what came behind it."""
        self.seen.count("calls")
        return self.name + b":" + request

    def Metadata(self, request, context):
        """Answer what came as metadata; x-probe goes back before and behind the message."""
        told = metadata_of(context)
        probe = told.get("x-probe", "")
        raw = [value for key, value in context.invocation_metadata() if key == "x-probe-bin"]
        context.send_initial_metadata((("x-before", probe),))
        context.set_trailing_metadata((("x-behind", probe),) + tuple(("x-behind-bin", value) for value in raw))
        return json.dumps(told).encode()

    def Remaining(self, request, context):
        """How many seconds are left of the caller's deadline; empty: it has none."""
        left = context.time_remaining()
        return b"" if left is None else b"%f" % left

    def Peer(self, request, context):
        """Over which connection it came."""
        return context.peer().encode()

    def Count(self, request, context):
        """So many messages."""
        for number in range(int(request)):
            yield b"%d" % number

    def Flood(self, request, context):
        """So many messages of a mebibyte."""
        for _ in range(int(request)):
            self.seen.count("flooded")
            yield bytes(1024 * 1024)

    def Sum(self, requests, context):
        """How many messages came, and how many bytes."""
        lengths = [len(request) for request in requests]
        return json.dumps({"messages": len(lengths), "bytes": sum(lengths)}).encode()

    def Echo(self, requests, context):
        """Each message as soon as it comes."""
        self.seen.count("held")
        context.add_callback(lambda: self.seen.count("held", -1))
        for request in requests:
            yield self.name + b":" + request

    def Refuse(self, request, context):
        """No answer: a status alone."""
        context.set_trailing_metadata((("x-why", "because"),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, request.decode())

    def Break(self, request, context):
        """Two messages, and a status that is not OK."""
        yield b"one"
        yield b"two"
        context.abort(grpc.StatusCode.ABORTED, "after two")

    def Hold(self, request, context):
        """One message, then nothing until the caller goes away."""
        gone = threading.Event()
        context.add_callback(gone.set)
        self.seen.count("held")
        yield b"held"
        gone.wait()
        self.seen.count("held", -1)
        self.seen.count("cancelled")

    def Never(self, request, context):
        """No answer until the caller goes away."""
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait()
        self.seen.count("cancelled")
        return b""

    def Told(self, request, context):
        return self.seen.told()

    def SetHealth(self, request, context):
        self.seen.health = SERVING if request == b"serving" else NOT_SERVING
        return b""


def handler_of(methods, name):
    makers = {
        "Count": grpc.unary_stream_rpc_method_handler,
        "Flood": grpc.unary_stream_rpc_method_handler,
        "Break": grpc.unary_stream_rpc_method_handler,
        "Hold": grpc.unary_stream_rpc_method_handler,
        "Sum": grpc.stream_unary_rpc_method_handler,
        "Echo": grpc.stream_stream_rpc_method_handler,
    }
    method = getattr(methods, name, None)
    return makers.get(name, grpc.unary_unary_rpc_method_handler)(method) if method else None


class Handlers(grpc.GenericRpcHandler):
    def __init__(self, name, seen):
        self.methods = Methods(name, seen)
        self.seen = seen

    def check(self, request, context):
        self.seen.count("checks")
        return self.seen.health

    def service(self, call):
        _, service, method = call.method.split("/")
        if call.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self.check)
        return handler_of(self.methods, method) if service.startswith("test.") and method[0].isupper() else None


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(name, address, *more):
    age = (("grpc.max_connection_age_ms", int(more[0])),) if len(more) == 1 else ()
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(THREADS),
        handlers=(Handlers(name, Seen()),),
        options=(
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        )
        + age,
    )
    if len(more) == 3:
        certificate, key, client_ca = map(read, more)
        server.add_secure_port(address, grpc.ssl_server_credentials(((key, certificate),), client_ca, True))
    else:
        server.add_insecure_port(address)
    server.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    print("ready", flush=True)
    ended.wait()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
