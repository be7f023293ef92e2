#!/usr/bin/env python3
"""Tests of scripts/junit_results.py with files as ctest writes them."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import junit_results  # noqa: E402

CASES = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="x" tests="5">
 <testcase name="a" status="run"><system-out>fine</system-out></testcase>
 <testcase name="b" status="fail"><failure message=""/><system-out>bad</system-out></testcase>
 <testcase name="c" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
  <system-out>a_test.cc:3: Skipped
NOT RUN: no user namespace
[  SKIPPED ] c</system-out></testcase>
 <testcase name="d" status="disabled"/>
 <testcase name="e" status="fail"><failure message="Timeout"/></testcase>
</testsuite>
"""


def run(content, *prefix):
    with tempfile.NamedTemporaryFile("wb", suffix=".xml") as file, io.StringIO() as out:
        file.write(content)
        file.flush()
        with contextlib.redirect_stdout(out):
            junit_results.main([file.name, *prefix])
        return out.getvalue().splitlines()


class Results(unittest.TestCase):
    def test_each_status(self):
        self.assertEqual(
            list(junit_results.lines(CASES)),
            ["pass\ta\t", "fail\tb\tfail", "skip\tc\tno user namespace", "skip\td\tthe test is disabled", "fail\te\tTimeout"],
        )

    def test_prefix(self):
        self.assertEqual(run(CASES.encode(), "asan: ")[0], "pass\tasan: a\t")

    def test_a_test_that_was_not_found_has_failed(self):
        case = '<testsuite><testcase name="a" status="notrun"/></testsuite>'
        self.assertEqual(list(junit_results.lines(case)), ["fail\ta\tnotrun"])

    def test_a_test_whose_program_is_missing_has_failed(self):
        case = '<testsuite><testcase name="a" status="notrun"><skipped message="Unable to find executable"/></testcase></testsuite>'
        self.assertEqual(list(junit_results.lines(case)), ["fail\ta\tUnable to find executable"])

    def test_a_skip_without_reason_says_so(self):
        case = '<testsuite><testcase name="a" status="notrun"><skipped message="SKIP_RETURN_CODE"/></testcase></testsuite>'
        self.assertEqual(list(junit_results.lines(case)), ["skip\ta\tno reason given"])

    def test_control_characters_in_the_output(self):
        self.assertEqual(run(CASES.replace("fine", "fi\x01\x1bne").encode())[0], "pass\ta\t")

    def test_no_file_broken_file_and_empty_file_fail(self):
        self.assertTrue(run(b"<testsuite>")[0].startswith("fail\t"))
        self.assertTrue(run(b"<testsuite/>")[0].startswith("fail\t"))
        with io.StringIO() as out, contextlib.redirect_stdout(out):
            junit_results.main(["/nonexistent/results.xml"])
            self.assertTrue(out.getvalue().startswith("fail\t"))


if __name__ == "__main__":
    unittest.main()
