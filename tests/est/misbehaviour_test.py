"""A server that misbehaves: each time est_service names what was wrong, keeps the certificate that it has, and stays
small and alive."""

import unittest

from gateway import GatewayTest

MOST_MEMORY = 64  # MB that est_service may grow by


class Misbehaviour(GatewayTest):
    def setUp(self):
        super().setUp()
        self.peer = self.ca()

    def enrolled(self, **settings):
        gateway = self.gateway(self.peer, timeout_s=10, **settings)
        return gateway, gateway.wait_for_certificate()

    def meet(self, faults, operation="simplereenroll", **settings):
        """Renews once for each of the faults: (the answer's rule, the failure's name, what its detail says)."""
        gateway, first = self.enrolled(**settings)
        memory = gateway.peak_memory()
        before = first
        for rule, name, detail in faults:
            with self.subTest(**rule):
                operations = [operation] if operation == "connection" else [operation, "simpleenroll"]
                self.peer.command(clear_rules=True, rules=[{"on": one, "with": rule} for one in operations])
                gateway.renew()
                before = gateway.wait_for_failure(after=before)
                self.assert_failure(before, name, detail)
                self.assertEqual(before["current"], first["current"])
        self.assertLess(gateway.peak_memory(), memory + MOST_MEMORY)
        self.peer.clear_rules()
        gateway.renew()
        after = gateway.wait_for_certificate(other_than=first)
        self.assertEqual((after["failures"], "last_failure" in after), (0, False))

    def test_of_answers(self):
        self.meet([
            ({"content_type": "text/html"}, "bad-content-type", "text/html"),
            ({"content_type": "application/pkcs7-mime; smime-type=signed-data"}, "bad-content-type", "signed-data"),
            ({"base64": "bad"}, "bad-base64", ""),
            ({"base64": "none"}, "bad-base64", ""),
            ({"text": ""}, "bad-base64", "empty"),
            ({"status": 302, "headers": {"Location": "https://elsewhere.example/x"}}, "redirect-refused", "elsewhere"),
            ({"status": 302, "headers": {"Location": "http://localhost/x"}}, "redirect-refused", ""),
            ({"status": 307, "headers": {"Location": "/.well-known/est/simplereenroll"}}, "redirect-refused", "more than"),
            ({"status": 400}, "request-refused", "status 400"),
            ({"status": 404}, "not-offered", ""),
            ({"status": 500}, "server-error", "500"),
            ({"status": 204}, "bad-http", "204"),
        ])  # fmt: skip

    def test_of_messages(self):
        self.meet([
            ({"pkcs7": "with-key"}, "bad-pkcs7", ""),
            ({"pkcs7": "signed-content"}, "bad-pkcs7", ""),
            ({"pkcs7": "thousand"}, "too-large|bad-pkcs7", ""),
            ({"pkcs7": "empty"}, "bad-pkcs7", ""),
            ({"pkcs7": "data"}, "bad-pkcs7", ""),
            ({"pkcs7": "truncated"}, "bad-pkcs7", ""),
            ({"pkcs7": "trailing"}, "bad-pkcs7", ""),
            ({"pkcs7": "not-der"}, "bad-pkcs7", ""),
        ])  # fmt: skip

    def test_of_certificates(self):
        self.meet([
            ({"certificate": "other-key"}, "wrong-key", ""),
            ({"certificate": "expired"}, "expired", ""),
            ({"certificate": "not-yet-valid"}, "not-yet-valid", ""),
            ({"certificate": "wrong-subject"}, "wrong-names", "somebody else"),
            ({"certificate": "wrong-names"}, "wrong-names", "device.example"),
            ({"certificate": "no-names"}, "wrong-names", "device.example"),
            ({"certificate": "ca"}, "not-usable", ""),
            ({"certificate": "wrong-usage"}, "missing-eku", ""),
            ({"certificate": "wrong-key-usage"}, "not-usable", ""),
            ({"certificate": "untrusted"}, "untrusted-chain", ""),
            ({"certificate": "bad-signature"}, "untrusted-chain", ""),
        ])  # fmt: skip

    def test_of_what_is_too_much(self):
        self.meet([
            ({"fault": "oversized", "size": 50_000_000}, "too-large", ""),
            ({"fault": "endless-body"}, "too-large", ""),
            ({"fault": "endless-body", "framing": "chunked"}, "too-large", ""),
            ({"fault": "endless-head"}, "too-large", ""),
            ({"fault": "bad-chunk"}, "bad-http", ""),
            ({"fault": "garbage"}, "bad-http", ""),
        ])  # fmt: skip

    def test_of_connections(self):
        self.meet([
            ({"fault": "close-before-answer"}, "connection-lost", ""),
            ({"fault": "reset"}, "connection-lost", ""),
            ({"fault": "close-in-head"}, "connection-lost", ""),
            ({"fault": "close-in-body"}, "connection-lost", ""),
            ({"fault": "cut-in-body"}, "connection-lost", ""),
            ({"fault": "reset-in-body"}, "connection-lost", ""),
        ])  # fmt: skip

    def test_before_the_request(self):
        self.meet([
            ({"fault": "close"}, "connection-lost", ""),
            ({"fault": "reset"}, "connection-lost|connect-failed", ""),  # the reset may come before accept
            ({"fault": "garbage"}, "tls-failed|tls-version", ""),
            ({"fault": "close-after-hello"}, "connection-lost", ""),
            ({"fault": "close-after-handshake"}, "connection-lost", ""),
        ], operation="connection")  # fmt: skip

    def test_slowly(self):
        gateway, first = self.enrolled()
        gateway.config["est"]["timeout_s"] = 1
        gateway.restart_est()
        before = first
        for fault in ("stall", "stall-in-head", "stall-in-body", "slow"):
            self.peer.command(clear_rules=True, rules=[{"on": "simplereenroll", "with": {"fault": fault, "pace": 20}}])
            gateway.renew()
            before = gateway.wait_for_failure(after=before)
            self.assert_failure(before, "timeout")
            self.assertEqual(before["current"], first["current"])

    def test_by_its_own_certificate(self):
        gateway, first = self.enrolled()
        before = first
        for fault, name in (
            ({"issuer": "other"}, "unknown-ca"), ({"not_after": -60}, "server-expired"),
            ({"not_before": 3600}, "server-expired"), ({"names": "DNS:elsewhere.example", "common_name": "elsewhere"},
            "name-mismatch"), ({"usage": "clientAuth"}, "missing-eku"),
        ):  # fmt: skip
            with self.subTest(**fault):
                right = {"issuer": "current", "not_after": 3600, "not_before": -60, "names": "DNS:localhost"}
                self.peer.set(server={**right, "common_name": "localhost", "usage": "serverAuth"})
                self.peer.server_certificate(**fault)
                gateway.renew()
                before = gateway.wait_for_failure(after=before)
                self.assert_failure(before, name)
                self.assertEqual(before["current"], first["current"])
        self.assertEqual(self.peer.requests("simplereenroll"), [])

    def test_by_an_older_tls(self):
        gateway, first = self.enrolled()
        self.peer.set(tls={"min": "1.2", "max": "1.2"}, server={"algorithm": "P-256"})
        self.peer.server_certificate()
        gateway.renew()
        state = gateway.wait_for_failure(after=first)
        self.assert_failure(state, "tls-version")
        self.assertEqual(state["current"], first["current"])

    def test_by_roots_that_nobody_vouches_for(self):
        gateway, _ = self.enrolled()
        before = gateway.trust()["anchors"]
        self.peer.set(cacerts=["other", "root"])
        gateway.renew("")
        gateway.wait_for_log("CA certificate not taken")
        gateway.renew()
        self.assertEqual(gateway.trust()["anchors"], before)


if __name__ == "__main__":
    unittest.main()
