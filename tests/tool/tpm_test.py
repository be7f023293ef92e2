"""wvds with a store whose key is sealed to a TPM."""

import os
import unittest

import swtpm
from doctor_test import DoctorTest


class TpmDoctor(DoctorTest):
    """wvds doctor of a service with protector tpm."""

    def setUp(self):
        if swtpm.missing():
            print("NOT RUN: not installed: " + swtpm.missing())
            self.skipTest("not installed")
        super().setUp()
        self.tpm = swtpm.Swtpm(self.path("tpm"))
        self.addCleanup(self.tpm.power_off)
        self.tpm.start()
        self.use({})

    def use(self, settings):
        auth = os.path.join(self.server.folder, "auth")
        tpm = {"tcti": self.tpm.tcti, "auth_file": auth, **settings}
        self.edit(lambda config: config["store"].update({"protector": "tpm", "tpm": tpm}))

    def assert_problem(self, *words):
        """With the service down, which is a finding of its own."""
        self.assert_finds(self.doctor(exit_status=1), "problem", "TPM", *words)

    def test_finds_nothing_where_all_is_well(self):
        self.server.start()
        findings = self.doctor()
        self.assert_finds(findings, "ok", "TPM", self.tpm.tcti, "answers")
        self.assert_finds(findings, "ok", "authorisation", "for the service's user only")

    def test_says_nothing_of_a_tpm_that_no_store_needs(self):
        self.edit(lambda config: config["store"].update({"protector": "file"}))
        self.server.start()
        self.assertEqual([finding for finding in self.doctor() if finding[1] == "TPM"], [])

    def test_names_a_tpm_that_is_gone(self):
        self.tpm.power_off()
        self.assert_problem("does not answer", "store.tpm.tcti")

    def test_names_a_device_that_is_not_there(self):
        self.use({"tcti": "device:/dev/no-such-tpm"})
        self.assert_problem("/dev/no-such-tpm: No such file", "firmware")

    def test_names_the_group_of_a_device_that_the_service_may_not_use(self):
        if os.getuid() != 0:
            print("NOT RUN: only root can look for another user")
            self.skipTest("not root")
        device = self.path("device")
        with open(os.open(device, os.O_WRONLY | os.O_CREAT, 0o660), "wb"):
            pass
        self.use({"tcti": "device:" + device})
        findings = self.doctor("--user", "nobody", exit_status=1)
        self.assert_finds(findings, "problem", "TPM", "not for the service's user", "adduser USER root")

    def test_names_a_bank_of_pcrs_that_is_not_there(self):
        self.tpm.run("tpm2_pcrallocate", "sha256:all+sha384:none+sha512:none+sha1:none")
        self.tpm.power_off()
        self.tpm.start()
        self.use({"pcrs": [7], "pcr_bank": "sha384"})
        self.assert_problem("no PCRs in the bank sha384, only in sha256")

    def test_names_a_storage_hierarchy_that_is_closed(self):
        self.tpm.run("tpm2_changeauth", "-c", "owner", "secret")
        self.assert_problem("tpm2_changeauth -c owner")


if __name__ == "__main__":
    unittest.main()
