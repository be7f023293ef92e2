"""est_service renews at the test CA: in time, by the certificate before, over restarts and outages."""

import base64
import time
import unittest

from gateway import GatewayTest, Session

ISO = "%Y-%m-%dT%H:%M:%SZ"


class Renewal(GatewayTest):
    def test_comes_by_itself_with_the_certificate_before(self):
        ca = self.ca(settings={"issue": {"lifetime": 200, "backdate": 10}})
        gateway = self.gateway(ca, renewal={"at_percent": 6, "jitter_percent": 0})
        first = gateway.wait_for_certificate()
        second = gateway.wait_for_certificate(other_than=first)
        entry = ca.requests("simplereenroll")[0]
        self.assertEqual(entry["authenticated"], "certificate")
        self.assertEqual(entry["client_certificate"]["algorithm"], "ML-DSA-65")
        self.assertEqual(entry["authorization"], "")
        self.assertEqual(second["previous"]["chain"], first["current"]["chain"])
        self.assertEqual(second["current"]["key_id"], first["current"]["key_id"])

    def test_makes_a_new_key_where_it_is_wanted_and_keeps_one_before(self):
        ca = self.ca()
        gateway = self.gateway(ca, certificates=[{"rekey": True}])
        states = [gateway.wait_for_certificate()]
        for _ in range(3):
            gateway.renew()
            states.append(gateway.wait_for_certificate(other_than=states[-1]))
        self.assertEqual(len({state["current"]["key_id"] for state in states}), 4)
        gateway.wait(lambda: gateway.keys() == 2)
        with Session(gateway.socket) as session:
            for which, state in ((0, states[3]), (1, states[2])):
                told = (state["current"]["chain"], state["current"]["key_id"])
                gateway.wait(lambda which=which, told=told: session.certificate(which=which) == told)

    def test_follows_the_hint_of_the_server(self):
        now = time.time()
        begin, end = (time.strftime(ISO, time.gmtime(now + offset)) for offset in (-120, -60))
        ca = self.ca(settings={"renewal_info": {"suggestedWindow": {"start": begin, "end": end}}})
        gateway = self.gateway(ca)
        gateway.wait_for_log("the server says when to renew")
        first = gateway.wait_for_state(lambda state: "previous" in state)["previous"]["chain"]
        self.assertNotEqual(gateway.wait_for_certificate()["current"]["chain"], first)
        self.assertEqual(ca.requests("simplereenroll")[-1]["authenticated"], "certificate")

    def test_of_a_changed_name_is_an_enrolment(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        first = gateway.wait_for_certificate()
        gateway.config["est"]["certificates"][0]["san"]["dns"].append("second.example")
        gateway.restart_est()
        second = gateway.wait_for_certificate(other_than=first)
        self.assertIn("DNS:second.example", self.verify(ca.root, second))
        self.assertEqual(len(ca.requests("simplereenroll")), 0)
        self.assertEqual(ca.requests("simpleenroll")[-1]["authenticated"], "certificate")


class Waiting(GatewayTest):
    def test_for_a_certificate_to_be_valid_when_the_clock_of_the_ca_is_ahead(self):
        ca = self.ca(settings={"clock": 4, "issue": {"backdate": 0}})
        gateway = self.gateway(ca)
        installed = gateway.wait_for_state(lambda state: "current" in state)
        self.assertFalse(installed["current_used"])
        self.assertNotIn("last_failure", installed)
        gateway.wait_for_certificate()  # used as soon as it is valid, and not as late as a failure is tried again

    def test_for_a_202_survives_a_restart_and_sends_the_same_request(self):
        ca = self.ca()
        ca.rule("simpleenroll", 1, status=202, headers={"Retry-After": "4"})
        gateway = self.gateway(ca, retry={"first_s": 1, "longest_s": 1})
        waiting = gateway.wait_for_state(lambda state: (state.get("pending") or {}).get("waiting"))
        gateway.restart_est()
        self.assertEqual(gateway.state()["next_attempt"], waiting["next_attempt"])
        self.assertEqual(gateway.state()["pending"], waiting["pending"])
        self.assertEqual(len(ca.requests("simpleenroll")), 1)
        gateway.wait_for_certificate()
        sent = ca.requests("simpleenroll")[-1]["request"]["der"]
        self.assertEqual(base64.b64decode(sent), base64.b64decode(waiting["pending"]["request"]))
        self.assertGreaterEqual(time.time(), waiting["next_attempt"])

    def test_for_a_server_that_has_too_much_to_do(self):
        ca = self.ca()
        ca.rule("simpleenroll", 1, status=503, headers={"Retry-After": "1"})
        gateway = self.gateway(ca)
        gateway.wait_for_log("enrolment failed .*failure=retry-later")
        gateway.wait_for_certificate()  # although the configuration waits for a day

    def test_out_an_outage_with_the_certificate_that_is_there(self):
        ca = self.ca()
        gateway = self.gateway(ca, retry={"first_s": 1, "longest_s": 1})
        first = gateway.wait_for_certificate()
        ca.listen(False)
        gateway.renew()
        state = gateway.wait_for_state(lambda state: state["failures"] > 1)
        self.assert_failure(state, "connect-failed", "refused")
        self.assertEqual(state["current"], first["current"])
        gateway.restart_crypto()
        gateway.restart_est()
        ca.listen(True)
        second = gateway.wait_for_certificate(other_than=first)
        self.assertEqual((second["failures"], "last_failure" in second), (0, False))

    def test_for_crypto_service(self):
        ca = self.ca()
        gateway = self.gateway(ca, retry={"first_s": 1, "longest_s": 1})
        first = gateway.wait_for_certificate()
        gateway.crypto.stop()
        gateway.renew()
        state = gateway.wait_for_failure()
        self.assert_failure(state, "key-service")
        gateway.crypto.start()
        self.assertEqual(gateway.wait_for_certificate(other_than=first)["failures"], 0)


if __name__ == "__main__":
    unittest.main()
