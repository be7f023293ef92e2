"""The example programs killed at every step of what they do to files."""

import os
import signal
import subprocess
import unittest

from example_programs import ExampleTest, crashing
from programs import BACKEND, WATCHDOG

MOST_POINTS = 200  # more than either program has


class Crash(ExampleTest):
    def status_of(self, command, **environment):
        done = subprocess.run(
            command, env=dict(os.environ, **environment), capture_output=True, timeout=WATCHDOG, check=False
        )
        self.assertIn(done.returncode, (0, 1, -signal.SIGKILL), done.stderr.decode())
        return done.returncode

    def kill_at(self, point, command):
        """Runs the program until that point. True when it was killed, False when it came to its end before."""
        status = self.status_of(command, WVDS_CRASH_AT=str(point))
        self.assertNotEqual(status, 1)
        return status != 0

    def opening(self, program, envelope):
        return [
            program, "open", "--socket", self.backend_service.socket,
            "--state", self.path("state"), "--out", self.path("out"), envelope,
        ]  # fmt: skip

    def test_of_the_backend_never_releases_a_message_twice(self):
        outcomes = set()
        for point in range(1, MOST_POINTS):
            envelope, _ = self.send_bytes(b"message")
            name = f"gateway-01-{point:012d}.data"
            was_killed = self.kill_at(point, self.opening(crashing("backend"), envelope))
            was_released = name in self.released()
            if was_released:
                self.assertEqual(self.content(name), b"message")
            again = self.status_of(self.opening(BACKEND, envelope))
            self.assertFalse(was_released and again == 0, f"released twice: killed at point {point}")
            outcomes.add("released" if was_released else "accepted later" if again == 0 else "lost")
            if not was_killed:
                break
        # each must have occurred, or the kills were at the wrong places
        self.assertEqual(outcomes, {"accepted later", "lost", "released"})
        self.assertFalse(was_killed)

    def test_of_the_gateway_never_uses_a_number_twice(self):
        for point in range(1, MOST_POINTS):
            before = {name: self.envelope(name) for name in self.sent()}
            was_killed = self.kill_at(point, [crashing("oem_gateway"), *self.send_command(samples=1)])
            for name, content in before.items():
                self.assertEqual(self.envelope(name), content, f"{name} was made twice: killed at point {point}")
            self.open(*[name for name in self.sent() if name not in before] + self.send(samples=1))
            if not was_killed:
                return
        self.fail("the gateway never came to its end")

    def test_of_the_machine_finds_the_number_on_the_disk_before_the_content(self):
        envelope, _ = self.send_bytes(b"message")
        status = self.status_of(self.opening(crashing("backend"), envelope), WVDS_CALLS=self.path("calls"))
        self.assertEqual(status, 0)
        durably = "mkostemp write fsync rename fsync"  # file, then folder
        # the number, and only then the content
        self.assertEqual(self.read("calls").decode().split(), f"{durably} {durably}".split())

    def envelope(self, name):
        with open(name, "rb") as file:
            return file.read()


if __name__ == "__main__":
    unittest.main()
