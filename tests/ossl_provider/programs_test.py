"""Real programs use keys of the service by URI: openssl of the product's OpenSSL and of the system."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tool"))
from programs import BINARIES, OPENSSL, TOOL, WATCHDOG, ProgramTest  # noqa: E402

MODULE = os.path.join(BINARIES, "src/ossl_provider/wvds.so")
OWN = os.path.join(OPENSSL, "bin/openssl")
SYSTEM = "/usr/bin/openssl"

DEFAULT = """openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_provider
wvds = wvds_provider
[default_provider]
activate = 1
"""
FIPS = """openssl_conf = openssl_init
.include {openssl}/ssl/fipsmodule.cnf
[openssl_init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = fips=yes
[providers]
fips = fips_sect
base = base_provider
wvds = wvds_provider
[base_provider]
activate = 1
"""
MODULE_SECTION = """[wvds_provider]
module = {module}
socket = {socket}
activate = 1
[req]
distinguished_name = name
[name]
"""


def is_sanitized(path):
    """Programs without the sanitizer's runtime can't load the module then."""
    dynamic = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
    return "libasan" in dynamic or "libtsan" in dynamic


class OpensslTest(ProgramTest):
    """A service, and openssl.cnf files that name it."""

    def setUp(self):
        if is_sanitized(MODULE):
            self.skipTest("NOT RUN: programs can't load the module of a sanitized build")
        super().setUp()
        self.crypto_service = self.service()
        self.configure("default", DEFAULT)
        self.configure("fips", FIPS)
        self.write("message", b"some words\n")

    def configure(self, name, text, socket=None):
        text = (text + MODULE_SECTION).format(openssl=OPENSSL, module=MODULE, socket=socket or self.crypto_service.socket)
        self.write(name + ".cnf", text.encode())

    def environment(self, mode):
        return dict(os.environ, OPENSSL_CONF=self.path(mode + ".cnf") if mode else os.path.join(OPENSSL, "ssl/openssl.cnf"))

    def key(self, algorithm, *more):
        made = self.run_program([TOOL, "--socket", self.crypto_service.socket, "key", "generate", algorithm, *more])
        return "wvds:key=" + made.stdout.decode().strip()

    def openssl(self, *arguments, mode="default", program=OWN, **settings):
        return self.run_program([program, *arguments], env=self.environment(mode), cwd=self.folder, **settings)

    def plain(self, *arguments, program=OWN, **settings):
        """Without the provider"""
        return self.openssl(*arguments, mode=None, program=program, **settings)

    def certificate(self, key, name, **settings):
        self.openssl(
            "req", "-x509", "-key", key, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
            "-days", "2", "-out", name + ".pem", **settings,
        )  # fmt: skip
        self.plain("verify", "-CAfile", name + ".pem", name + ".pem")


class Requests(OpensslTest):
    def sign_requests(self, mode, algorithms, program=OWN):
        for algorithm in algorithms:
            with self.subTest(algorithm):
                key = self.key(algorithm, "--usage", "tls-and-csr")
                self.openssl("req", "-new", "-key", key, "-subj", "/CN=device", "-out", "csr", mode=mode, program=program)
                self.plain("req", "-verify", "-noout", "-in", "csr")
                public = self.plain("req", "-in", "csr", "-noout", "-pubkey").stdout
                self.assertEqual(public, self.openssl("pkey", "-in", key, "-pubout", mode=mode, program=program).stdout)
                self.certificate(key, "device", mode=mode, program=program)

    def test_requests_and_certificates_are_signed(self):
        self.sign_requests("default", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ECDSA-P256", "ECDSA-P384"])

    def test_also_by_a_program_that_demands_fips(self):
        self.sign_requests("fips", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ECDSA-P256", "ECDSA-P384"])

    def test_also_by_the_system_s_openssl(self):
        if not os.path.exists(SYSTEM):
            self.skipTest("NOT RUN: the system has no openssl")
        self.sign_requests("default", ["ECDSA-P256", "ECDSA-P384"], program=SYSTEM)


class Signatures(OpensslTest):
    def test_dgst_signs_what_plain_openssl_verifies(self):
        for algorithm, digest in (("ML-DSA-65", []), ("ECDSA-P256", ["-sha256"]), ("ECDSA-P384", ["-sha512"])):
            with self.subTest(algorithm):
                key = self.key(algorithm)
                self.openssl("pkey", "-in", key, "-pubout", "-out", "public")
                self.openssl("dgst", *digest, "-sign", key, "-out", "signature", "message")
                said = self.plain("dgst", *digest, "-verify", "public", "-signature", "signature", "message")
                self.assertIn(b"Verified OK", said.stdout)
                self.openssl("dgst", *digest, "-prverify", key, "-signature", "signature", "message")
                self.write("other", b"other words\n")
                self.openssl("dgst", *digest, "-prverify", key, "-signature", "signature", "other", exit_status=1)

    def test_pkeyutl_signs_with_a_context_and_digests(self):
        key = self.key("ML-DSA-87")
        context = ["-pkeyopt", "context-string:mail"]
        self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, *context, "-in", "message", "-out", "signature")
        self.openssl("pkeyutl", "-verify", "-rawin", "-inkey", key, *context, "-in", "message", "-sigfile", "signature")
        self.openssl("pkey", "-in", key, "-pubout", "-out", "public")
        verify = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public", "-in", "message", "-sigfile", "signature"]
        self.plain(*verify, *context)
        self.plain(*verify, exit_status=1)
        ec = self.key("ECDSA-P256")
        self.openssl("dgst", "-sha256", "-binary", "-out", "digest", "message")
        self.openssl("pkeyutl", "-sign", "-inkey", ec, "-in", "digest", "-out", "signature")
        self.openssl("pkey", "-in", ec, "-pubout", "-out", "public")
        self.plain("dgst", "-sha256", "-verify", "public", "-signature", "signature", "message")

    def test_cms_is_signed(self):
        key = self.key("ECDSA-P256", "--usage", "tls-and-csr")
        self.certificate(key, "signer")
        self.openssl("cms", "-sign", "-signer", "signer.pem", "-inkey", key, "-in", "message", "-binary", "-out", "cms")
        said = self.plain("cms", "-verify", "-CAfile", "signer.pem", "-purpose", "any", "-in", "cms", "-binary")
        self.assertEqual(said.stdout, b"some words\n")


class Tls(OpensslTest):
    def serve(self, *arguments, mode="default"):
        """Starts s_server for one connection; returns its address."""
        server = subprocess.Popen(
            [OWN, "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-www", *arguments],
            env=self.environment(mode), cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

        def end():
            server.kill()
            server.communicate(timeout=WATCHDOG)

        self.addCleanup(end)
        said = b""
        for line in server.stdout:
            said += line
            if line.startswith(b"ACCEPT "):
                return line.split()[1].decode()
        raise AssertionError(f"no s_server: {said!r}")

    def get(self, address, *arguments, mode="default"):
        done = self.openssl(
            "s_client", "-connect", address, "-verify_return_error", "-ign_eof", *arguments, mode=mode,
            input=b"GET / HTTP/1.0\r\n\r\n",
        )  # fmt: skip
        return done.stdout.decode(errors="replace")

    def prove(self, version, algorithm, signature, mode):
        server, client = (self.key(algorithm, "--usage", "tls-and-csr") for _ in range(2))
        self.certificate(server, "server", mode=mode)
        self.certificate(client, "client", mode=mode)
        address = self.serve(
            version, "-cert", "server.pem", "-key", server, "-CAfile", "client.pem", "-Verify", "1",
            "-verify_return_error", mode=mode,
        )  # fmt: skip
        said = self.get(
            address, version, "-cert", "client.pem", "-key", client, "-CAfile", "server.pem",
            "-servername", "server", mode=mode,
        )  # fmt: skip
        self.assertIn(f"Peer signature type: {signature}", said)
        self.assertIn("HTTP/1.0 200", said)
        self.assertRegex(said, "(?s)Client certificate.*CN ?= ?client")

    def test_tls_1_3_with_ml_dsa(self):
        self.prove("-tls1_3", "ML-DSA-65", "mldsa65", "default")

    def test_tls_1_3_with_ecdsa(self):
        self.prove("-tls1_3", "ECDSA-P384", "ecdsa_secp384r1_sha384", "default")

    def test_tls_1_2_with_ecdsa(self):
        self.prove("-tls1_2", "ECDSA-P256", "ecdsa_secp256r1_sha256", "default")

    def test_tls_1_3_with_ml_dsa_where_fips_is_demanded(self):
        self.prove("-tls1_3", "ML-DSA-65", "mldsa65", "fips")

    def test_tls_1_3_with_ecdsa_where_fips_is_demanded(self):
        self.prove("-tls1_3", "ECDSA-P256", "ecdsa_secp256r1_sha256", "fips")

    def test_tls_1_2_with_ecdsa_where_fips_is_demanded(self):
        self.prove("-tls1_2", "ECDSA-P256", "ecdsa_secp256r1_sha256", "fips")


class Errors(OpensslTest):
    """What goes wrong is said in a sentence, and the exit status is not 0."""

    def refused(self, uri, *texts, mode="default", program=OWN):
        done = self.openssl("req", "-new", "-key", uri, "-subj", "/CN=x", mode=mode, program=program, exit_status=1)
        for text in texts:
            self.assertIn(text, done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def test_a_key_that_is_not_there(self):
        self.refused("wvds:key=4711", "KEY_NOT_FOUND", "key 4711 of the crypto service at " + self.crypto_service.socket)

    def test_a_uri_that_is_none(self):
        self.refused("wvds:kay=1", 'unknown part "kay"', "wvds:key=7")

    def test_a_service_that_is_not_there(self):
        self.refused(f"wvds:key=1;socket={self.path('nobody')}", "CONNECT_FAILED", "Check that it runs")

    def test_a_key_that_is_not_for_signing(self):
        self.refused(self.key("ML-DSA-65", "--usage", "verify"), "WRONG_KEY_USAGE")
        self.refused(self.key("AES-256-GCM"), "WRONG_KEY_TYPE", "AES-256-GCM")

    def test_a_program_whose_openssl_does_not_know_ml_dsa(self):
        if not os.path.exists(SYSTEM):
            self.skipTest("NOT RUN: the system has no openssl")
        version = self.run_program([SYSTEM, "version"]).stdout.decode().split()[1]
        if tuple(map(int, version.split(".")[:2])) >= (3, 5):
            self.skipTest(f"NOT RUN: the system's OpenSSL {version} knows ML-DSA")
        self.refused(self.key("ML-DSA-65"), "this program's OpenSSL does not know", program=SYSTEM)

    def test_the_private_key_can_not_be_written(self):
        done = self.openssl("pkey", "-in", self.key("ECDSA-P256"), exit_status=1)
        self.assertIn("the private key stays in the crypto service", done.stderr.decode())
        self.assertEqual(done.stdout, b"")


if __name__ == "__main__":
    unittest.main()
