#!/usr/bin/env python3
"""Tests of scripts/static_analysis.py: that a mistake is found, and that something is looked at."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
SCRIPT = os.path.join(ROOT, "scripts/static_analysis.py")
GOOD = "int main() { return 0; }\n"
LEAK = "#include <cstdlib>\nint main() { char* p = static_cast<char*>(std::malloc(8)); p[0] = 'x'; return p[0]; }\n"
OUT_OF_RANGE = "int main() { int values[2] = {1, 2}; return values[2]; }\n"


def run(*arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout


class StaticAnalysis(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(os.path.join(self.folder, "src/base"))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def tidy(self, name, text, *options):
        path = self.write(name, text)
        self.write("compile_commands.json", json.dumps([{"directory": self.folder, "file": path, "command": f"c++ -std=c++20 -c {path}"}]))
        return run("tidy", *options, self.folder)

    def cppcheck(self, text):
        self.write("src/base/a.cc", text)
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        return run("cppcheck", self.folder)

    @unittest.skipUnless(shutil.which("clang-tidy-19"), "NOT RUN: clang-tidy-19 is not installed")
    def test_clang_tidy_tells_of_a_leak(self):
        self.assertEqual(self.tidy("src/base/a.cc", GOOD), (0, "1 translation units, 0 findings\n"))
        status, said = self.tidy("src/base/a.cc", LEAK)
        self.assertEqual(status, 1)
        self.assertIn("a.cc:2:", said)
        self.assertIn("clang-analyzer-unix.Malloc", said)

    @unittest.skipUnless(shutil.which("clang-tidy-19"), "NOT RUN: clang-tidy-19 is not installed")
    def test_clang_tidy_that_looks_at_nothing_has_failed(self):
        for name in ("src/base/a_test.cc", "src/base/a_fuzz.cc"):
            self.assertEqual(self.tidy(name, GOOD, "--long"), (1, "0 translation units, 0 findings\n"), name)

    @unittest.skipUnless(shutil.which("clang-tidy-19"), "NOT RUN: clang-tidy-19 is not installed")
    def test_clang_tidy_that_can_not_compile_has_failed(self):
        self.assertEqual(self.tidy("src/base/a.cc", "int main( {")[0], 1)

    @unittest.skipUnless(shutil.which("cppcheck"), "NOT RUN: cppcheck is not installed")
    def test_cppcheck_tells_of_an_index_out_of_range(self):
        self.assertEqual(self.cppcheck(GOOD)[0], 0)
        self.assertNotEqual(self.cppcheck(OUT_OF_RANGE)[0], 0)
        os.remove(os.path.join(self.folder, "src/base/a.cc"))
        self.assertNotEqual(run("cppcheck", self.folder)[0], 0, "nothing to look at")


if __name__ == "__main__":
    unittest.main()
