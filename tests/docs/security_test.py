#!/usr/bin/env python3
"""Each mitigation in SECURITY.md names the tests that show it, and each test that is named there exists.

Behind `Tests:` stand, in backquotes: Suite.Name or Suite.* of GoogleTest, the name of a test program or of a test's
file, or a path.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
ROW = re.compile(r"^\| (M-\d+) \|.*\|$", re.M)
TEST_CASE = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)")
PROGRAM = re.compile(r"\b(?:wvds_test|wvds_python_tests|add_test\(NAME)[ (]*(\w+)")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def project_files():
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "src", "tests"],
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted({path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path))})


class Known:
    """The tests of the project."""

    def __init__(self):
        self.cases, self.programs, self.files = set(), set(), set()
        for path in project_files():
            base, suffix = os.path.splitext(os.path.basename(path))
            self.files.add(base)
            if suffix in (".cc", ".h"):
                self.cases.update(TEST_CASE.findall(read(path)))
            elif os.path.basename(path) == "CMakeLists.txt":
                self.programs.update(PROGRAM.findall(read(path)))
        self.suites = {suite for suite, _ in self.cases}

    def has(self, name):
        if "/" in name:
            return os.path.exists(os.path.join(ROOT, name))
        suite, dot, case = name.partition(".")
        if not dot:
            return name in self.programs or name in self.files
        return suite in self.suites if case == "*" else (suite, case) in self.cases


def problems(page, known):
    rows = [(match.group(1), match.group(0)) for match in ROW.finditer(page)]
    if not rows:
        yield "there is no mitigation"
    for number, row in rows:
        _, _, named = row.partition(" Tests: ")
        tests = re.findall(r"`([^`]+)`", named)
        if not tests:
            yield f"{number} names no test"
        for test in tests:
            if not known.has(test):
                yield f"{number}: there is no test {test}"


def self_check(known):
    """What this test would say of a page with each kind of mistake."""
    page = "| M-1 | a | b. Tests: `NoSuchSuite.*`, `security_test`, `no_such_test`, `tests/docs`, `tests/nowhere`. |\n| M-2 | a | b |\n"
    wanted = [
        "M-1: there is no test NoSuchSuite.*",
        "M-1: there is no test no_such_test",
        "M-1: there is no test tests/nowhere",
        "M-2 names no test",
    ]
    return list(problems(page, known)) == wanted and list(problems("", known)) == ["there is no mitigation"]


def main():
    known = Known()
    found = list(problems(read("SECURITY.md"), known))
    if not self_check(known):
        found.append("this test does not find mistakes any more")
    print("\n".join(found + [f"{len(known.cases)} tests known, {len(found)} problems"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
