"""est_service and crypto_service enrol at the test CA: ways to authenticate, to trust, and to be certified."""

import os
import unittest

from est_client import Device, basic, message, ask, openssl
from gateway import GatewayTest, Session

CHALLENGE_PASSWORD = "MAsGCSqGSIb3DQEJBw=="  # csrattrs: a list of this one object identifier
TLS_1_2 = {"tls": {"min": "1.2", "max": "1.2"}, "server": {"algorithm": "P-256"}}


def fingerprint(path):
    text = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", path).decode()
    return text.strip().partition("=")[2]


class FirstEnrolment(GatewayTest):
    def test_by_password_with_a_key_of_ml_dsa_65(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        state = gateway.wait_for_certificate()
        text = self.verify(ca.root, state, "-purpose", "sslclient")
        self.assertIn("ML-DSA-65 Public-Key", text)
        self.assertIn("DNS:device.example", text)
        entry = ca.requests("simpleenroll")[-1]
        self.assertEqual((entry["tls"], entry["group"]), ("TLSv1.3", "X25519MLKEM768"))
        self.assertEqual((entry["authenticated"], entry["request"]["algorithm"]), ("basic", "ML-DSA-65"))
        shown = ca.requests("cacerts")[-1]["client_certificate"]  # it is used as soon as it is installed
        self.assertEqual((shown["subject"], shown["algorithm"]), ("CN=device", "ML-DSA-65"))
        with Session(gateway.socket) as session:
            self.assertEqual(session.certificate(), (state["current"]["chain"], state["current"]["key_id"]))

    def test_the_password_is_sent_only_when_it_is_asked_for(self):
        ca = self.ca()
        self.gateway(ca).wait_for_certificate()
        self.assertEqual([entry["authorization"] for entry in ca.requests("simpleenroll")], ["", "Basic"])
        self.assertEqual({entry["authorization"] for entry in ca.requests("cacerts")}, {""})

    def test_with_every_key_type_that_signs(self):
        ca = self.ca(issuing=True, algorithm="P-256")
        types = {"ML-DSA-44": "ML-DSA-44", "ML-DSA-87": "ML-DSA-87", "ECDSA-P256": "P-256", "ECDSA-P384": "P-384"}
        gateway = self.gateway(ca, certificates=[{"name": key, "key_type": key} for key in types])
        for key, algorithm in types.items():
            self.verify(ca.root, gateway.wait_for_certificate(key), "-purpose", "sslclient")
            entries = [entry for entry in ca.requests() if (entry.get("request") or {}).get("subject") == "CN=" + key]
            self.assertEqual(entries[-1]["request"]["algorithm"], algorithm)
            shown = [entry["client_certificate"] for entry in ca.requests("cacerts") if entry["client_certificate"]]
            self.assertIn(algorithm, [certificate["algorithm"] for certificate in shown])

    def test_by_digest(self):
        for offered in ("digest-sha256", "digest"):
            ca = self.ca(offered, settings={"authentication": {"http": offered}})
            self.gateway(ca, name="gateway-" + offered).wait_for_certificate()
            self.assertEqual(ca.requests("simpleenroll")[-1]["authenticated"], "digest-sha256")

    def test_by_digest_with_md5_outside_fips_mode_only(self):
        ca = self.ca(settings={"authentication": {"http": "digest-md5"}})
        state = self.gateway(ca, fips="required").wait_for_failure()
        self.assert_failure(state, "unsupported-authentication", "MD5")
        self.gateway(ca, name="free", fips="off").wait_for_certificate()
        self.assertEqual(ca.requests("simpleenroll")[-1]["authenticated"], "digest-md5")

    def test_with_a_wrong_password_is_refused_by_name(self):
        ca = self.ca()
        state = self.gateway(ca, credential=("device", "wrong")).wait_for_failure()
        self.assert_failure(state, "credential-rejected", "password")
        self.assertNotIn("current", state)

    def test_by_a_certificate_in_files(self):
        ca = self.ca()
        maker = Device(self.folder, "maker")
        answer = ask(ca.port, ca.root, message("simpleenroll", maker.request(), headers=[basic("device", "secret")]))
        maker.keep(answer.certificates()[0])
        os.chmod(maker.key, 0o600)
        files = {"certificate_file": maker.certificate, "key_file": maker.key}
        gateway = self.gateway(ca, credential=files)
        gateway.wait_for_certificate()
        entry = ca.requests("simpleenroll")[-1]
        self.assertEqual((entry["authenticated"], entry["client_certificate"]["subject"]), ("certificate", "CN=maker"))

    def test_in_fips_mode_and_renewal_there(self):
        ca = self.ca()
        gateway = self.gateway(ca, fips="required")
        state = gateway.wait_for_certificate()
        gateway.renew()
        gateway.wait_for_certificate(other_than=state)
        entry = ca.requests("simplereenroll")[-1]
        self.assertEqual((entry["authenticated"], entry["client_certificate"]["algorithm"]), ("certificate", "ML-DSA-65"))

    def test_at_a_label(self):
        ca = self.ca()
        self.gateway(ca, server=f"https://localhost:{ca.port}/.well-known/est/plant").wait_for_certificate()
        self.assertEqual({entry["label"] for entry in ca.requests()}, {"plant"})

    def test_whatever_the_shape_of_the_answers(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        state = gateway.wait_for_certificate()
        for shape in (
            {"framing": "chunked"}, {"framing": "close"}, {"framing": "http10"}, {"base64": "single"},
            {"base64": "crlf"}, {"encoding_header": False}, {"pkcs7": "twice"}, {"pkcs7": "backwards"}, {"pad": 100},
        ):  # fmt: skip
            ca.command(clear_rules=True, rules=[{"on": "*", "with": shape}])
            gateway.renew()
            state = gateway.wait_for_certificate(other_than=state)


class OtherKeys(GatewayTest):
    def test_ml_kem_with_a_statement_of_possession(self):
        ca = self.ca()
        names = {"subject": "CN=device", "san": {"dns": ["device.example"]}}  # the signer's, as RFC 9883 wants it
        kem = {"name": "kem", "key_type": "ML-KEM-768", "signed_by": "device", **names}
        gateway = self.gateway(ca, certificates=[{}, kem])
        text = self.verify(ca.root, gateway.wait_for_certificate("kem"))
        self.assertIn("ML-KEM-768 Public-Key", text)
        self.assertIn("Key Encipherment", text)
        self.assertEqual(ca.requests("simpleenroll")[-1]["request"]["possession"], "statement")

    def test_made_by_the_server(self):
        ca = self.ca()
        gateway = self.gateway(ca, certificates=[{"server_made_key": True}])
        state = gateway.wait_for_certificate()
        self.verify(ca.root, state, "-purpose", "sslclient")
        self.assertEqual(ca.requests("cacerts")[-1]["client_certificate"]["algorithm"], "ML-DSA-65")
        self.assertEqual(gateway.keys(), 1)  # the one that signed the request is gone


class Trust(GatewayTest):
    def test_by_fingerprint(self):
        ca = self.ca()
        gateway = self.gateway(ca, trust={"fingerprints": [fingerprint(ca.root)]})
        self.verify(ca.root, gateway.wait_for_certificate())
        with open(ca.root, encoding="utf-8") as file:
            self.assertEqual(gateway.trust()["anchors"], file.read())

    def test_a_root_with_another_fingerprint_is_not_taken(self):
        ca = self.ca()
        gateway = self.gateway(ca, trust={"fingerprints": ["ab" * 32]})
        self.assert_failure(gateway.wait_for_trust(lambda trust: trust["failures"]), "wrong-fingerprint")
        self.assertEqual(ca.requests("simpleenroll"), [])
        self.assertEqual({entry["authorization"] for entry in ca.requests()}, {""})

    def test_by_public_cas_at_first_and_then_by_its_own(self):
        ca = self.ca()
        gateway = self.gateway(ca, trust={"implicit_anchors_file": ca.root})
        self.verify(ca.root, gateway.wait_for_certificate())

    def test_of_a_ca_that_rolls_over(self):
        ca = self.ca(algorithm="P-256")
        gateway = self.gateway(ca)
        first = gateway.wait_for_certificate()
        with open(ca.root, encoding="utf-8") as file:
            old = file.read()
        self.assertEqual(gateway.trust()["anchors"], old)
        ca.set(clock=10)  # the new root must be younger than the old one
        ca.roll_over(algorithm="ML-DSA-65")
        gateway.renew("")
        trust = gateway.wait_for_trust(lambda trust: trust["anchors"] != old)
        self.assertEqual(trust["anchors"].count("BEGIN CERTIFICATE"), 2)
        ca.server_certificate(issuer="current")
        gateway.renew()
        second = gateway.wait_for_certificate(other_than=first)
        with open(self.path("new.pem"), "w", encoding="utf-8") as file:
            file.write(trust["anchors"].replace(old, ""))
        self.assertIn("Signature Algorithm: ML-DSA-65", self.verify(self.path("new.pem"), second))


class LinkToTls(GatewayTest):
    def test_by_tls_exporter_where_the_server_asks_for_it(self):
        ca = self.ca(settings={"require_binding": True, "csrattrs": CHALLENGE_PASSWORD})
        gateway = self.gateway(ca)
        state = gateway.wait_for_certificate()
        gateway.renew()
        gateway.wait_for_certificate(other_than=state)
        for operation in ("simpleenroll", "simplereenroll"):
            self.assertEqual(ca.requests(operation)[-1]["request"]["binding"], "bound")

    def test_by_tls_unique_in_tls_1_2(self):
        ca = self.ca(settings={"require_binding": True, "csrattrs": CHALLENGE_PASSWORD, **TLS_1_2})
        gateway = self.gateway(ca, least_tls="1.2", certificates=[{"key_type": "ECDSA-P256"}])
        state = gateway.wait_for_certificate()
        gateway.renew()
        gateway.wait_for_certificate(other_than=state)
        entry = ca.requests("simplereenroll")[-1]
        self.assertEqual((entry["tls"], entry["request"]["binding"]), ("TLSv1.2", "bound"))
        self.assertEqual(entry["authenticated"], "certificate")

    def test_is_absent_where_nobody_asks(self):
        ca = self.ca()
        self.gateway(ca).wait_for_certificate()
        self.assertEqual(ca.requests("simpleenroll")[-1]["request"]["binding"], "absent")

    def test_tls_1_2_is_refused_unless_it_is_allowed(self):
        ca = self.ca(settings=TLS_1_2)
        gateway = self.gateway(ca)
        self.assert_failure(gateway.wait_for_trust(lambda trust: trust["failures"]), "tls-version")
        self.assertEqual(ca.requests(), [])


if __name__ == "__main__":
    unittest.main()
