#!/usr/bin/env python3
"""Tests scripts/make_test_certs.py: the test certificates of the delivery."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from certificate_tools import OPENSSL, SCRIPTS, WATCHDOG, TlsServer, openssl, read, write  # noqa: E402

ORGANISATION = "WvdS TEST ONLY - NOT FOR PRODUCTION"
# The installer of a delivery knows the certificates of other deliveries by these too.
CERTIFICATES = {
    "root_ca": "1cfd8a229a79be60753da5b23d9944f01a872baedf4ff77cf74d09a30091dd0a",
    "service_cert": "e1b4f02f35a092e2365d8f88a9b159d24b8882a913f57c826ed1c81f8407392f",
    "client_cert": "8fd745596e8b20c47f13d7f977e4388165218788f118a9787ffe44c6fc8142f6",
}
KEYS = ("root_ca_key.TEST-ONLY.pem", "service_key.TEST-ONLY.pem", "client_key.TEST-ONLY.pem")


def run(script, *arguments):
    command = [sys.executable, "-B", os.path.join(SCRIPTS, script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=WATCHDOG, check=False)


def make(folder, *arguments):
    return run("make_test_certs.py", "--openssl", OPENSSL, *arguments, folder)


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.folder = os.path.join(cls.scratch, "certs")
        made = make(cls.folder)
        if made.returncode != 0 or made.stderr:
            raise AssertionError(made.stderr)

    def path(self, name):
        return os.path.join(self.folder, name)

    def contents(self, folder):
        return {name: read(os.path.join(folder, name)) for name in os.listdir(folder)}


class Files(Folder):
    def test_are_those_of_the_delivery(self):
        certificates = [name + form for name in CERTIFICATES for form in (".pem", ".der")]
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([*certificates, *KEYS, "TEST-ONLY.sha256"]))
        self.assertEqual(os.listdir(self.scratch), ["certs"])

    def test_are_the_same_bytes_each_time(self):
        again = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "again")
        self.assertEqual(make(again).returncode, 0)
        self.assertEqual(self.contents(again), self.contents(self.folder))

    def test_are_the_ones_that_were_published(self):
        for name, expected in CERTIFICATES.items():
            self.assertEqual(hashlib.sha256(read(self.path(name + ".der"))).hexdigest(), expected, name)

    def test_hold_one_certificate_in_both_forms(self):
        for name in CERTIFICATES:
            from_pem = openssl("x509", "-in", self.path(name + ".pem"), "-outform", "DER")
            self.assertEqual(from_pem, read(self.path(name + ".der")))
            self.assertEqual(openssl("x509", "-in", self.path(name + ".der")), read(self.path(name + ".pem")))

    def test_of_keys_say_what_they_are_and_are_for_the_owner_alone(self):
        for name in KEYS:
            self.assertTrue(read(self.path(name)).startswith(b"TEST ONLY - NOT FOR PRODUCTION."), name)
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600)

    def test_list_what_an_installer_must_refuse(self):
        found = [line.split() for line in read(self.path("TEST-ONLY.sha256")).decode().split("\n")[:-1] if line[0] != "#"]
        listed = {(kind, name): digest for digest, kind, name in found}
        self.assertEqual(len(listed), 9)
        for name, digest in CERTIFICATES.items():
            short = name.replace("_cert", "")
            self.assertEqual(listed["certificate", short], digest)
            key = self.path(short + "_key.TEST-ONLY.pem")
            public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
            self.assertEqual(listed["public-key", short], hashlib.sha256(public).hexdigest())
            private = openssl("pkey", "-in", key, "-outform", "DER")
            self.assertEqual(listed["private-key", short], hashlib.sha256(private).hexdigest())


class Certificates(Folder):
    def show(self, name, *what):
        return openssl("x509", "-in", self.path(name + ".pem"), "-noout", *what).decode()

    def test_verify_by_the_strict_rules_for_their_purpose(self):
        for name, purpose in (("service_cert", "sslserver"), ("client_cert", "sslclient")):
            strict = ("-x509_strict", "-check_ss_sig", "-purpose", purpose)
            answer = openssl("verify", *strict, "-trusted", self.path("root_ca.pem"), self.path(name + ".pem"))
            self.assertIn(b": OK", answer)

    def test_belong_to_the_keys_beside_them(self):
        for name, key in zip(CERTIFICATES, KEYS):
            public = openssl("pkey", "-in", self.path(key), "-pubout").decode()
            self.assertEqual(self.show(name, "-pubkey"), public)
            self.assertIn("ML-DSA-65", self.show(name, "-text"))

    def test_name_themselves_as_test_certificates(self):
        for name in CERTIFICATES:
            self.assertIn("O=" + ORGANISATION, self.show(name, "-subject"))
            # an installer without openssl finds it in the bytes
            self.assertIn(ORGANISATION.encode(), read(self.path(name + ".der")))

    def test_have_fixed_dates(self):
        for name in CERTIFICATES:
            dates = self.show(name, "-dates", "-dateopt", "iso_8601")
            self.assertEqual(dates, "notBefore=2026-01-01 00:00:00Z\nnotAfter=2046-01-01 00:00:00Z\n")

    def test_are_read_by_extract_certs(self):
        files = [self.path(name + ".pem") for name in CERTIFICATES]
        done = run("extract_certs.py", "--openssl", OPENSSL, "--json", *files)
        self.assertEqual(done.returncode, 0, done.stdout)
        found = {one["name"]: (one["key_type"], one["sha256"]) for one in json.loads(done.stdout)["certificates"]}
        self.assertEqual(found, {name: ("ML-DSA-65", digest) for name, digest in CERTIFICATES.items()})


class Tls(Folder):
    def identity(self, name):
        return ["-cert", self.path(name + "_cert.pem"), "-key", self.path(name + "_key.TEST-ONLY.pem")]

    def handshake(self, *client):
        """(what the client says, what the server says of the client), of one connection that ends well."""
        trust = ["-CAfile", self.path("root_ca.pem"), "-verify_return_error"]
        server = TlsServer(*self.identity("service"), *trust, "-Verify", "2", "-naccept", "1", "-rev", "-tls1_3")
        with server:
            address = ["-connect", f"127.0.0.1:{server.port}", "-verify_hostname", "localhost"]
            command = [OPENSSL, "s_client", *address, *trust, *client, "-tls1_3", "-ign_eof", "-quiet"]
            # the server turns each line round, and ends the connection at a line CLOSE
            done = subprocess.run(command, input=b"olleh\nCLOSE\n", capture_output=True, timeout=WATCHDOG, check=False)
            server.process.wait(WATCHDOG)
            return done, server.process.stdout.read()

    def test_works_in_both_directions(self):
        done, told = self.handshake(*self.identity("client"))
        self.assertIn(b"hello", done.stdout, done.stderr)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"CN=WvdS TEST client", told)

    def test_demands_the_client_certificate(self):
        done, _ = self.handshake()
        self.assertNotIn(b"hello", done.stdout)


class Errors(Folder):
    def test_leave_a_folder_that_is_not_empty(self):
        before = self.contents(self.folder)
        done = make(self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not empty", done.stderr)
        self.assertEqual(self.contents(self.folder), before)

    def test_leave_nothing_half_made(self):
        # fails when the third certificate is to be signed
        scratch = self.enterContext(tempfile.TemporaryDirectory())
        program = os.path.join(scratch, "openssl")
        refuse = 'case "$*" in *"CN=WvdS TEST client"*) exit 1 ;; esac'
        write(program, f'#!/bin/sh\n{refuse}\nexec "{OPENSSL}" "$@"\n'.encode())
        os.chmod(program, 0o755)
        done = make(os.path.join(scratch, "new"), "--openssl", program)
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed", done.stderr)
        self.assertEqual(os.listdir(scratch), ["openssl"])


if __name__ == "__main__":
    unittest.main()
