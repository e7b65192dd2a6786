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

FIELDS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
          "X-Request-ID")

LB = """\
[lb]
workers = 1
access_log = off
log_level = warn
max_clients = 100000

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
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
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
    nbthread 1
    no strict-limits
    maxconn {connections}
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-bind-ciphers ECDHE-ECDSA-AES256-GCM-SHA384
    ssl-default-bind-ciphersuites TLS_AES_256_GCM_SHA384
defaults
    mode http
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


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _version(command, pattern):
    done = subprocess.run(command, capture_output=True, text=True)
    match = re.search(pattern, done.stdout + done.stderr)
    return match.group(1) if match else "unknown"


def _settle_in(processor):
    """In the new process: stay on one processor, and end with the benchmark however that ends."""
    os.sched_setaffinity(0, {processor})
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Balancer:
    """One program with one configuration. `name` is its column; `is_peer` says that goals compare with it."""

    patience_s = 15  # until it listens

    def __init__(self, name, program, template, command, version, sessions="", is_peer=True,
                 is_default=True):
        self.name = name
        self.program = program
        self.template = template
        self.command = command
        self.version = version
        self.sessions = sessions
        self.is_peer = is_peer
        self.is_default = is_default
        self.process = None
        self.port = None
        self.file_name = name.replace(" ", "-")

    def start(self, folder, certificates, backends, processor, connections):
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.file_name + ".conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.template.format(
                port=self.port, certificates=certificates, backends=backends, folder=folder,
                connections=connections, descriptors=connections + 500, sessions=self.sessions))
        self.log_path = path[:-len("conf")] + "log"
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [part.format(program=self.program, config=path, folder=folder)
                 for part in self.command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: _settle_in(processor))
        self._await_listening()

    def _await_listening(self):
        end = time.monotonic() + self.patience_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            said = log.read().strip()
        self.stop()
        raise SystemExit(f"{self.name} did not start listening: {said or 'it said nothing'}")

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


def _program(name):
    folders = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"
    return shutil.which(name, path=folders)


def available(lb_program, with_best):
    """Every balancer that is installed here, lb first; and the names of those that are not."""
    nginx = ["{program}", "-e", "stderr", "-p", "{folder}", "-c", "{config}"]
    haproxy = ["{program}", "-db", "-f", "{config}"]
    found, missing = [], []
    if os.access(lb_program, os.X_OK):
        found.append(Balancer("lb", lb_program, LB, ["{program}", "run", "-c", "{config}"],
                              _version([lb_program, "--version"], r"(\d+\.\d+\.\d+\S*)"),
                              is_peer=False))
    else:
        missing.append("lb")
    for name, template, command, flag, pattern, best in (
            ("nginx", NGINX, nginx, "-v", r"nginx/(\S+)",
             "ssl_session_tickets off; ssl_session_cache builtin:20000;"),
            ("haproxy", HAPROXY, haproxy, "-v", r"version (\S+)", "no-tls-tickets")):
        program = _program(name)
        if program is None:
            missing.append(name)
            continue
        version = _version([program, flag], pattern)
        found.append(Balancer(name, program, template, command, version))
        if with_best:
            found.append(Balancer(name + " best", program, template, command, version, best,
                                  is_default=False))
    return found, missing
