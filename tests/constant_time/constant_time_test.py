"""Nothing that the project's own code does depends on a secret: valgrind's memcheck with the secrets marked undefined."""

import os
import shutil
import subprocess
import sys
import unittest

PROGRAM = os.path.join(os.environ["WVDS_BINARY_DIR"], "tests/constant_time/secret_paths")
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openssl.supp")
FOUND = 9  # exit status for a finding


def missing():
    if not shutil.which("valgrind"):
        return "valgrind is not installed"
    return "" if os.path.exists(PROGRAM) else "the program is not built: it needs valgrind's header"


def memcheck(*cases):
    """Exit status and report."""
    command = ["valgrind", "-q", f"--error-exitcode={FOUND}", f"--suppressions={SUPPRESSIONS}", "--leak-check=no",
               "--undef-value-errors=yes", "--num-callers=30", PROGRAM, *cases]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class ConstantTime(unittest.TestCase):
    def expect_clean(self, *cases):
        status, report = memcheck(*cases)
        self.assertEqual(status, 0, report)
        for case in cases:
            self.assertIn(f"ran {case}\n", report)

    def test_comparing_and_encoding(self):
        self.expect_clean("comparison", "secrets_and_hex", "base64", "http_password")

    def test_wrapping_of_keys(self):
        self.expect_clean("key_wrap")

    def test_requests_that_use_keys(self):
        self.expect_clean("served_cipher", "served_signature", "served_decapsulation")


class TheCheckItself(unittest.TestCase):
    def test_finds_a_branch(self):
        status, report = memcheck("leaky_branch")
        self.assertEqual(status, FOUND, report)
        self.assertIn("Conditional jump or move depends on uninitialised value", report)
        self.assertIn("same_until_a_difference", report)

    def test_finds_an_index(self):
        status, report = memcheck("leaky_index")
        self.assertEqual(status, FOUND, report)
        self.assertIn("Use of uninitialised value of size 8", report)
        self.assertIn("leaky_index", report)


if __name__ == "__main__":
    if missing():
        print("NOT RUN: " + missing())
        sys.exit(0)
    unittest.main()
