"""How the real EST servers behave: seen with openssl and Python only, before the product meets them. What is held here is
what the product has to live with."""

import os
import re
import shutil
import socket
import tempfile
import unittest

import peers
from est_client import Device, PythonSession, ask, basic, digest, message, openssl

CREDENTIAL = basic(*peers.EstServer.CREDENTIAL)
TLS_1_2 = ("-tls1_2",)


class PeerTest(unittest.TestCase):
    def setUp(self):
        if why := peers.missing():
            self.skipTest("NOT RUN: " + why.removeprefix("NOT RUN: "))
        self.folder = tempfile.mkdtemp(prefix="wvds-est-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, kind, **settings):
        peer = kind(os.path.join(self.folder, "peer"), **settings)
        self.addCleanup(peer.close)
        peer.start()
        return peer

    def device(self, algorithm="ML-DSA-65"):
        return Device(self.folder, "device", algorithm)

    def text(self, pem, *options):
        return openssl("x509", "-noout", *options, data=pem.encode()).decode()

    def verify(self, root, pem, device):
        device.keep(pem)
        openssl("verify", "-CAfile", root, device.certificate)
        self.assertEqual(self.text(pem, "-pubkey"), openssl("pkey", "-in", device.key, "-pubout").decode())


class EstServer(PeerTest):
    def ask(self, server, *arguments, headers=(CREDENTIAL,), **settings):
        return ask(server.port, server.root, message(*arguments, headers=headers), options=TLS_1_2, **settings)

    def test_cacerts(self):
        server = self.start(peers.EstServer)
        answer = self.ask(server, "cacerts", headers=())
        # HTTP/1.0 with a Status header, base64 in lines, the encoding named
        self.assertEqual((answer.version, answer.status), ("HTTP/1.0", 200))
        self.assertEqual(answer.headers["status"], "200 OK")
        self.assertEqual(answer.headers["content-type"], "application/pkcs7-mime")
        self.assertEqual(answer.headers["content-transfer-encoding"], "base64")
        with open(server.root, encoding="utf-8") as file:
            self.assertEqual(answer.certificates(), [file.read()])

    def test_it_has_no_tls_1_3(self):
        server = self.start(peers.EstServer)
        with self.assertRaisesRegex(ConnectionError, "alert protocol version"):
            ask(server.port, server.root, message("cacerts"), options=("-tls1_3",))

    def test_enrolment_of_each_algorithm(self):
        server = self.start(peers.EstServer)
        for algorithm in ("P-256", "P-384", "ML-DSA-44", "ML-DSA-65"):
            device = self.device(algorithm)
            answer = self.ask(server, "simpleenroll", device.request())
            self.assertEqual(answer.status, 200, f"{algorithm}: {answer.body}")
            (certificate,) = answer.certificates()
            self.verify(server.root, certificate, device)
            self.assertIn("DNS:device.example", self.text(certificate, "-ext", "subjectAltName"))

    def test_long_requests_are_refused(self):
        server = self.start(peers.EstServer)
        self.assertEqual(self.ask(server, "simpleenroll", self.device("ML-DSA-87").request()).status, 413)

    def test_wrong_password(self):
        server = self.start(peers.EstServer)
        request = self.device("P-256").request()
        answer = self.ask(server, "simpleenroll", request, headers=())
        self.assertEqual((answer.status, answer.headers["www-authenticate"]), (401, 'Basic realm="estrealm"'))
        answer = self.ask(server, "simpleenroll", request, headers=(basic("estuser", "wrong"),))
        self.assertEqual((answer.status, answer.headers.get("www-authenticate")), (401, None))  # no further try

    def test_renewal_with_the_certificate_needs_the_password_too(self):
        server = self.start(peers.EstServer)
        device = self.device("P-256")
        device.keep(self.ask(server, "simpleenroll", device.request()).certificates()[0])
        known = {"certificate": device.certificate, "key": device.key}
        self.assertEqual(self.ask(server, "simplereenroll", device.request(), headers=(), **known).status, 401)
        self.assertEqual(self.ask(server, "simplereenroll", device.request(), **known).status, 200)

    def test_renewal_with_the_certificate_alone(self):
        server = self.start(peers.EstServer, options=("-o",))
        device = self.device("P-256")  # TLS 1.2 has no ML-DSA
        device.keep(self.ask(server, "simpleenroll", device.request()).certificates()[0])
        known = {"certificate": device.certificate, "key": device.key}
        answer = self.ask(server, "simplereenroll", device.request(), headers=(), **known)
        self.assertEqual(answer.status, 200, answer.body)
        self.verify(server.root, answer.certificates()[0], device)

    ATTRIBUTES = "MCYGBysGAQEBARYGCSqGSIb3DQEJAQYFK4EEACIGCWCGSAFlAwQCAg=="

    def test_attributes(self):
        server = self.start(peers.EstServer, csrattrs=self.ATTRIBUTES)
        answer = self.ask(server, "csrattrs", headers=())
        self.assertEqual(answer.headers["content-type"], "application/csrattrs")
        self.assertEqual(answer.body, self.ATTRIBUTES.encode())

    def test_its_own_attributes_end_with_a_zero_byte(self):
        server = self.start(peers.EstServer)
        self.assertEqual(self.ask(server, "csrattrs").body, self.ATTRIBUTES.encode() + b"\0")

    def test_attributes_ask_for_the_link(self):
        server = self.start(peers.EstServer, options=("-t",), csrattrs=self.ATTRIBUTES)
        text = openssl("asn1parse", "-inform", "DER", data=self.ask(server, "csrattrs").der()).decode()
        self.assertIn("challengePassword", text)

    def test_digest(self):
        server = self.start(peers.EstServer, options=("-h",))
        target = "/.well-known/est/simpleenroll"
        request = self.device("P-256").request()
        challenge = self.ask(server, "simpleenroll", request, headers=()).headers["www-authenticate"]
        self.assertTrue(challenge.startswith('Digest qop="auth", realm="estrealm", nonce="'), challenge)
        self.assertNotIn("algorithm", challenge)  # MD5, then: RFC 7616 section 3.3
        for password, status in (("wrong", 401), ("estpwd", 200)):
            header = digest(challenge, "POST", target, "estuser", password, "md5")
            self.assertEqual(self.ask(server, "simpleenroll", request, headers=(header,)).status, status)

    def test_first_post_has_to_wait(self):
        server = self.start(peers.EstServer, options=("-m", "60"))
        request = self.device("P-256").request()
        answer = self.ask(server, "simpleenroll", request)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "60"))
        self.assertEqual(self.ask(server, "simpleenroll", request).status, 200)

    def test_link_to_the_tls_session(self):
        server = self.start(peers.EstServer, options=("-t",))
        device = self.device("P-256")
        for binding in (None, b"0123456789ab"):
            answer = self.ask(server, "simpleenroll", device.request(binding=binding))
            self.assertEqual((answer.status, answer.headers.get("www-authenticate")), (401, None))
            self.assertIn(b"Proof of Possession", answer.body)
        session = PythonSession(server.port, server.root)
        linked = message("simpleenroll", device.request(binding=session.binding), headers=[CREDENTIAL])
        self.assertEqual(session.ask(linked).status, 200)

    def test_server_key(self):
        server = self.start(peers.EstServer)
        answer = self.ask(server, "serverkeygen", self.device("P-256").request())
        self.assertTrue(answer.headers["content-type"].startswith("multipart/mixed"), answer.headers)
        parts = re.findall(r"Content-Type: ([^\r\n]*)", answer.body.decode())
        self.assertEqual(parts, ["application/pkcs8", "application/pkcs7-mime; smime-type=certs-only"])

    def test_labels_and_unknown_operations_are_not_found(self):
        server = self.start(peers.EstServer)
        request = message("cacerts", label="plant")
        self.assertEqual(ask(server.port, server.root, request, options=TLS_1_2).status, 404)
        self.assertEqual(self.ask(server, "nothing").status, 404)

    def test_nobody_outside_sees_it(self):
        server = self.start(peers.EstServer)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.PORT))


class NginxBeforeEstServer(PeerTest):
    def test_enrolment_over_tls_1_3(self):
        server = self.start(peers.NginxBeforeEstServer)
        device = self.device()
        request = message("simpleenroll", device.request(), headers=[CREDENTIAL])
        answer = ask(server.port, server.root, request, options=("-tls1_3", "-groups", "X25519MLKEM768"))
        self.assertEqual(answer.status, 200, answer.body)
        self.verify(server.issuer, answer.certificates()[0], device)
        wrong = message("simpleenroll", device.request(), headers=[basic("estuser", "wrong")])
        self.assertEqual(ask(server.port, server.root, wrong).status, 401)
        with self.assertRaisesRegex(ConnectionError, "alert protocol version"):
            ask(server.port, server.root, request, options=TLS_1_2)


class NginxBeforeTestCa(PeerTest):
    def test_renewal_with_an_ml_dsa_certificate(self):
        server = self.start(peers.NginxBeforeTestCa)
        device = self.device()
        request = message("simpleenroll", device.request(), headers=[basic("device", "secret")])
        answer = ask(server.port, server.root, request, options=("-tls1_3", "-groups", "SecP256r1MLKEM768"))
        self.assertEqual(answer.status, 200, answer.body)
        self.verify(server.root, answer.certificates()[0], device)
        self.assertEqual(server.ca.requests()[-1]["group"], "SecP256r1MLKEM768")
        again = message("simplereenroll", device.request(binding=b"x" * 32))
        answer = ask(server.port, server.root, again, certificate=device.certificate, key=device.key)
        self.assertEqual(answer.status, 200, answer.body)
        entry = server.ca.requests()[-1]
        self.assertEqual((entry["authenticated"], entry["tls"]), ("certificate", "TLSv1.3"))
        self.assertEqual(entry["request"]["binding"], "unverifiable")


if __name__ == "__main__":
    unittest.main()
