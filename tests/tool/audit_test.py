"""The audit log of a running service, as an auditor and as an attacker see it."""

import hashlib
import json
import os
import re
import subprocess
import unittest

from programs import TOOL
from tool_test import ToolTest

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/audit-log.md")


class AuditTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.folder_of_log = os.path.join(self.server.folder, "store/audit")
        self.log = os.path.join(self.folder_of_log, "audit.log")

    def entries(self):
        with open(self.log, encoding="ascii") as file:
            return [json.loads(line.split(" ", 1)[1]) for line in file]

    def last(self):
        return self.entries()[-1]

    def verify(self, exit_status=0):
        arguments = [TOOL, "--socket", self.server.socket, "audit", "verify", "--json", "--config", self.server.config]
        done = self.run_program(arguments, exit_status)
        return json.loads(done.stdout), done.stderr.decode()

    def change(self, change):
        with open(self.log, encoding="ascii") as file:
            lines = file.readlines()
        with open(self.log, "w", encoding="ascii") as file:
            file.writelines(change(lines))


class Verify(AuditTest):
    def test_tells_that_the_log_is_whole(self):
        number = self.generate("AES-256-GCM")
        self.tool("key", "delete", number)
        self.assertEqual((self.last()["event"], self.last()["key"]), ("key-delete", int(number)))
        found, _ = self.verify()
        self.assertEqual(found["problems"], [])
        self.assertTrue(found["end_is_checked"])
        self.assertEqual((found["first"], found["last"]), (1, self.last()["n"]))

    def test_finds_a_changed_entry(self):
        self.generate("AES-256-GCM")
        self.change(lambda lines: [line.replace("key-generate", "key-generatE") for line in lines])
        found, error = self.verify(1)
        self.assertIn("was changed", found["problems"][0])
        self.assertIn("not whole", error)

    def test_finds_a_removed_entry(self):
        self.generate("AES-256-GCM")
        self.generate("AES-256-GCM")
        self.change(lambda lines: lines[:-2] + lines[-1:])
        self.assertIn("is next", self.verify(1)[0]["problems"][0])

    def test_finds_that_the_end_is_missing(self):
        self.generate("AES-256-GCM")
        self.change(lambda lines: lines[:-1])
        found, _ = self.verify(1)
        self.assertIn("were written, the last one here is", found["problems"][0])

    def test_takes_an_entry_that_only_a_forger_writes(self):
        self.generate("AES-256-GCM")
        body = json.dumps({"n": self.last()["n"], "event": 5, "detail": []})

        def forge(lines):
            before = lines[-2].split(" ", 1)[0]
            return lines[:-1] + [hashlib.sha256((before + body).encode()).hexdigest() + " " + body + "\n"]

        self.change(forge)
        self.assertIn("was written anew", self.verify(1)[0]["problems"][0])

    def test_finds_that_the_log_is_gone(self):
        os.unlink(self.log)
        self.verify(1)

    def test_says_without_a_service_that_the_end_is_not_known(self):
        self.generate("AES-256-GCM")
        self.server.stop()
        self.change(lambda lines: lines[:-1])
        found, error = self.verify(3)
        self.assertFalse(found["end_is_checked"])
        self.assertIn("only the running service can tell", error)

    def test_says_of_a_configuration_that_is_not_there_that_it_is_not(self):
        arguments = [TOOL, "audit", "verify", "--config", self.path("none")]
        self.assertIn("none", self.run_program(arguments, 2).stderr.decode())


class Service(AuditTest):
    def restart(self):
        self.server.stop()
        self.server.start()

    def test_goes_on_with_the_log_after_a_restart(self):
        self.generate("AES-256-GCM")
        self.restart()
        events = [entry["event"] for entry in self.entries()]
        self.assertEqual(events, ["audit-begin", "service-start", "key-generate", "service-stop", "service-start"])
        self.verify()

    def test_goes_on_after_being_killed(self):
        self.generate("AES-256-GCM")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.verify()[0]["problems"], [])

    def test_finds_a_log_that_was_cut_while_it_was_down(self):
        self.generate("AES-256-GCM")
        self.server.stop()
        self.change(lambda lines: lines[:-2])
        self.server.start()
        self.assertEqual(self.entries()[0]["event"], "audit-broken")
        names = sorted(os.listdir(self.folder_of_log))
        self.assertRegex(names[0], r"^audit-\d{12}-damaged\.log$")
        status = json.loads(self.tool("status", "--json"))
        self.assertTrue(any("audit log was changed" in warning for warning in status["warnings"]), status["warnings"])
        found, _ = self.verify(1)
        self.assertIn("the log before this entry was changed", found["problems"][0])

    def test_tells_who_was_refused_what(self):
        self.tool("key", "info", "12345", exit_status=1)
        entry = self.last()
        self.assertEqual((entry["event"], entry["principal"]), ("key-info", "user"))
        self.assertNotEqual(entry["outcome"], "SUCCESS")


class Page(AuditTest):
    def test_has_a_shell_script_that_follows_the_chain(self):
        with open(PAGE, encoding="utf-8") as file:
            script = next(block for block in re.findall(r"```\n(.*?)```", file.read(), re.S) if "sha256sum" in block)
        self.generate("AES-256-GCM")
        run = lambda: subprocess.run(["bash", "-c", script], cwd=self.folder_of_log, capture_output=True, text=True, check=True)
        self.assertEqual(run().stdout, "")
        self.change(lambda lines: [line.replace("key-generate", "key-generatE") for line in lines])
        self.assertIn("broken", run().stdout)


if __name__ == "__main__":
    unittest.main()
