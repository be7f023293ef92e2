"""est_service enrols and renews at EST servers that this project did not write (peers.py)."""

import unittest

import peers
from gateway import GatewayTest

ECDSA = {"key_type": "ECDSA-P256"}  # the only curve that the server takes in TLS
ANY_KEY = "MBkGBysGAQEBARYGCSqGSIb3DQEJAQYDVQQF"  # as those, without a curve or a hash


class PeerTest(GatewayTest):
    def setUp(self):
        super().setUp()
        if why := peers.missing():
            self.skipTest("NOT RUN: " + why.removeprefix("NOT RUN: "))

    def peer(self, kind, **settings):
        peer = kind(self.path("peer"), **settings)
        self.addCleanup(peer.close)
        peer.start()
        return peer


class EstServer(PeerTest):
    def at(self, server, **settings):
        return self.gateway(server, **{"least_tls": "1.2", "credential": server.CREDENTIAL, **settings})

    def test_enrols_by_password_and_renews(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY)
        gateway = self.at(server, certificates=[ECDSA])
        first = gateway.wait_for_certificate()
        self.verify(server.root, first, "-purpose", "sslclient")
        gateway.renew()
        second = gateway.wait_for_certificate(other_than=first)
        self.assertEqual(second["current"]["key_id"], first["current"]["key_id"])

    def test_has_csr_attributes_that_end_with_a_zero_byte(self):
        server = self.peer(peers.EstServer)  # its own ones, which want P-384
        gateway = self.at(server, certificates=[{"key_type": "ECDSA-P384"}])
        self.verify(server.root, gateway.wait_for_state(lambda state: "current" in state))

    def test_enrols_a_key_of_ml_dsa(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY)
        gateway = self.at(server)
        state = gateway.wait_for_state(lambda state: "current" in state)
        self.assertIn("ML-DSA-65 Public-Key", self.verify(server.root, state))

    def test_refuses_a_wrong_password_by_name(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY)
        state = self.at(server, credential=("estuser", "wrong"), certificates=[ECDSA]).wait_for_failure()
        self.assert_failure(state, "credential-rejected")

    def test_offers_digest_with_md5_which_fips_mode_has_not(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY, options=("-h",))
        state = self.at(server, certificates=[ECDSA], fips="required").wait_for_failure()
        self.assert_failure(state, "unsupported-authentication", "MD5")
        self.at(server, certificates=[ECDSA], fips="off", name="free").wait_for_certificate()

    def test_demands_the_link_to_tls(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY, options=("-t",))
        gateway = self.at(server, certificates=[ECDSA])
        self.verify(server.root, gateway.wait_for_certificate())

    def test_lets_wait(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY, options=("-m", "60"))
        gateway = self.at(server, certificates=[ECDSA])
        gateway.wait_for_state(lambda state: (state.get("pending") or {}).get("waiting"))
        gateway.restart_est()
        gateway.renew()  # a person is not as patient
        self.verify(server.root, gateway.wait_for_certificate())

    def test_renews_by_certificate_alone(self):
        server = self.peer(peers.EstServer, csrattrs=ANY_KEY)
        gateway = self.at(server, certificates=[ECDSA])
        first = gateway.wait_for_certificate()
        server.stop()
        server.options = ("-o",)
        server.start()
        gateway.renew()
        self.verify(server.root, gateway.wait_for_certificate(other_than=first))

    def test_wants_a_key_that_is_not_configured(self):
        server = self.peer(peers.EstServer)
        self.assert_failure(self.at(server).wait_for_failure(), "configuration", "wants a key of type P-384")

    def test_has_too_old_a_tls_by_default(self):
        server = self.peer(peers.EstServer)
        gateway = self.at(server, least_tls="1.3")
        self.assert_failure(gateway.wait_for_trust(lambda trust: trust["failures"]), "tls-version")


class NginxBeforeEstServer(PeerTest):
    def test_enrols_over_tls_1_3(self):
        server = self.peer(peers.NginxBeforeEstServer, csrattrs=ANY_KEY)
        anchors = self.path("anchors.pem")
        with open(anchors, "w", encoding="utf-8") as file:
            for path in (server.root, server.issuer):
                with open(path, encoding="utf-8") as part:
                    file.write(part.read())
        gateway = self.gateway(server, trust={"anchors_file": anchors}, credential=peers.EstServer.CREDENTIAL)
        state = gateway.wait_for_state(lambda state: "current" in state)
        self.assertIn("ML-DSA-65 Public-Key", self.verify(server.issuer, state))


class NginxBeforeTestCa(PeerTest):
    def test_enrols_and_renews_by_an_ml_dsa_certificate(self):
        server = self.peer(peers.NginxBeforeTestCa)
        gateway = self.gateway(server)
        first = gateway.wait_for_certificate()
        gateway.renew()
        gateway.wait_for_certificate(other_than=first)
        entry = server.ca.requests("simplereenroll")[-1]
        self.assertEqual((entry["authenticated"], entry["tls"], entry["group"]),
                         ("certificate", "TLSv1.3", "X25519MLKEM768"))  # fmt: skip


if __name__ == "__main__":
    unittest.main()
