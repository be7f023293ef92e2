"""wvds est against the real est_service: with a test CA behind it, and with nobody."""

import json
import os
import subprocess
import sys
import types
import unittest

from completion_test import BASH
from json_test import documented, members
from programs import OPERATIONS, TOOL, WATCHDOG, ProgramTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../est"))
from est_client import openssl  # noqa: E402
from gateway import EST_OPERATIONS, GatewayTest  # noqa: E402

CLOSED_PORT = 1  # where nobody listens
NEEDED = ["key-generate", "key-info", "key-list", "key-public", "key-delete", "mldsa-sign"]
STRANGER = 12345  # a user number that nobody has


class EstTest(GatewayTest, ProgramTest):
    def nobody(self, **settings):
        """A gateway whose server can't be reached."""
        root = self.path("root.pem")
        self.self_signed(root)
        peer = types.SimpleNamespace(root=root, port=CLOSED_PORT)
        return self.gateway(peer, **settings)

    def self_signed(self, path, *options):
        """A certificate, and its key in path.key."""
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=root",
                "-keyout", path + ".key", "-out", path, *options)  # fmt: skip

    def est(self, gateway, *arguments, exit_status=0):
        """Standard output of an est command."""
        return self.run_est(gateway, *arguments, exit_status=exit_status).stdout.decode()

    def run_est(self, gateway, *arguments, exit_status=0):
        return self.run_program(
            [TOOL, "--socket", gateway.socket, "--timeout", str(WATCHDOG * 1000), "est", *arguments], exit_status
        )

    def complaint(self, gateway, *arguments, exit_status=1):
        """Standard error of an est command that must fail: one line that begins with the tool's name."""
        text = self.run_est(gateway, *arguments, exit_status=exit_status).stderr.decode()
        self.assertTrue(text.startswith("wvds: ") and text.count("\n") == 1, text)
        return text

    def state(self, gateway, *arguments, exit_status=0):
        return json.loads(self.est(gateway, "status", *arguments, "--json", exit_status=exit_status))


    def settled(self, gateway, *names):
        """Waits until the first attempt for each of the certificates is finished; how they are, as est_service says."""

        def now():
            done = self.run_program_whatever([TOOL, "--socket", gateway.socket, "est", "status", "--json"])
            found = {one["name"]: one for one in json.loads(done or "{}").get("certificates", [])}
            chosen = [found.get(name) for name in names or ("device",)]
            return chosen if all(one and (one["key"] or one["failure"]) for one in chosen) else None

        return gateway.wait(now)

    @staticmethod
    def run_program_whatever(command):
        return subprocess.run(command, capture_output=True, timeout=WATCHDOG, check=False).stdout

    def failing(self, ca, **settings):
        """A gateway whose first attempt failed, because the CA did not listen."""
        ca.listen(False)
        gateway = self.gateway(ca, **settings)
        self.settled(gateway)
        ca.listen(True)
        return gateway


class Status(EstTest):
    def test_of_a_valid_certificate(self):
        gateway = self.gateway(self.ca())
        self.settled(gateway)
        state = gateway.state()
        text = self.est(gateway, "status")
        self.assertRegex(text, r"(?m)^certificate +device: valid$")
        self.assertRegex(text, r"(?m)^subject +CN=device$")
        self.assertRegex(text, rf"(?m)^key +ML-DSA-65, key {state['current']['key_id']}$")
        self.assertRegex(text, r"(?m)^CA +certificates were fetched 20.*Z, ")
        self.assertNotIn("failure", text)

    def test_in_json_is_as_the_page_says(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        chain = gateway.state()["current"]["chain"]
        state = self.state(gateway, "device")
        self.assertTrue(state["all_valid"])
        (certificate,) = state["certificates"]
        fingerprint = openssl("x509", "-noout", "-fingerprint", "-sha256", data=chain.encode()).decode()
        self.assertEqual(certificate["fingerprint"], fingerprint.strip().partition("=")[2].replace(":", "").lower())
        self.assertEqual((certificate["phase"], certificate["failure"]), ("valid", None))
        ca.listen(False)
        self.est(gateway, "renew", exit_status=1)
        state = self.state(gateway)
        self.assertEqual(state["certificates"][0]["failure"]["name"], "connect-failed")
        found = members(state) | {"certificates[].failure"}
        self.assertEqual({name for name in found if not name.startswith("ca_failure.")}, documented("est-status"))

    def test_of_a_missing_certificate_fails_and_says_why(self):
        gateway = self.nobody()
        self.settled(gateway)
        done = self.run_est(gateway, "status", exit_status=1)
        text = done.stdout.decode()
        self.assertRegex(text, r"(?m)^certificate +device: MISSING")
        self.assertRegex(text, r"(?m)^last failure +connect-failed, 20.*:\n +.*\nwhat helps +Check the server's address")
        self.assertRegex(text, r"(?m)^CA +certificates were never fetched$")
        self.assertIn("no valid certificate: device (missing)", done.stderr.decode())

    def test_names_only_the_certificates_that_are_not_valid(self):
        ca = self.ca()
        gateway = self.gateway(ca, start=False, certificates=[{"name": "a"}, {"name": "b"}])
        ca.rule("simpleenroll", 1, status=400)
        gateway.start()
        self.settled(gateway, "a", "b")
        self.assertIn("no valid certificate: a (missing);", self.complaint(gateway, "status"))
        self.assertTrue(self.state(gateway, "b")["all_valid"])
        self.assertIn('no certificate "c"; it has a, b', self.complaint(gateway, "status", "c"))

    def test_without_est_service_is_an_exit_status_of_its_own(self):
        gateway = self.nobody()
        gateway.est.stop()
        self.assertIn(gateway.socket, self.complaint(gateway, "status", exit_status=3))

    def test_of_another_service_is_refused(self):
        gateway = self.nobody()
        done = self.run_program([TOOL, "--socket", gateway.crypto.socket, "est", "status"], 1)
        self.assertIn("is not est_service; name its socket with --socket", done.stderr.decode())


class Enrolment(EstTest):
    def test_is_left_alone_where_there_is_a_valid_certificate(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        before = len(ca.requests("simpleenroll"))
        self.assertIn("device: nothing to do, there is a certificate, valid until 20", self.est(gateway, "enroll", "device"))
        self.assertEqual(len(ca.requests("simpleenroll")), before)

    def test_is_tried_at_once_after_a_failure(self):
        ca = self.ca()
        gateway = self.failing(ca)
        ca.listen(False)
        self.assertIn("wvds: device: connect-failed: ", self.complaint(gateway, "enroll"))
        ca.listen(True)
        self.assertRegex(self.est(gateway, "enroll"), r"^device: new certificate, valid until 20.*Z, key [0-9]+\n$")

    def test_renewal_gets_another_certificate(self):
        gateway = self.gateway(self.ca())
        self.settled(gateway)
        before = gateway.state()["current"]["chain"]
        self.assertIn("device: new certificate, ", self.est(gateway, "renew", "device"))
        self.assertNotEqual(self.est(gateway, "certificate", "device"), before)

    def test_failed_renewal_says_why_and_that_the_old_one_is_valid(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        before = gateway.state()["current"]["chain"]
        ca.server_certificate(names="DNS:elsewhere.example")
        ca.end_connections()
        text = self.complaint(gateway, "renew")
        self.assertIn("device: name-mismatch: ", text)
        self.assertIn("Use a host name that the server's certificate holds", text)
        self.assertIn("The certificate in use is still valid (until 20", text)
        self.assertEqual(self.est(gateway, "certificate", "device"), before)
        self.assertIn("device: name-mismatch: ", self.complaint(gateway, "renew"), "the second time in a row")

    def test_server_that_answers_later_is_no_success(self):
        ca = self.ca()
        gateway = self.failing(ca)
        ca.rule("simpleenroll", status=202, headers={"Retry-After": "1000"})
        self.assertIn("device: not yet: the server took the request and answers later", self.complaint(gateway, "enroll"))
        self.assertEqual(self.state(gateway, exit_status=1)["certificates"][0]["phase"], "waiting")

    def test_that_takes_too_long_is_not_waited_for(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        ca.rule("*", fault="stall")
        text = self.complaint(gateway, "renew", "--wait", "1")
        self.assertIn("device: not done after 1 s; est_service goes on", text)

    def test_of_all_certificates(self):
        gateway = self.gateway(self.ca(), certificates=[{"name": "a"}, {"name": "b", "key_type": "ECDSA-P256"}])
        self.settled(gateway, "a", "b")
        lines = self.est(gateway, "renew").splitlines()
        self.assertEqual([line.partition(",")[0] for line in lines], ["a: new certificate", "b: new certificate"])

    def test_each_failure_is_told(self):
        gateway = self.nobody(certificates=[{"name": "a"}, {"name": "b"}])
        text = self.run_est(gateway, "enroll", exit_status=1).stderr.decode()
        self.assertRegex(text, r"^wvds: a: connect-failed: .*\nwvds: b: connect-failed: .*\n$")

    def test_without_the_right_is_denied(self):
        gateway = self.gateway(self.ca(), start=False)
        gateway.config["clients"][0]["operations"].remove("est-renew")
        gateway.start()
        self.settled(gateway)
        self.assertIn("device: This caller may not do that", self.complaint(gateway, "renew"))


class Pem(EstTest):
    def test_of_a_certificate_and_the_one_before(self):
        gateway = self.gateway(self.ca(issuing=True))
        self.settled(gateway)
        first = gateway.state()["current"]["chain"]
        self.assertEqual(self.est(gateway, "certificate", "device"), first)
        self.assertIn('no previous certificate "device"', self.complaint(gateway, "certificate", "device", "--previous"))
        self.est(gateway, "renew")
        self.est(gateway, "certificate", "device", "--previous", "-o", self.path("previous.pem"))
        self.assertEqual(self.read("previous.pem").decode(), first)
        for name in ("nothing", "no name at all", "x" * 100):
            self.assertIn(f'no certificate "{name}"', self.complaint(gateway, "certificate", name))

    def test_of_the_ca(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        with open(ca.root, encoding="ascii") as file:
            self.assertEqual(self.est(gateway, "cacerts"), file.read())

    def test_of_the_ca_fetched_anew(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        before = len(ca.requests("cacerts"))
        self.est(gateway, "cacerts", "--refresh", "-o", self.path("ca.pem"))
        self.assertGreater(len(ca.requests("cacerts")), before)
        ca.listen(False)
        ca.end_connections()
        for _ in range(2):
            text = self.complaint(gateway, "cacerts", "--refresh", "-o", self.path("other.pem"))
            self.assertIn("the CA certificates: connect-failed: ", text)
        self.assertFalse(self.exists("other.pem"))


class Doctor(EstTest):
    def doctor(self, gateway, *arguments, exit_status=0):
        """The findings."""
        command = [TOOL, "est", "doctor", "--config", gateway.est.config, "--json", *arguments]
        result = json.loads(self.run_program(command, exit_status).stdout)
        self.assertEqual(members(result), documented("est-doctor"))
        self.assertEqual(result["problems"] > 0, exit_status == 1, result)
        return result["findings"]

    def assert_finds(self, findings, level, check, *words):
        """There is one such finding, with these words and, unless all is well, what helps."""
        found = [f"{finding['text']} {finding['cure']}" for finding in findings if (finding["level"], finding["check"]) == (level, check)]  # fmt: skip
        self.assertEqual(len(found), 1, findings)
        for word in words:
            self.assertIn(word, found[0])
        if level in ("warning", "problem"):
            self.assertNotIn("None", found[0])

    def assert_only_problem(self, findings, check, *words):
        self.assert_finds(findings, "problem", check, *words)
        self.assertEqual([finding["check"] for finding in findings if finding["level"] == "problem"], [check], findings)

    def test_finds_no_problem_where_there_is_none(self):
        gateway = self.gateway(self.ca())
        self.settled(gateway)
        findings = self.doctor(gateway)
        for check in ("config", "est config", "est socket", "est client", "CA", "certificate", "socket", "client", "rights", "clock",
                      "folder", "trust", "password"):  # fmt: skip
            self.assert_finds(findings, "ok", check)

    def test_tells_what_est_service_says(self):
        gateway = self.nobody()
        self.settled(gateway)
        findings = self.doctor(gateway, exit_status=1)
        self.assert_finds(findings, "problem", "certificate", "device is not there yet: connect-failed", "firewall")
        self.assert_finds(findings, "problem", "CA", "connect-failed")

    def test_names_mismatch_expiry_and_unknown_ca(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        self.settled(gateway)
        for settings, name in (
            ({"names": "DNS:elsewhere.example"}, "name-mismatch"),
            ({"not_after": -60, "names": "DNS:localhost"}, "server-expired"),
            ({"issuer": "other", "not_after": 1000}, "unknown-ca"),
        ):
            ca.server_certificate(**settings)
            ca.end_connections()
            self.est(gateway, "renew", exit_status=1)
            self.assert_only_problem(self.doctor(gateway, exit_status=1), "certificate", "its renewal failed: " + name)

    def test_rights_that_it_asks_for_are_enough(self):
        gateway = self.gateway(self.ca(), start=False, certificates=[{"rekey": True}])
        gateway.config["clients"][0]["operations"] = NEEDED + EST_OPERATIONS
        gateway.start()
        self.settled(gateway)
        for _ in range(2):  # the second one deletes a key
            self.est(gateway, "renew")
        self.assert_finds(self.doctor(gateway), "ok", "rights")
        self.assertNotIn("old key not deleted", gateway.log())

    def test_finds_rights_that_are_missing(self):
        gateway = self.gateway(self.ca(), start=False, certificates=[{}, {"name": "e", "key_type": "ECDSA-P256"}])
        given = [name for name in OPERATIONS if name not in ("ecdsa-sign", "key-delete")]
        gateway.config["clients"][0]["operations"] = given + EST_OPERATIONS
        gateway.start()
        self.settled(gateway, "e")
        findings = self.doctor(gateway, exit_status=1)
        self.assert_finds(findings, "problem", "rights", 'lacks "key-delete", "ecdsa-sign"', 'client "user"')
        self.assert_finds(findings, "problem", "certificate", "e is not there yet: key-service")

    def test_finds_that_est_service_is_no_client(self):
        gateway = self.nobody()
        findings = self.doctor(gateway, "--user", str(STRANGER), exit_status=1)
        self.assert_finds(findings, "problem", "rights", f"no client for est_service's user {STRANGER}", "clients")
        self.assert_finds(findings, "problem", "folder", "is not a folder of est_service's user")
        self.assert_finds(findings, "not checked", "client")

    def test_finds_that_est_service_is_down(self):
        gateway = self.gateway(self.ca())
        self.settled(gateway)
        gateway.est.stop()
        findings = self.doctor(gateway, exit_status=1)
        self.assert_only_problem(findings, "est socket", "does not run", "wvds_est_service")
        self.assert_finds(findings, "not checked", "certificate")
        self.assert_finds(findings, "ok", "rights")

    def test_finds_that_crypto_service_is_down(self):
        gateway = self.gateway(self.ca())
        self.settled(gateway)
        gateway.crypto.stop()
        self.assert_only_problem(self.doctor(gateway, exit_status=1), "socket", "does not run", "wvds_crypto_service")
        self.est(gateway, "renew", exit_status=1)
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "certificate", "key-service", "crypto_service")

    def test_finds_what_is_wrong_in_the_configuration(self):
        gateway = self.nobody(start=False)
        gateway.config["est"]["certificates"][0]["subject"] = "device"
        gateway.write_config()
        findings = self.doctor(gateway, exit_status=1)
        self.assert_finds(findings, "problem", "est config", "est.certificates[0].subject: ", "--check-config")
        gateway.config["est"]["server"] = "http://localhost"
        gateway.write_config()
        findings = self.doctor(gateway, "--socket", gateway.socket, exit_status=1)
        self.assert_finds(findings, "problem", "config", "est.server: ")
        del gateway.config["est"]
        gateway.write_config()
        findings = self.doctor(gateway, "--socket", gateway.socket, exit_status=1)
        self.assert_finds(findings, "problem", "est config", 'no section "est"', "docs/config.md")

    def test_of_a_user_without_the_right_to_ask(self):
        gateway = self.nobody(start=False)
        gateway.config["clients"][0]["operations"].remove("est-status")
        gateway.start()
        self.assert_finds(self.doctor(gateway), "not checked", "certificate", "est-status")

    def test_finds_trust_that_has_expired_or_is_missing(self):
        gateway = self.nobody(start=False)
        gateway.write_config()
        root = gateway.config["est"]["trust"]["anchors_file"]
        self.self_signed(root, "-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "trust", "CN=root expired at 2021-01-01", "present root")
        self.self_signed(root, "-not_before", "20980101000000Z", "-not_after", "20990101000000Z")
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "trust", "is not valid before 2098", "clock")
        self.self_signed(root, "-days", "5")
        self.assert_finds(self.doctor(gateway, exit_status=1), "warning", "trust", "expires soon")
        self.write("root.pem", b"no certificate")
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "trust", root)
        os.unlink(root)
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "trust", root, "No such file")

    def test_finds_a_credential_that_is_of_no_use(self):
        path = self.path("credential.pem")
        credential = {"certificate_file": path, "key_file": path + ".key"}
        gateway = self.nobody(start=False, credential=None)
        gateway.config["est"]["credential"] = credential
        gateway.write_config()
        self.self_signed(path, "-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "credential", "expired at 2021-01-01")
        self.self_signed(path, "-addext", "extendedKeyUsage=serverAuth")
        os.chmod(path + ".key", 0o644)
        findings = self.doctor(gateway, exit_status=1)
        self.assert_finds(findings, "problem", "credential", "lacks clientAuth")
        self.assert_finds(findings, "problem", "credential key", "can be read by others", "chmod 600")
        self.self_signed(path, "-addext", "extendedKeyUsage=clientAuth", "-days", "100")
        os.chmod(path + ".key", 0o600)
        findings = self.doctor(gateway, exit_status=1)
        self.assert_finds(findings, "ok", "credential")
        self.assert_finds(findings, "ok", "credential key")

    def test_finds_a_password_that_others_can_read(self):
        gateway = self.nobody(start=False)
        gateway.write_config()
        os.chmod(gateway.path("password"), 0o644)
        self.assert_finds(self.doctor(gateway, exit_status=1), "problem", "password", "can be read by others", "chmod 600")


class Words(EstTest):
    def test_that_are_wrong(self):
        for arguments, word in (
            (["enrol"], 'did you mean "enroll"?'),
            (["certificate"], "NAME is required"),
            (["renew", "--wait", "0"], "--wait"),
            (["status", "a", "b"], '"b" is one word more than "wvds est status" takes'),
            (["cacerts", "--jsn"], '"--jsn" is no option of "wvds est cacerts"'),
        ):
            done = self.run_program([TOOL, "est", *arguments], 2)
            self.assertIn(word, done.stderr.decode())

    def test_are_completed_with_names_of_certificates(self):
        gateway = self.nobody(certificates=[{"name": "device"}, {"name": "tls"}])
        self.est(gateway, "status", exit_status=1)
        for words, found in ((["est", "status", ""], ["device", "tls"]), (["est", "certificate", "t"], ["tls"])):
            command = ["bash", "--norc", "-c", BASH, "bash", TOOL, TOOL, "--socket", gateway.socket, *words]
            self.assertEqual(self.run_program(command).stdout.decode().splitlines(), found)


if __name__ == "__main__":
    unittest.main()
