# SPDX-License-Identifier: Apache-2.0
"""The certificates of the benchmark: one CA, a server and a client of it, ECDSA P-256 or RSA-2048; and fleets of
clients."""

import os
import subprocess


def _openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("openssl " + " ".join(arguments) + ": " + done.stderr.strip())


KINDS = {"EC": "ec_paramgen_curve:P-256", "RSA": "rsa_keygen_bits:2048"}


def _key(folder, name, key_type):
    path = os.path.join(folder, name + ".key")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    _openssl(folder, "genpkey", "-algorithm", key_type, "-pkeyopt", KINDS[key_type], "-out", name + ".key")


def leaf(folder, name, common_name, extensions, key_type="EC"):
    """A key and a certificate of the CA that make() has made."""
    _key(folder, name, key_type)
    with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as file:
        file.write(extensions)
    _openssl(folder, "req", "-new", "-key", name + ".key", "-subj", "/O=Bench/CN=" + common_name,
             "-out", name + ".csr")
    _openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "30", "-extfile", name + ".ext", "-out", name + ".crt")


def make(folder, key_type="EC"):
    """Write ca.crt, server.crt/.key, client.crt/.key and server.pem (both, for HAProxy)."""
    os.makedirs(folder, exist_ok=True)
    _key(folder, "ca", key_type)
    _openssl(folder, "req", "-x509", "-new", "-key", "ca.key", "-subj", "/O=Bench/CN=Bench CA",
             "-days", "30", "-out", "ca.crt")
    leaf(folder, "server", "www.example.com",
         "subjectAltName=DNS:www.example.com\nextendedKeyUsage=serverAuth\n"
         "basicConstraints=critical,CA:FALSE\n", key_type)
    leaf(folder, "client", "client-1",
         "extendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n", key_type)
    with open(os.open(os.path.join(folder, "server.pem"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                      0o600), "w", encoding="ascii") as both:
        for part in ("server.crt", "server.key"):
            with open(os.path.join(folder, part), encoding="ascii") as file:
                both.write(file.read())


def fleet(tools, folder, name, count):
    """Client certificates of the CA in the folder, in one file that ends in .crt, with the one key of all of them in
    another that ends in .key; returns their path without the end."""
    path = os.path.join(folder, name)
    with open(path + ".crt", "wb") as file:
        done = subprocess.run([os.path.join(tools, "fleet"), f"{folder}/ca.crt", f"{folder}/ca.key", str(count),
                               path + ".key"], stdout=file, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    return path
