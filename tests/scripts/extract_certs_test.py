#!/usr/bin/env python3
"""Tests scripts/extract_certs.py with real files of each form and real TLS servers."""

import base64
import json
import os
import pty
import select
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from certificate_tools import CA, CLIENT, LEAF, OPENSSL, SCRIPTS, SERVER, WATCHDOG, Pki, TlsServer  # noqa: E402
from certificate_tools import openssl, read, write  # noqa: E402

SCRIPT = os.path.join(SCRIPTS, "extract_certs.py")
CHAIN = ("server", "inner", "middle", "root")
PASSWORD = "a pass word with ü"
pki = None


def setUpModule():
    """Made once: CHAIN is ML-DSA-65; other, otherleaf are a second chain; the rest hangs on root."""
    global pki
    pki = Pki(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    pki.make("root")
    pki.make("middle", "root")
    pki.make("inner", "middle")
    pki.make("server", "inner", SERVER)
    pki.make("client", "root", CLIENT, "P-256")
    pki.make("both", "root", LEAF + "extendedKeyUsage=serverAuth,clientAuth\n", "RSA")
    pki.make("plain", "root", LEAF, "ED25519")
    pki.make("expired", "root", SERVER, dates=("20200101", "20210101"))
    pki.make("future", "root", SERVER, dates=("20480101", "20490101"))
    pki.make("other", subject="/CN=other root")
    pki.make("otherleaf", "other", CLIENT)
    pki.make("hostile", "root", LEAF, subject="/CN=a\x1b[2Jb\nsubject=CN\\=c\u0085\u202e")
    write(pki.path("password"), PASSWORD.encode() + b"\nsecond line\n")


def run(*arguments, stdin=b"", environment=None, program=OPENSSL):
    named = ("--openssl", program) if program else ()
    command = [sys.executable, "-B", SCRIPT, *named, *arguments]
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=WATCHDOG, check=False, env=environment)
    done.out, done.err = done.stdout.decode(), done.stderr.decode()
    return done


def report(*arguments, **more):
    """(exit status, the JSON)"""
    done = run("--json", *arguments, **more)
    return done.returncode, json.loads(done.stdout)


def names(found):
    return [one["name"] for one in found["certificates"]]


class Test(unittest.TestCase):
    def setUp(self):
        self.out = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "out")

    def good(self, *arguments, **more):
        code, found = report(*arguments, **more)
        self.assertEqual((code, found["problems"], found["ok"]), (0, [], True))
        return found

    def refused(self, text, *arguments, code=1, **more):
        """It says the text and has written nothing."""
        done = run(*arguments, "--out", self.out, **more)
        self.assertIn(text, done.err)
        self.assertEqual(done.returncode, code, done.err)
        self.assertFalse(os.path.exists(self.out))
        return done


class Forms(Test):
    def test_pem_bundle(self):
        found = self.good(pki.bundle("chain.pem", *CHAIN), "--out", self.out)
        expected = dict(zip(("service_cert", "intermediate_ca_1", "intermediate_ca_2", "root_ca"), CHAIN))
        self.assertEqual(names(found), list(expected))
        files = sorted(name + form for name in expected for form in (".pem", ".der"))
        self.assertEqual(sorted(os.listdir(self.out)), files)
        for name, source in expected.items():
            for form in (".pem", ".der"):
                self.assertEqual(read(os.path.join(self.out, name + form)), read(pki.path(source + form)), name)

    def test_pem_with_text_and_windows_line_ends(self):
        first, rest = read(pki.path(CHAIN[0] + ".pem")), read(pki.bundle("rest.pem", *CHAIN[1:]))
        text = "\ufeff".encode() + first + b"Bag Attributes\n    friendlyName: x\n" + rest
        self.assertEqual(len(self.good(write(pki.path("crlf.pem"), text.replace(b"\n", b"\r\n")))["certificates"]), 4)

    def test_der_and_several_files(self):
        found = self.good(pki.path("root.der"), pki.path("client.der"), pki.path("client.pem"))
        self.assertEqual(names(found), ["client_cert", "root_ca"])

    def test_standard_input(self):
        self.assertEqual(names(self.good("-", stdin=read(pki.path("root.der")))), ["root_ca"])

    def test_pkcs7(self):
        der = read(pki.pkcs7("chain.p7", *reversed(CHAIN)))
        pki.pkcs7("chain.p7.pem", *CHAIN, form="PEM")
        write(pki.path("chain.est"), base64.encodebytes(der))
        write(pki.path("chain.line"), base64.b64encode(der))
        for name in ("chain.p7", "chain.p7.pem", "chain.est", "chain.line"):
            found = self.good(pki.path(name))
            self.assertEqual(names(found), ["service_cert", "intermediate_ca_1", "intermediate_ca_2", "root_ca"], name)

    def test_the_answer_of_an_est_server_after_a_new_root(self):
        # the newest root, the old one, and the links between them (RFC 7030, section 4.1.3), in any order
        pki.make("old", subject="/CN=roll")
        pki.make("new", subject="/CN=roll")
        for name, key, issuer in (("newwithold", "new", "old"), ("oldwithnew", "old", "new")):
            public = write(pki.path("public"), openssl("pkey", "-in", pki.path(key + ".key"), "-pubout"))
            signer = ["-CA", pki.path(issuer + ".pem"), "-CAkey", pki.path(issuer + ".key"), "-force_pubkey", public]
            extensions = write(pki.path("extensions"), CA.encode())
            made = openssl("x509", "-new", *signer, "-subj", "/CN=roll", "-extfile", extensions)
            write(pki.path(name + ".pem"), made)
        found = self.good(pki.pkcs7("cacerts.p7", "old", "oldwithnew", "newwithold", "new"))
        self.assertEqual(sorted(names(found)), ["intermediate_ca_1", "intermediate_ca_2", "root_ca_1", "root_ca_2"])

    def test_a_list_of_roots_is_no_chain(self):
        self.assertEqual(names(self.good(pki.bundle("roots.pem", "root", "other"))), ["root_ca_1", "root_ca_2"])


class Details(Test):
    def test_key_types_and_roles(self):
        found = self.good(*(pki.path(name + ".pem") for name in ("root", "client", "both", "plain")))
        self.assertEqual(
            [(one["name"], one["role"], one["key_type"]) for one in found["certificates"]],
            [
                ("client_cert", "client", "ECDSA P-256"),
                ("root_ca", "root_ca", "ML-DSA-65"),
                ("leaf_1", "leaf", "RSA 2048"),
                ("leaf_2", "leaf", "ED25519"),
            ],
        )

    def test_of_one_certificate(self):
        one = self.good("--ca", pki.path("root.pem"), pki.path("client.pem"))["certificates"][0]
        digest = openssl("x509", "-in", pki.path("client.pem"), "-noout", "-fingerprint", "-sha256").decode()
        self.assertEqual(one["sha256"], digest.split("=")[1].strip().replace(":", "").lower())
        self.assertEqual((one["subject"], one["issuer"]), ("CN=client,O=Test", "CN=root,O=Test"))
        self.assertEqual((one["not_before"], one["not_after"]), ("2025-01-01 00:00:00Z", "2049-12-31 00:00:00Z"))

    def test_for_people(self):
        done = run(pki.path("root.pem"))
        parts = ("root_ca", "CN=root,O=Test", "ML-DSA-65", "2049-12-31", "SHA-256", "chain: right")
        for text in (*parts, "compare its fingerprint"):
            self.assertIn(text, done.out)

    def test_names_cannot_steer_a_terminal_or_add_lines(self):
        done = run("--ca", pki.path("root.pem"), pki.path("hostile.pem"))
        self.assertEqual(done.returncode, 0, done.err)
        self.assertTrue(all(character.isprintable() or character == "\n" for character in done.out), done.out)
        self.assertEqual(done.out.count("\n  subject"), 1)


class Pkcs12(Test):
    def setUp(self):
        super().setUp()
        self.file = pki.pkcs12("server.p12", "server", CHAIN[1:], PASSWORD)
        self.given = ("--password-file", pki.path("password"))

    def test_password_from_a_file(self):
        found = self.good(self.file, *self.given, "--out", self.out)
        self.assertEqual(names(found), ["service_cert", "intermediate_ca_1", "intermediate_ca_2", "root_ca"])
        self.assertFalse([name for name in os.listdir(self.out) if "key" in name])
        self.assertIn("--keys writes them", str(found["notes"]))

    def test_password_from_the_environment(self):
        self.good(self.file, "--password-env", "SECRET", environment={"SECRET": PASSWORD})

    def test_password_from_the_terminal(self):
        process, terminal = pty.fork()
        if process == 0:
            os.execv(sys.executable, [sys.executable, "-B", SCRIPT, "--openssl", OPENSSL, self.file])
        seen = b""
        while b"chain:" not in seen:
            self.assertTrue(select.select([terminal], [], [], WATCHDOG)[0], seen)
            seen += os.read(terminal, 65536)
            if seen.endswith(b"server.p12: "):
                os.write(terminal, PASSWORD.encode() + b"\n")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 0)
        os.close(terminal)
        self.assertIn(b"chain: right", seen)
        self.assertNotIn(b"pass word", seen)

    def test_password_is_on_no_command_line(self):
        log = pki.path("arguments")
        program = write(pki.path("logging"), f'#!/bin/sh\necho "$@" >>"{log}"\nexec "{OPENSSL}" "$@"\n'.encode())
        os.chmod(program, 0o755)
        self.good(self.file, *self.given, "--keys", "--out", self.out, program=program)
        self.assertIn(b"-passin", read(log))
        self.assertNotIn(b"pass word", read(log))

    def test_an_empty_password_is_not_asked_for(self):
        self.good(pki.pkcs12("empty.p12", "client", ["root"], ""))

    def test_of_an_old_algorithm(self):
        file = pki.pkcs12("old.p12", "client", ["root"], PASSWORD, "-legacy")
        self.good(file, *self.given)
        without = {"OPENSSL_MODULES": "/nowhere"}
        self.refused("its algorithm is too old for this openssl", file, *self.given, environment=without)

    def test_damaged(self):
        whole = read(self.file)
        broken = write(pki.path("broken.p12"), whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
        self.refused("broken.p12: the password is wrong, or the file was changed", broken, *self.given)
        unlike = write(pki.path("unlike.p12"), b"\x30\x05\x02\x01\x03\x30\x00")
        self.refused("unlike.p12: the PKCS#12 can't be read: is it damaged?", unlike, *self.given)

    def test_keys_only_when_asked_and_for_the_owner_alone(self):
        self.good(self.file, *self.given, "--keys", "--out", self.out)
        key = os.path.join(self.out, "service_key.pem")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        publics = [openssl("pkey", "-in", file, "-pubout") for file in (key, pki.path("server.key"))]
        self.assertEqual(publics[0], publics[1])

    def test_overwriting_makes_a_key_private(self):
        os.mkdir(self.out)
        key = write(os.path.join(self.out, "service_key.pem"), b"old")
        os.chmod(key, 0o644)
        self.good(self.file, *self.given, "--keys", "--force", "--out", self.out)
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)

    def test_wrong_password(self):
        self.refused("server.p12: the password is wrong", self.file, "--password-env", "X", environment={"X": "wrong"})

    def test_no_password(self):
        self.refused("needs a password: give it with --password-file or --password-env", self.file)

    def test_no_such_password(self):
        self.refused("no such environment variable", self.file, "--password-env", "NOBODY_SET_IT", code=2)
        self.refused("missing: No such file", self.file, "--password-file", pki.path("missing"))

    def test_key_of_another_certificate(self):
        files = [pki.bundle("pair.pem", "client", "root"), pki.path("plain.key")]
        self.refused("belongs to none of the certificates", "--keys", *files)

    def test_encrypted_key_in_a_bundle(self):
        opened = ["pkey", "-in", pki.path("client.key"), "-aes256", "-passout", "file:" + pki.path("password")]
        key = write(pki.path("encrypted.key"), openssl(*opened))
        der = write(pki.path("encrypted.der"), openssl("pkcs8", "-topk8", *opened[1:3], *opened[4:], "-outform", "DER"))
        bundle = pki.bundle("pair.pem", "client", "root")
        self.refused("encrypted.key: holds a private key and no certificate", key)
        for file in (key, der):
            self.refused("needs a password", bundle, file, "--keys")
            wrong = {"environment": {"X": "wrong"}}
            self.refused("is the password wrong?", bundle, file, "--keys", "--password-env", "X", **wrong)
            found = self.good(bundle, file, "--keys", *self.given, "--out", self.out, "--force")
            self.assertIn(os.path.join(self.out, "client_key.pem"), found["written"])
            self.out += "2"


class WrongInput(Test):
    def test_files(self):
        der, root = read(pki.path("root.der")), read(pki.path("root.pem"))
        openssl("req", "-new", "-key", pki.path("client.key"), "-subj", "/CN=x", "-out", pki.path("request.pem"))
        request = read(pki.path("request.pem"))
        for text, content in (
            ("the file is empty", b""),
            ("the file is empty", b" \n\n"),
            ("neither PEM nor DER nor base64", b"certificate\n"),
            ("neither PEM nor DER nor base64", b"<html>404</html>"),
            ("neither PEM nor DER nor base64", base64.b64encode(b"certificate")),
            ("larger than 16 MB", b"x" * (1 << 24 | 1)),
            ("cut off or damaged", der[:1000]),
            ("cut off or damaged", der[:3]),
            ("something follows it", der + der),
            ("cut off or damaged", base64.b64encode(der[:1000])),
            ("no END line of its own; the file is cut off", root[:1000]),
            ("no certificate, or a damaged one", root.replace(b"\nM", b"\nA", 1)),
            ("no certificate, or a damaged one", b"\x30\x02\x30\x00"),
            ("holds no certificate, but: CERTIFICATE REQUEST", request),
            ("the PKCS#7 holds no certificates", read(pki.pkcs7("none.p7"))),
            ("the PKCS#7 holds no certificates", base64.encodebytes(read(pki.pkcs7("none.p7")))),
            ("holds a private key and no certificate", read(pki.path("client.key"))),
        ):
            done = self.refused("input: ", write(pki.path("input"), content))
            self.assertIn(text, done.err)

    def test_no_such_file(self):
        self.refused("nowhere.pem: No such file or directory", pki.path("nowhere.pem"))
        self.refused(": Is a directory", pki.folder)

    def test_is_told_in_json_too(self):
        code, found = report(pki.path("nowhere.pem"))
        self.assertEqual((code, found["ok"], found["certificates"]), (1, False, []))
        self.assertIn("nowhere.pem: No such file", found["problems"][0])


class WrongChain(Test):
    def wrong(self, *names_of_certificates, form=".pem"):
        """The problems; the order of files does not matter, that of a bundle would."""
        files = [pki.path(name + form) for name in names_of_certificates]
        done = self.refused("extract_certs.py: ", *files)
        self.assertIn("chain: NOT RIGHT", done.out)
        return done.err

    def test_no_issuer(self):
        told = self.wrong("server", "inner", "root")
        self.assertIn("CN=inner,O=Test: its issuer was not found; name its issuer's file", told)
        self.assertEqual(told.count("\n"), 1, told)

    def test_what_the_machine_trusts_does_not_count(self):
        trust = {"SSL_CERT_FILE": pki.path("root.pem")}
        self.refused("CN=client,O=Test: its issuer was not found", pki.path("client.pem"), environment=trust)

    def test_dates(self):
        self.assertIn("CN=expired,O=Test: certificate has expired", self.wrong("expired", "root"))
        self.assertIn("CN=future,O=Test: certificate is not yet valid", self.wrong("future", "root"))

    def test_signatures(self):
        der = read(pki.path("client.der"))
        write(pki.path("forged.der"), der[:-1] + bytes([der[-1] ^ 1]))
        self.assertIn("CN=client,O=Test: certificate signature failure", self.wrong("forged", "root", form=".der"))
        der = read(pki.path("root.der"))
        write(pki.path("forged.der"), der[:-1] + bytes([der[-1] ^ 1]))
        self.assertIn("CN=root,O=Test: certificate signature failure", self.wrong("forged", form=".der"))

    def test_unrelated_chains(self):
        told = self.wrong("otherleaf", "other", "client", "root")
        self.assertIn("2 chains unrelated to each other: CN=otherleaf,O=Test; CN=client,O=Test", told)

    def test_order(self):
        self.refused("wrong order: it should be client_cert, root_ca", pki.bundle("order.pem", "root", "client"))

    def test_a_root_that_is_not_trusted(self):
        trust = ("--ca", pki.path("other.pem"))
        self.refused("no certificate named with --ca is its root", *trust, pki.bundle("pair.pem", "client", "root"))

    def test_trust_in_nothing_is_no_trust(self):
        self.refused("holds a private key and no certificate", "--ca", pki.path("root.key"), pki.path("root.pem"))

    def test_is_written_only_when_asked(self):
        code, found = report(pki.path("expired.pem"), "--unchecked", "--out", self.out)
        self.assertEqual((code, found["ok"]), (1, False))
        self.assertEqual(sorted(os.listdir(self.out)), ["service_cert.der", "service_cert.pem"])


class Use(Test):
    def test_overwrites_only_when_asked(self):
        os.mkdir(self.out)
        there = write(os.path.join(self.out, "root_ca.der"), b"mine")
        done = run(pki.path("root.pem"), "--out", self.out)
        self.assertEqual((done.returncode, os.listdir(self.out), read(there)), (2, ["root_ca.der"], b"mine"))
        self.assertIn("has already root_ca.der; --force overwrites", done.err)
        self.assertIn("chain: right", done.out)
        self.good(pki.path("root.pem"), "--out", self.out, "--force")
        self.assertEqual(read(there), read(pki.path("root.der")))

    def test_wrong(self):
        file = pki.path("root.pem")
        for words in ((), (file, "--connect", "a:1"), ("--connect", "nohost"), (file, "--servername", "x"), ("--what",),
                      (file, "--keys"), (file, "--password-file", "x", "--password-env", "HOME")):  # fmt: skip
            self.assertEqual(run(*words).returncode, 2, words)

    def test_help_tells_what_it_needs(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("OpenSSL 3.5 or newer", done.out)

    def test_an_openssl_that_is_too_old(self):
        old = write(pki.path("old"), b'#!/bin/sh\n[ "$1" != version ] || echo "OpenSSL 3.0.19 27 Jan 2026"\n')
        os.chmod(old, 0o755)
        told = "is OpenSSL 3.0.19 27 Jan 2026, which can't do ML-DSA: OpenSSL 3.5 or newer is needed"
        self.refused(told, pki.path("root.pem"), program=old, code=2)

    def test_no_openssl(self):
        file, told = pki.path("root.pem"), "no openssl program at"
        self.refused(told, file, program=pki.path("nothing"), code=2)
        self.refused(told, file, program=None, environment={"PATH": "/nowhere"}, code=2)

    def test_openssl_is_found_beside_the_scripts_and_in_the_path(self):
        path = f"{os.path.dirname(OPENSSL)}:{os.environ['PATH']}"
        self.good(pki.path("root.pem"), program=None, environment={"PATH": path})
        scripts, binaries = pki.path("scripts"), pki.path("bin/" + os.uname().machine)
        os.makedirs(scripts)
        os.makedirs(binaries)
        program = write(os.path.join(binaries, "openssl"), f'#!/bin/sh\nPATH={path} exec "{OPENSSL}" "$@"\n'.encode())
        os.chmod(program, 0o755)
        copy = write(os.path.join(scripts, "extract_certs.py"), read(SCRIPT))
        command = [sys.executable, copy, pki.path("root.pem")]
        done = subprocess.run(command, capture_output=True, env={"PATH": ""}, timeout=WATCHDOG, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Server(Test):
    def served(self, leaf, *others):
        chain = pki.bundle("served.pem", *others) if others else None
        named = ["-cert", pki.path(leaf + ".pem"), "-key", pki.path(leaf + ".key")]
        return TlsServer(*named, *(["-cert_chain", chain] if chain else []))

    def listener(self):
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        return listener, f"127.0.0.1:{listener.getsockname()[1]}"

    def test_chain(self):
        with self.served("server", "inner", "middle") as server:
            address = ("--connect", f"localhost:{server.port}", "--ca", pki.path("root.pem"))
            found = self.good(*address, "--servername", "server.test", "--out", self.out)
            self.assertEqual(names(found), ["service_cert", "intermediate_ca_1", "intermediate_ca_2"])
            self.assertEqual(read(os.path.join(self.out, "service_cert.der")), read(pki.path("server.der")))
            self.out += "2"
            self.refused("the server has no certificate for that name", *address, "--servername", "elsewhere.test")

    def test_without_its_root(self):
        with self.served("server", "inner", "middle") as server:
            told = self.refused("CN=middle,O=Test: its issuer was not found", "--connect", f"127.0.0.1:{server.port}").err
            self.assertIn("or with --ca", told)

    def test_wrong_order(self):
        with self.served("server", "middle", "inner") as server:
            address = ("--connect", f"127.0.0.1:{server.port}", "--ca", pki.path("root.pem"))
            self.refused("wrong order: it should be service_cert, intermediate_ca_1, intermediate_ca_2", *address)

    def test_what_it_sends_first_is_its_certificate_whatever_its_usage(self):
        with self.served("plain") as server:
            found = self.good("--connect", f"127.0.0.1:{server.port}", "--ca", pki.path("root.pem"))
            self.assertEqual([(one["name"], one["role"]) for one in found["certificates"]], [("service_cert", "server")])

    def test_that_cannot_be_reached(self):
        listener, address = self.listener()
        listener.close()
        self.refused("no certificate came from there (Connection refused)", "--connect", address)

    def test_that_says_nothing(self):
        _, address = self.listener()
        self.refused("no answer within 1 s", "--connect", address, "--timeout", "1")


if __name__ == "__main__":
    unittest.main()
