# SPDX-License-Identifier: Apache-2.0
"""The balancers that are compared, told the same thing each in its own words.

All of them: one worker on one processor, mutual TLS required, TLS 1.2 and 1.3, X25519 and AES-256-GCM
(P-256 is among the groups because TLS 1.2 holds certificates to them), two backends in turn over kept
links, the same forwarding fields and a request id added, no access log, no health checks, and no
limit that would end a connection during a run.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import accounting
from fault import Fault

FIELDS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
          "X-Request-ID")

LB = """\
[lb]
workers = {workers}
access_log = {access_log}
log_level = warn
max_clients = 100000
state_dir = {folder}/state-{port}

[listener bench]
address = 127.0.0.1:{port}
certificate = {certificates}/server.crt
certificate_key = {certificates}/server.key
mutual_auth = require
client_ca = {certificates}/ca.crt
tls_versions = 1.2 1.3
ciphers = ECDHE-ECDSA-AES256-GCM-SHA384
ciphersuites = TLS_AES_256_GCM_SHA384
groups = X25519:P-256
keepalive_timeout = 1h
max_body = 0

[rule all]
listener = bench
pool = app

[pool app]
backend = rs-1 127.0.0.1:{backends[0]}
backend = rs-2 127.0.0.1:{backends[1]}
health_check = off
idle_links = 64
"""

NGINX = """\
daemon off;
user root;
worker_processes {workers};
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections {connections}; }}
http {{
    access_log {access_log};
    client_max_body_size 0;
    {buffers}
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    upstream app {{
        server 127.0.0.1:{backends[0]};
        server 127.0.0.1:{backends[1]};
        keepalive 128;
        keepalive_requests 1000000000;
        keepalive_timeout 3600s;
    }}
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {certificates}/server.crt;
        ssl_certificate_key {certificates}/server.key;
        ssl_verify_client on;
        ssl_client_certificate {certificates}/ca.crt;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;
        ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;
        ssl_ecdh_curve X25519:prime256v1;
        {sessions}
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Request-ID $request_id;
        }}
    }}
}}
"""

HAPROXY = """\
global
    nbthread {workers}
    {globals}
    no strict-limits
    maxconn {connections}
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-bind-ciphers ECDHE-ECDSA-AES256-GCM-SHA384
    ssl-default-bind-ciphersuites TLS_AES_256_GCM_SHA384
defaults
    mode http
    {access_log}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
    timeout http-request 60s
    http-reuse always
frontend bench
    bind 127.0.0.1:{port} backlog 4096 ssl crt {certificates}/server.pem ca-file {certificates}/ca.crt verify required curves X25519:P-256 {sessions}
    option forwardfor
    unique-id-format %[uuid()]
    unique-id-header X-Request-ID
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Real-IP %[src]
    default_backend app
backend app
    balance roundrobin
    server rs-1 127.0.0.1:{backends[0]} pool-max-conn 128
    server rs-2 127.0.0.1:{backends[1]} pool-max-conn 128
"""


# How each writes a line for every request to a file; nginx and HAProxy in the form that most people read them in.
COMBINED_LOG = {
    "lb": {"access_log": "{folder}/lb.access\naccess_log_format = combined"},
    "nginx": {"access_log": "{folder}/nginx.access combined"},
    "haproxy": {"globals": "log stdout format raw local0", "access_log": "log global\n    option httplog"},
}
JSON_LOG = {"access_log": "{folder}/lb-json.access\naccess_log_format = json"}

# What a template asks for besides places and ports, when nothing else is said.
SETTINGS = {
    "lb": {"workers": 1, "access_log": "off"},
    "nginx": {"workers": 1, "access_log": "off", "sessions": "", "buffers": ""},
    "haproxy": {"workers": 1, "access_log": "", "globals": "", "sessions": ""},
}
# What is best for a kind of work: sessions that are kept by itself, not in tickets; large buffers for large bodies.
BEST = {
    "sessions": {"nginx": {"sessions": "ssl_session_tickets off; ssl_session_cache builtin:20000;"},
                 "haproxy": {"sessions": "no-tls-tickets"}},
    "buffers": {"nginx": {"buffers": "proxy_buffers 8 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k; "
                                     "client_body_buffer_size 256k;"},
                "haproxy": {"globals": "tune.bufsize 131072"}},
}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def version(command, pattern):
    """What the first group of the pattern is in what the command says, or "unknown"."""
    done = subprocess.run(command, capture_output=True, text=True)
    match = re.search(pattern, done.stdout + done.stderr)
    return match.group(1) if match else "unknown"


def _settle_in(processors):
    """In the new process: stay on these processors, and end with the benchmark however that ends."""
    if processors is not None:
        os.sched_setaffinity(0, processors)
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Balancer:
    """One program with one configuration. `name` is its own, `column` where its figures stand; `settings` fill the
    template's places besides ports and folders."""

    http2 = False  # what its visitors speak
    patience_s = 60  # until it listens; ten thousand certificates take nginx ten seconds

    def __init__(self, name, program, template, command, version, settings=None):
        self.name = name
        self.column = name
        self.program = program
        self.template = template
        self.command = command
        self.version = version
        self.settings = settings or {}
        self.process = None
        self.port = None
        self.log_path = None
        self.file_name = re.sub(r"[^\w.-]+", "-", name)

    def like(self, name, template=None, command=None, **settings):
        """Another one of the same program and column, not started, that differs in these."""
        other = Balancer(name, self.program, template or self.template, command or self.command, self.version,
                         {**self.settings, **settings})
        other.column = self.column
        other.http2 = self.http2
        return other

    def start(self, folder, certificates, backends, processors, connections, environment=None):
        """Returns when it listens. `processors`: those it may use, None: all. Fails with a Fault."""
        self.spawn(folder, certificates, backends, processors, connections, environment)
        self._await_listening()

    def spawn(self, folder, certificates, backends, processors, connections, environment=None):
        """As start, but returns at once."""
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.file_name + ".conf")
        settings = {key: str(value).format(folder=folder) for key, value in self.settings.items()}
        with open(path, "w", encoding="ascii") as file:
            file.write(self.template.format(
                port=self.port, certificates=certificates, backends=backends, folder=folder,
                connections=connections, descriptors=connections + 500, **settings))
        self.log_path = path[:-len("conf")] + "log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [part.format(program=self.program, config=path, folder=folder)
                 for part in self.command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment,
                preexec_fn=lambda: _settle_in(processors))

    def _await_listening(self):
        end = time.monotonic() + self.patience_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise Fault(f"{self.name} did not start listening: {self._complaint()}")

    def _complaint(self):
        """What it said in its log, without what is only told to please: one line."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            lines = [line.strip() for line in log if line.strip() and not line.startswith("[NOTICE]")]
        return " / ".join(lines) or "it said nothing"

    def stop(self):
        if self.process is None:
            return
        family = accounting.family(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            pass
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def processor_ns(self):
        return accounting.processor_ns(self.process.pid)

    def memory_bytes(self):
        return accounting.memory_bytes(self.process.pid)


def program(name):
    """The path of an installed program, also of those that are for root, or None."""
    folders = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    return shutil.which(name, path=folders)


def available(lb_program):
    """{name: Balancer} of lb, nginx and haproxy with their default settings, as far as they are installed."""
    found = {}
    for name, path, template, command, flag, pattern in (
            ("lb", os.access(lb_program, os.X_OK) and lb_program, LB, ["{program}", "run", "-c", "{config}"],
             "--version", r"(\d+\.\d+\.\d+\S*)"),
            ("nginx", program("nginx"), NGINX,
             ["{program}", "-e", "stderr", "-p", "{folder}", "-c", "{config}"], "-v", r"nginx/(\S+)"),
            ("haproxy", program("haproxy"), HAPROXY, ["{program}", "-db", "-f", "{config}"], "-v",
             r"version (\S+)")):
        if path:
            found[name] = Balancer(name, path, template, command, version([path, flag], pattern),
                                   SETTINGS[name])
    return found


def best(balancer, kind):
    """The peer with the settings that are best for this kind of work, in a column of its own."""
    other = balancer.like(f"{balancer.name} best {kind}", **BEST[kind][balancer.name])
    other.column = balancer.name + " best"
    return other


def with_best(available, kind):
    """lb, its peers, and its peers with their best settings."""
    return [*available.values(), *(best(available[name], kind) for name in BEST[kind] if name in available)]
