"""The test CA behaves as the tests of the EST client need it: seen with openssl and Python only."""

import base64
import json
import os
import shutil
import socket
import ssl
import tempfile
import time
import unittest

from est_client import Device, PythonSession, Session, ask, basic, digest, message, openssl, possession_request
from test_ca import TestCa

CREDENTIAL = basic("device", "secret")


class CaTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wvds-est-")
        self.addCleanup(shutil.rmtree, self.folder)

    def ca(self, **settings):
        ca = TestCa(os.path.join(self.folder, "ca"), **settings)
        self.addCleanup(ca.stop)
        ca.start()
        return ca

    def ask(self, ca, *arguments, headers=(CREDENTIAL,), certificate=None, key=None, **settings):
        request = message(*arguments, headers=headers, **settings)
        return ask(ca.port, ca.root, request, certificate=certificate, key=key)

    def enroll(self, ca, device):
        """Enrols the device; the answer's certificates."""
        answer = self.ask(ca, "simpleenroll", device.request())
        self.assertEqual(answer.status, 200, answer.body)
        device.keep(answer.certificates()[0])
        return answer.certificates()

    def text(self, pem, *options):
        return openssl("x509", "-noout", *options, data=pem.encode()).decode()

    def verify(self, root, pem, *more):
        path = os.path.join(self.folder, "leaf.pem")
        with open(path, "w", encoding="utf-8") as file:
            file.write(pem)
        openssl("verify", "-CAfile", root, *more, path)


class Enrolment(CaTest):
    def test_every_ca_algorithm_issues(self):
        for algorithm in ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "P-256", "P-384"):
            ca = TestCa(os.path.join(self.folder, algorithm), algorithm=algorithm)
            self.addCleanup(ca.stop)
            ca.start()
            device = Device(self.folder, "device", algorithm)
            (certificate,) = self.enroll(ca, device)
            self.verify(ca.root, certificate, "-purpose", "sslclient")
            self.assertEqual(openssl("x509", "-noout", "-pubkey", data=certificate.encode()),
                             openssl("pkey", "-in", device.key, "-pubout"))  # fmt: skip
            self.assertIn("DNS:device.example", self.text(certificate, "-ext", "subjectAltName"))

    def test_cacerts_are_the_root(self):
        ca = self.ca()
        answer = self.ask(ca, "cacerts", headers=())
        self.assertEqual(answer.headers["content-type"], "application/pkcs7-mime; smime-type=certs-only")
        with open(ca.root, encoding="utf-8") as file:
            self.assertEqual(answer.certificates(), [file.read()])

    def test_issuing_ca_comes_along(self):
        ca = self.ca(issuing=True)
        device = Device(self.folder, "device")
        leaf, issuing = self.enroll(ca, device)
        path = os.path.join(self.folder, "issuing.pem")
        with open(path, "w", encoding="utf-8") as file:
            file.write(issuing)
        self.verify(ca.root, leaf, "-untrusted", path)
        self.assertEqual(len(self.ask(ca, "cacerts").certificates()), 2)

    def test_labels_are_logged(self):
        ca = self.ca()
        self.assertEqual(self.ask(ca, "cacerts", label="plant/7").status, 200)
        self.assertEqual(ca.requests()[0]["label"], "plant/7")

    def test_renewal_takes_the_old_certificate_and_its_names(self):
        ca = self.ca()
        device = Device(self.folder, "device")
        self.enroll(ca, device)
        known = {"headers": (), "certificate": device.certificate, "key": device.key}
        self.assertEqual(self.ask(ca, "simplereenroll", device.request(), **known).status, 200)
        entry = ca.requests("simplereenroll")[0]
        self.assertEqual(entry["authenticated"], "certificate")
        self.assertEqual(entry["client_certificate"]["subject"], "CN=device")
        self.assertEqual(self.ask(ca, "simplereenroll", device.request(subject="other"), **known).status, 400)
        self.assertEqual(self.ask(ca, "simplereenroll", device.request(names="DNS:other.example"), **known).status, 400)
        self.assertEqual(self.ask(ca, "simplereenroll", device.request()).status, 403)

    def test_kem_keys_need_a_statement_of_possession(self):
        ca = self.ca()
        signer = Device(self.folder, "device")
        self.enroll(ca, signer)
        kem = Device(self.folder, "kem", "ML-KEM-768")
        for with_certificate in (True, False):
            answer = self.ask(ca, "simpleenroll", possession_request(kem, signer, with_certificate))
            self.assertEqual(answer.status, 200, answer.body)
            self.assertIn("Key Encipherment", self.text(answer.certificates()[0], "-ext", "keyUsage"))
            self.assertEqual(ca.requests()[-1]["request"]["possession"], "statement")
        stranger = Device(self.folder, "stranger")
        stranger.certificate = signer.certificate
        self.assertEqual(self.ask(ca, "simpleenroll", possession_request(kem, stranger)).status, 400)
        self.assertEqual(ca.requests()[-1]["refusal"], "the statement's signature is wrong")

    def test_altered_request_is_refused(self):
        ca = self.ca()
        request = bytearray(Device(self.folder, "device").request())
        request[-100] ^= 1
        self.assertEqual(self.ask(ca, "simpleenroll", bytes(request)).status, 400)
        self.assertEqual(self.ask(ca, "simpleenroll", b"no request").status, 400)

    def test_server_key_is_multipart(self):
        ca = self.ca()
        answer = self.ask(ca, "serverkeygen", Device(self.folder, "device").request())
        self.assertTrue(answer.headers["content-type"].startswith("multipart/mixed; boundary="))
        boundary = b"--" + answer.headers["content-type"].partition("boundary=")[2].encode()
        parts = [part.partition(b"\r\n\r\n") for part in answer.body.split(boundary)[1:-1]]
        self.assertIn(b"application/pkcs8", parts[0][0])
        key = base64.b64decode(parts[0][2])
        certificates = openssl("pkcs7", "-inform", "DER", "-print_certs", data=base64.b64decode(parts[1][2]))
        self.assertEqual(openssl("pkey", "-inform", "DER", "-pubout", data=key),
                         openssl("x509", "-noout", "-pubkey", data=certificates))  # fmt: skip

    def test_csr_attributes_and_renewal_info(self):
        ca = self.ca()
        self.assertEqual(self.ask(ca, "csrattrs").status, 204)
        ca.set(csrattrs="MAsGCSqGSIb3DQEJBw==")
        answer = self.ask(ca, "csrattrs")
        self.assertEqual(answer.headers["content-type"], "application/csrattrs")
        self.assertEqual(answer.der(), base64.b64decode("MAsGCSqGSIb3DQEJBw=="))
        device = Device(self.folder, "device")
        (certificate,) = self.enroll(ca, device)
        identifier = self.certificate_id(certificate)
        self.assertEqual(self.ask(ca, "renewal-info/" + identifier).status, 404)
        window = {"suggestedWindow": {"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}}
        ca.set(renewal_info=window)
        answer = self.ask(ca, "renewal-info/" + identifier, label="plant")
        self.assertEqual(json.loads(answer.body), window)
        self.assertEqual(ca.requests()[-1]["label"], "plant")
        self.assertEqual(self.ask(ca, "renewal-info/AAAA.AAAA").status, 404)

    def certificate_id(self, certificate):
        authority = self.text(certificate, "-ext", "authorityKeyIdentifier").split()[-1].removeprefix("keyid:")
        serial = self.text(certificate, "-serial").strip().removeprefix("serial=")
        parts = [bytes.fromhex(authority.replace(":", "")), bytes.fromhex(serial)]
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def test_rollover_links_old_and_new(self):
        ca = self.ca(algorithm="P-256")
        old = os.path.join(self.folder, "old.pem")
        shutil.copy(ca.root, old)
        ca.roll_over(algorithm="ML-DSA-65")
        certificates = self.ask(ca, "cacerts").certificates()
        self.assertEqual(len(certificates), 4)
        new, before, old_with_new, new_with_old = certificates
        with open(old, encoding="utf-8") as file:
            self.assertEqual(before, file.read())
        device = Device(self.folder, "device")
        (leaf,) = self.enroll(ca, device)
        link = os.path.join(self.folder, "link.pem")
        with open(link, "w", encoding="utf-8") as file:
            file.write(new_with_old)
        self.verify(old, leaf, "-untrusted", link)
        new_root = os.path.join(self.folder, "new.pem")
        with open(new_root, "w", encoding="utf-8") as file:
            file.write(new)
        self.verify(new_root, leaf)
        self.verify(new_root, old_with_new)
        self.assertEqual(self.text(old_with_new, "-subject", "-pubkey"), self.text(before, "-subject", "-pubkey"))

    def test_clock_and_lifetime_are_the_tests(self):
        ca = self.ca()
        now = int(time.time())
        ca.set(clock=400 * 86400, issue={"lifetime": 3600, "backdate": 0})
        (certificate,) = self.enroll(ca, Device(self.folder, "device"))
        begin, end = (
            ssl.cert_time_to_seconds(line.partition("=")[2])
            for line in self.text(certificate, "-dates").strip().split("\n")
        )
        self.assertEqual(end - begin, 3600)
        self.assertLess(abs(begin - now - 400 * 86400), 3600)


class Authentication(CaTest):
    def challenges(self, answer):
        self.assertEqual(answer.status, 401)
        return [value for name, value in answer.all_headers if name == "WWW-Authenticate"]

    def test_basic(self):
        ca = self.ca()
        request = Device(self.folder, "device").request()
        for headers in ((), (basic("device", "wrong"),)):
            answer = self.ask(ca, "simpleenroll", request, headers=headers)
            self.assertEqual(self.challenges(answer), ['Basic realm="est"'])
        self.enroll(ca, Device(self.folder, "device"))
        self.assertEqual(ca.requests()[-1]["authenticated"], "basic")
        self.assertEqual(ca.requests()[-1]["authorization"], "Basic")

    def test_digest(self):
        target = "/.well-known/est/simpleenroll"
        for name, used in (("digest-sha256", "sha256"), ("digest-md5", "md5")):
            ca = TestCa(os.path.join(self.folder, name), settings={"authentication": {"http": name}})
            self.addCleanup(ca.stop)
            ca.start()
            request = Device(self.folder, "device").request()
            self.challenges(self.ask(ca, "simpleenroll", request))  # Basic does not help
            (challenge,) = self.challenges(self.ask(ca, "simpleenroll", request, headers=()))
            for password, status in (("wrong", 401), ("secret", 200), ("secret", 401)):  # once only
                header = digest(challenge, "POST", target, "device", password, used)
                answer = self.ask(ca, "simpleenroll", request, headers=(header,))
                self.assertEqual(answer.status, status, name)
                if status == 401:
                    (challenge,) = self.challenges(answer) if password == "wrong" else (challenge,)
            self.assertEqual(ca.requests()[-2]["authenticated"], name)

    def test_both_digests_are_offered_the_better_one_first(self):
        ca = self.ca(settings={"authentication": {"http": "digest"}})
        challenges = self.challenges(self.ask(ca, "simpleenroll", Device(self.folder, "d").request(), headers=()))
        self.assertEqual(["SHA-256" in challenge for challenge in challenges], [True, False])

    def test_certificate_of_another_ca_breaks_the_handshake(self):
        ca = self.ca()
        other = TestCa(os.path.join(self.folder, "other"))
        self.addCleanup(other.stop)
        other.start()
        device = Device(self.folder, "device")
        self.enroll(other, device)
        with self.assertRaisesRegex(ConnectionError, "unknown ca|alert"):
            self.ask(ca, "cacerts", certificate=device.certificate, key=device.key)
        ca.wait_for(lambda events: any("certificate verify failed" in e.get("reason", "") for e in events))

    def test_certificate_can_be_required(self):
        ca = self.ca(settings={"tls": {"client_certificate": "require"}})
        with self.assertRaisesRegex(ConnectionError, "certificate required"):
            self.ask(ca, "cacerts")

    def test_binding_to_the_tls_session(self):
        ca = self.ca(settings={"require_binding": True})
        device = Device(self.folder, "device")
        for binding, status, seen in ((None, 400, "absent"), (b"x" * 32, 400, "wrong"), ("right", 200, "bound")):
            session = Session(ca.port, ca.root, with_binding=True)
            self.assertEqual(len(session.binding), 32)
            linked = device.request(binding=session.binding if binding == "right" else binding)
            self.assertEqual(session.ask(message("simpleenroll", linked, headers=[CREDENTIAL])).status, status)
            self.assertEqual(ca.requests()[-1]["request"]["binding"], seen)

    def test_binding_to_a_tls_1_2_session(self):
        ca = self.ca(
            algorithm="P-256",
            settings={"require_binding": True, "tls": {"min": "1.2", "max": "1.2"}, "server": {"algorithm": "P-256"}},
        )
        session = PythonSession(ca.port, ca.root)
        linked = Device(self.folder, "device").request(binding=session.binding)
        self.assertEqual(session.ask(message("simpleenroll", linked, headers=[CREDENTIAL])).status, 200)
        self.assertEqual(ca.requests()[-1]["tls"], "TLSv1.2")


class Transport(CaTest):
    def test_hybrid_groups(self):
        ca = self.ca()
        for group in ("X25519MLKEM768", "SecP256r1MLKEM768"):
            ask(ca.port, ca.root, message("cacerts"), options=("-tls1_3", "-groups", group))
            self.assertEqual(ca.requests()[-1]["group"], group)
            self.assertEqual(ca.requests()[-1]["tls"], "TLSv1.3")

    def test_old_tls_only(self):
        ca = self.ca(settings={"tls": {"min": "1.2", "max": "1.2"}, "server": {"algorithm": "P-256"}})
        with self.assertRaisesRegex(ConnectionError, "alert protocol version"):
            self.ask(ca, "cacerts")
        ca.set(tls={"min": "1.1", "max": "1.1"})
        with self.assertRaisesRegex(ConnectionError, "protocol"):
            ask(ca.port, ca.root, message("cacerts"), options=("-tls1_2",))

    def test_shapes_of_an_answer(self):
        ca = self.ca()
        expected = self.ask(ca, "cacerts").der()
        for shape in (
            {"framing": "chunked"}, {"framing": "close"}, {"framing": "http10"}, {"base64": "single"},
            {"base64": "crlf"}, {"encoding_header": False}, {"chain": False}, {"pad": 100},
        ):  # fmt: skip
            ca.rule("cacerts", 1, **shape)
            answer = self.ask(ca, "cacerts")
            self.assertEqual(answer.der(), expected, shape)
            self.assertEqual("content-length" in answer.headers, "framing" not in shape)
            self.assertEqual(answer.version, "HTTP/1.0" if shape == {"framing": "http10"} else "HTTP/1.1")
            self.assertEqual("content-transfer-encoding" in answer.headers, "encoding_header" not in shape)

    def test_rules_are_for_a_number_of_requests(self):
        ca = self.ca()
        ca.rule("simpleenroll", 2, status=202, headers={"Retry-After": "7"})
        request = Device(self.folder, "device").request()
        self.assertEqual(self.ask(ca, "cacerts").status, 200)
        answers = [self.ask(ca, "simpleenroll", request) for _ in range(3)]
        self.assertEqual([answer.status for answer in answers], [202, 202, 200])
        self.assertEqual(answers[0].headers["retry-after"], "7")

    def test_redirects_and_refusals(self):
        ca = self.ca()
        for status, headers in ((302, {"Location": "/x"}), (404, {}), (500, {}), (503, {"Retry-After": "9"})):
            ca.rule("cacerts", 1, status=status, headers=headers)
            answer = self.ask(ca, "cacerts")
            self.assertEqual(answer.status, status)
            for name, value in headers.items():
                self.assertEqual(answer.headers[name.lower()], value)

    def test_unknown_settings_are_errors(self):
        ca = self.ca()
        for wrong in ({"tlss": {}}, {"tls": {"mim": "1.3"}}, {"clock": "1"}):
            with self.assertRaises(AssertionError):
                ca.set(**wrong)
        with self.assertRaises(AssertionError):
            ca.rule("cacerts", 1, stats=200)

    def test_connections_are_refused_on_the_same_port(self):
        ca = self.ca()
        ca.listen(False)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ca.port))
        ca.listen(True)
        self.assertEqual(self.ask(ca, "cacerts").status, 200)
        before = self.ask(ca, "cacerts").certificates()
        port = ca.port
        ca.restart()
        self.assertEqual(ca.port, port)
        self.assertEqual(self.ask(ca, "cacerts").certificates(), before)

    def test_it_ends_with_its_input(self):
        ca = self.ca()
        with socket.create_connection(("127.0.0.1", ca.port)):
            ca.process.stdin.close()
            self.assertEqual(ca.process.wait(60), 0)
        ca.process.stdout.close()


class Misbehaviour(CaTest):
    def test_faults_of_connections(self):
        ca = self.ca()
        for fault in ("close", "reset", "garbage", "close-after-hello", "close-after-handshake"):
            ca.rule("connection", 1, fault=fault)
            with self.assertRaises(ConnectionError, msg=fault):
                self.ask(ca, "cacerts")
        self.assertEqual(self.ask(ca, "cacerts").status, 200)

    def test_stalls_end_when_the_client_goes(self):
        ca = self.ca()
        ca.rule("connection", 1, fault="stall")
        with socket.create_connection(("127.0.0.1", ca.port)):
            ca.wait_for(lambda events: any(event.get("fault") == "stall" for event in events))
        ca.rule("cacerts", fault="stall-in-body")
        session = Session(ca.port, ca.root)
        session.send(message("cacerts"))
        session.read_until(rb"MII")
        session.close()
        ca.wait_for(lambda events: any(event["event"] == "answered" for event in events))

    def test_faults_in_the_answer(self):
        ca = self.ca()
        for fault in ("close-before-answer", "close-in-head", "reset", "garbage"):
            ca.rule("cacerts", 1, fault=fault)
            with self.assertRaises((ConnectionError, AssertionError), msg=fault):
                answer = self.ask(ca, "cacerts")
                self.assertIn("content-length", answer.headers)
        for fault in ("close-in-body", "cut-in-body"):
            ca.rule("cacerts", 1, fault=fault)
            answer = self.ask(ca, "cacerts")
            self.assertLess(len(answer.body), int(answer.headers["content-length"]))
        ca.rule("cacerts", 1, fault="bad-chunk")
        with self.assertRaises(ValueError):
            self.ask(ca, "cacerts")
        ca.rule("cacerts", 1, fault="slow", pace=0)
        self.assertEqual(self.ask(ca, "cacerts").status, 200)

    def test_endless_answers_count_what_they_sent(self):
        ca = self.ca()
        for fault in ("endless-body", "endless-head", "oversized"):
            ca.rule("cacerts", 1, fault=fault, size=50000000)
            session = Session(ca.port, ca.root)
            session.send(message("cacerts"))
            session.read_until(rb"(?s)HTTP/1.*.{300000}")
            session.close()
            number = ca.requests()[-1]["number"]
            events = ca.wait_for(lambda all: any(e["event"] == "answered" and e["number"] == number for e in all))
            self.assertGreater(events[-1]["bytes"], 300000)

    def test_bad_encodings(self):
        ca = self.ca()
        ca.rule("cacerts", 1, base64="bad")
        self.assertIn(b"*", self.ask(ca, "cacerts").body)
        ca.rule("cacerts", 1, base64="none")
        self.assertTrue(self.ask(ca, "cacerts").body.startswith(b"\x30"))
        ca.rule("cacerts", 1, content_type="text/html", text="<html>")
        answer = self.ask(ca, "cacerts")
        self.assertEqual((answer.headers["content-type"], answer.body), ("text/html", b"<html>"))

    def test_faulty_messages(self):
        ca = self.ca(algorithm="P-256")
        sizes = {}
        for kind in ("", "with-key", "signed-content", "thousand", "empty", "twice", "backwards", "data", "truncated",
                     "trailing", "not-der", "with-crl"):  # fmt: skip
            ca.rule("cacerts", 1, pkcs7=kind)
            sizes[kind] = len(self.ask(ca, "cacerts").der())
        self.assertGreater(sizes["thousand"], 300000)
        for kind in ("with-key", "signed-content", "twice", "trailing", "with-crl"):
            self.assertGreater(sizes[kind], sizes[""], kind)
        for kind in ("empty", "data", "truncated"):
            self.assertLess(sizes[kind], sizes[""], kind)

    def test_faulty_certificates(self):
        ca = self.ca(algorithm="P-256")
        device = Device(self.folder, "device", "P-256")
        public = openssl("pkey", "-in", device.key, "-pubout").decode()
        signs = {
            "other-key": lambda text: public not in text,
            "expired": lambda text: "expired" in self.check(ca, text),
            "not-yet-valid": lambda text: "not yet valid" in self.check(ca, text),
            "wrong-subject": lambda text: "CN=somebody else" in text,
            "wrong-names": lambda text: "somebody.else.example" in text,
            "no-names": lambda text: "device.example" not in text,
            "ca": lambda text: "CA:TRUE" in text,
            "no-usage": lambda text: "Extended Key Usage" not in text,
            "wrong-usage": lambda text: "E-mail Protection" in text,
            "wrong-key-usage": lambda text: "Digital Signature" not in text,
            "untrusted": lambda text: "error" in self.check(ca, text),
            "bad-signature": lambda text: "signature failure" in self.check(ca, text),
        }
        for fault, holds in signs.items():
            ca.rule("simpleenroll", 1, certificate=fault)
            (certificate,) = self.ask(ca, "simpleenroll", device.request()).certificates()
            text = certificate + self.text(certificate, "-subject", "-text", "-pubkey")
            self.assertTrue(holds(text), f"{fault}: {text}")
        (right,) = self.enroll(ca, device)
        text = right + self.text(right, "-subject", "-text", "-pubkey")
        self.assertEqual([fault for fault, holds in signs.items() if holds(text)], [])

    def check(self, ca, pem):
        """What `openssl verify` finds wrong."""
        path = os.path.join(self.folder, "checked.pem")
        with open(path, "w", encoding="utf-8") as file:
            file.write(pem)
        try:
            openssl("verify", "-CAfile", ca.root, path)
        except AssertionError as error:
            return str(error)
        return ""

    def test_faulty_server_certificates(self):
        ca = self.ca()
        for fault, reason in (
            ({"issuer": "other"}, "error|fail"), ({"not_after": -60}, "expired"), ({"not_before": 3600}, "not yet valid"),
            ({"names": "DNS:elsewhere.example", "common_name": "elsewhere"}, "name mismatch"),
            ({"usage": "clientAuth"}, "purpose"),
        ):  # fmt: skip
            ca.set(server={"issuer": "current", "not_after": 3600, "not_before": -60, "names": "DNS:localhost",
                           "common_name": "localhost", "usage": "serverAuth"})  # fmt: skip
            ca.server_certificate(**fault)
            with self.assertRaisesRegex(ConnectionError, reason):
                self.ask(ca, "cacerts")


if __name__ == "__main__":
    unittest.main()
