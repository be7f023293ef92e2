"""What an operator does to est_service, and what befalls it."""

import os
import random
import subprocess
import sys
import time
import unittest

from gateway import EST_SERVICE, GatewayTest
from programs import WATCHDOG


LONG = int(os.environ.get("WVDS_LONG", "0"))  # 1: the long form; more: so many rounds


class Crash(GatewayTest):
    ROUNDS = 30 if LONG == 0 else 1000 if LONG == 1 else LONG

    def test_at_any_instant_leaves_a_certificate_that_works(self):
        ca = self.ca(algorithm="P-256", settings={"server": {"algorithm": "P-256"}})
        gateway = self.gateway(ca, certificates=[{"rekey": True}], retry={"first_s": 1, "longest_s": 1})
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        had_certificate = False
        for number in range(self.ROUNDS):
            with self.subTest(seed=seed, round=number):
                if number > 0:
                    gateway.est.start()
                    gateway.renew()
                time.sleep(chance.uniform(0, 0.15))  # any instant of the exchange: nothing is waited for
                gateway.est.kill()
                state = gateway.state()  # whole, or not there yet
                self.assertTrue("current" in state or not had_certificate, "the certificate is gone")
                had_certificate = "current" in state
                if had_certificate:
                    self.verify(ca.root, state, "-purpose", "sslclient")
                    self.expect_key_of_certificate(gateway, state)
                if number % 10 == 5:
                    gateway.restart_crypto()
        print(f"{self.ROUNDS} kills, seed {seed}", file=sys.stderr)
        before = gateway.state()
        gateway.est.start()
        gateway.renew()
        state = gateway.wait_for_certificate(other_than=before if "current" in before else None)
        self.expect_key_of_certificate(gateway, state)
        self.assertEqual([name for name in os.listdir(gateway.folder) if "damaged" in name], [])
        for _ in range(2):  # keys that were left over go with the next renewals
            gateway.renew()
            state = gateway.wait_for_certificate(other_than=state)
        gateway.wait(lambda: gateway.keys() <= 2)


class State(GatewayTest):
    def test_that_is_damaged_is_set_aside_and_begun_anew(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        first = gateway.wait_for_certificate()
        gateway.est.stop()
        for name in ("certificate-device", "trust"):
            path = os.path.join(gateway.folder, name + ".json")
            os.truncate(path, os.path.getsize(path) // 2)
        gateway.est.start()
        second = gateway.wait_for_certificate(other_than=first)
        self.assertEqual(second["current"]["key_id"], first["current"]["key_id"])  # found again by its label
        self.assertIn("set aside", gateway.log())
        self.assertTrue(os.path.exists(os.path.join(gateway.folder, "certificate-device.json.damaged")))

    def test_has_no_private_key_and_is_read_by_nobody_else(self):
        ca = self.ca()
        gateway = self.gateway(ca)
        gateway.wait_for_certificate()
        self.assertEqual(sorted(os.listdir(gateway.folder)), ["certificate-device.json", "trust.json"])
        for name in os.listdir(gateway.folder):
            path = os.path.join(gateway.folder, name)
            self.assertEqual(os.stat(path).st_mode & 0o077, 0)
            with open(path, encoding="utf-8") as file:
                self.assertNotIn("PRIVATE", file.read())


class AfterRenewal(GatewayTest):
    def command(self, script, **more):
        path = self.path("command")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o700)
        return {"command": [path, self.path("out")], **more}

    def test_a_command_learns_which_certificate_it_was(self):
        ca = self.ca()
        command = self.command('echo "$WVDS_EST_CERTIFICATE" >>"$1"; env >"$1.env"')
        gateway = self.gateway(ca, after_renewal=command, certificates=[{"name": "tls"}])
        first = gateway.wait_for_certificate("tls")
        gateway.renew("tls")
        gateway.wait_for_certificate("tls", other_than=first)
        with open(self.path("out"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "tls\ntls\n")
        with open(self.path("out.env"), encoding="utf-8") as file:
            self.assertNotIn("NOTIFY_SOCKET", file.read())

    def test_a_command_that_hangs_is_killed_with_its_children(self):
        ca = self.ca()
        command = self.command('sleep 1000 & echo $! >"$1"; wait', timeout_s=1)
        gateway = self.gateway(ca, after_renewal=command)
        gateway.wait_for_log("command after renewal failed .*end=timeout")
        gateway.wait_for_certificate()
        with open(self.path("out"), encoding="utf-8") as file:
            child = int(file.read())
        gateway.wait(lambda: not self.runs(child))

    @staticmethod
    def runs(process):
        """Whether it is there, other than as an ended one that nobody waits for."""
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_a_command_that_fails_is_logged_and_changes_nothing(self):
        ca = self.ca()
        gateway = self.gateway(ca, after_renewal=self.command("exit 3"))
        gateway.wait_for_certificate()
        self.assertIn('end="exit code 3"', gateway.log())


class Stopping(GatewayTest):
    def test_does_not_wait_for_an_exchange_that_hangs(self):
        ca = self.ca()
        gateway = self.gateway(ca, timeout_s=3600, retry={"first_s": 1, "longest_s": 1})
        first = gateway.wait_for_certificate()
        ca.rule("simplereenroll", fault="stall-in-body")
        gateway.renew()
        ca.wait_for(lambda events: any(event.get("operation") == "simplereenroll" for event in events))
        gateway.est.stop()  # an hour would be longer than the watchdog
        self.assertIn("stopped", gateway.log())
        ca.clear_rules()
        gateway.est.start()
        gateway.wait_for_certificate(other_than=first)

    def test_does_not_wait_for_a_command_that_hangs(self):
        ca = self.ca()
        path = self.path("command")
        with open(path, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\necho >"$1"; exec sleep 3600\n')
        os.chmod(path, 0o700)
        command = {"command": [path, self.path("out")], "timeout_s": 3600}
        gateway = self.gateway(ca, after_renewal=command)
        gateway.wait(lambda: os.path.exists(self.path("out")))
        gateway.est.stop()


class Configuration(GatewayTest):
    def check(self, gateway, exit_code, complaint="", *options):
        gateway.write_config()
        done = subprocess.run([EST_SERVICE, "--config", gateway.est.config, *options], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=WATCHDOG, check=False)  # fmt: skip
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertIn(complaint, (done.stdout + done.stderr).decode())

    def offline(self):
        root = self.path("root.pem")
        with open(root, "w", encoding="utf-8") as file:
            file.write("no certificate\n")
        return self.gateway(type("Peer", (), {"root": root, "port": 1}), start=False)

    def test_is_checked_without_starting(self):
        gateway = self.offline()
        est = gateway.config["est"]
        self.check(gateway, 0, "ok\n", "--check-config")
        for section, key, wrong, complaint in (
            (est, "server", "http://localhost", "est.server"),
            (est, "server", "https://localhost/.well-known/est/a/b", "est.server"),
            (est["certificates"][0], "subject", "no name", "est.certificates[0].subject"),
            (est["certificates"][0], "key_type", "RSA", 'key_type'),
            (est, "trust", {}, "est.trust"),
            (est, "unknown", 1, "unknown"),
        ):  # fmt: skip
            before = section.get(key)
            section[key] = wrong
            self.check(gateway, 2, complaint, "--check-config")
            section[key] = before
            if before is None:
                del section[key]
        del gateway.config["est"]
        self.check(gateway, 2, 'has no section "est"', "--check-config")

    def test_that_names_files_that_are_none_is_a_failure_at_the_start(self):
        gateway = self.offline()
        self.check(gateway, 1, "root.pem")
        gateway.config["est"]["trust"]["anchors_file"] = self.path("missing.pem")
        self.check(gateway, 1, "missing.pem")

    def test_usage(self):
        gateway = self.offline()
        self.check(gateway, 2, "--nonsense", "--nonsense")
        self.check(gateway, 0, "--check-config", "--help")
        done = subprocess.run([EST_SERVICE, "--config", self.path("missing.json")], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=WATCHDOG)  # fmt: skip
        self.assertEqual((done.returncode, b"missing.json" in done.stderr), (2, True))


if __name__ == "__main__":
    unittest.main()
