# SPDX-License-Identifier: Apache-2.0
"""The balancers where clients speak HTTP/2, nghttpx among them. As in balancers.py, and: at most 100 streams on a
connection, windows as each has them by default, HTTP/1.1 towards the backends over as many kept links as there are
streams at a time."""

import balancers
from balancers import Balancer

LINKS = 1024  # kept towards each backend
NAME = "nghttpx"
NGHTTPX = """\
frontend=127.0.0.1,{port}
backend=127.0.0.1,{backends[0]}
backend=127.0.0.1,{backends[1]}
workers={workers}
private-key-file={certificates}/server.key
certificate-file={certificates}/server.crt
verify-client=yes
verify-client-cacert={certificates}/ca.crt
tls-min-proto-version=TLSv1.2
ciphers=ECDHE-ECDSA-AES256-GCM-SHA384
tls13-ciphers=TLS_AES_256_GCM_SHA384
ecdh-curves=X25519:P-256
no-ocsp=yes
frontend-http2-max-concurrent-streams=100
frontend-http2-read-timeout=1h
frontend-keep-alive-timeout=1h
backend-keep-alive-timeout=1h
backend-read-timeout=1h
stream-write-timeout=0
errorlog-file={folder}/nghttpx.errors
add-x-forwarded-for=yes
no-via=yes
add-request-header=X-Forwarded-Host: www.example.com
add-request-header=X-Forwarded-Port: {port}
add-request-header=X-Real-IP: 127.0.0.1
add-request-header=X-Request-ID: 0123456789abcdef0123456789abcdef
"""
SETTINGS = {"workers": 1}


def _changed(template, *changes):
    for old, new in changes:
        if old not in template:
            raise ValueError(f"there is no {old!r} to be changed")
        template = template.replace(old, new)
    return template


TEMPLATES = {
    "lb": _changed(balancers.LB, ("idle_links = 64", f"idle_links = {LINKS}")),
    "nginx": _changed(balancers.NGINX, ("ssl backlog=4096;", "ssl http2 backlog=4096;"),
                      ("keepalive 128;", f"keepalive {2 * LINKS};"),
                      ("keepalive_timeout 3600s;\n    keepalive_requests",
                       "keepalive_timeout 3600s;\n    http2_max_concurrent_streams 100;\n    keepalive_requests")),
    "haproxy": _changed(balancers.HAPROXY, ("{globals}", "{globals}\n    tune.h2.max-concurrent-streams 100"),
                        ("verify required", "verify required alpn h2,http/1.1"),
                        ("pool-max-conn 128", f"pool-max-conn {LINKS}")),
    NAME: NGHTTPX,
}


def nghttpx():
    """The one that is only compared where HTTP/2 is spoken, or None where it is not installed."""
    program = balancers.program(NAME)
    return program and Balancer(NAME, program, NGHTTPX, ["{program}", "--conf={config}"],
                                balancers.version([program, "--version"], r"nghttp2/(\S+)"), SETTINGS)


def made(available):
    """Those of {name: Balancer} as they are told to speak HTTP/2, in the same order."""
    found = [balancer.like(name + " http2", TEMPLATES[name]) for name, balancer in available.items()]
    for balancer in found:
        balancer.http2 = True
    return found
