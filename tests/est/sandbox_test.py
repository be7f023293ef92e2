"""est_service's sandbox: in force for every thread, and in nobody's way. What it denies is in platform_sandbox_test."""

import os
import unittest

from gateway import GatewayTest


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def processes():
    """(process, its parent) of all that can be seen."""
    for name in os.listdir("/proc"):
        try:
            yield int(name), int(read(f"/proc/{name}/stat").rpartition(")")[2].split()[1])
        except (ValueError, OSError):
            continue


class Sandbox(GatewayTest):
    @unittest.skipUnless("Seccomp:" in read("/proc/self/status"), "NOT RUN: this kernel filters no system calls")
    def test_holds_every_thread_while_certificates_are_got_and_a_command_runs(self):
        ca = self.ca()
        command = self.path("command")
        with open(command, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\necho "$WVDS_EST_CERTIFICATE" >>"$1"\n')
        os.chmod(command, 0o700)
        gateway = self.gateway(ca, after_renewal={"command": [command, self.path("out")]})
        first = gateway.wait_for_certificate()
        gateway.renew()
        gateway.wait_for_certificate(other_than=first)
        gateway.wait(lambda: os.path.exists(self.path("out")) and read(self.path("out")) == "device\n" * 2)
        self.assertIn("sandbox system_calls=filtered", gateway.log())
        service = gateway.est.process.pid
        threads = os.listdir(f"/proc/{service}/task")
        self.assertGreater(len(threads), 1)
        for thread in threads:
            status = read(f"/proc/{service}/task/{thread}/status")
            self.assertIn("Seccomp:\t2\n", status)
            self.assertIn("NoNewPrivs:\t1\n", status)
        runners = [process for process, parent in processes() if parent == service]
        self.assertEqual(len(runners), 1)
        self.assertIn("NoNewPrivs:\t1\n", read(f"/proc/{runners[0]}/status"))
        gateway.est.stop()
        self.assertFalse(os.path.exists(f"/proc/{runners[0]}"))


if __name__ == "__main__":
    unittest.main()
