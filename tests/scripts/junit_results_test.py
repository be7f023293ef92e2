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

    def test_a_skip_with_another_message_keeps_it(self):
        output = "[ RUN      ] a\na_test.cc:3: Skipped\nonly root can\ngive files away\n\n[  SKIPPED ] a (0 ms)\n"
        case = '<testsuite><testcase name="a" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
        case += f"<system-out>{output}</system-out></testcase></testsuite>"
        self.assertEqual(list(junit_results.lines(case)), ["skip\ta\tonly root can give files away"])

    def test_control_characters_in_the_output(self):
        self.assertEqual(run(CASES.replace("fine", "fi\x01\x1bne").encode())[0], "pass\ta\t")

    def test_no_file_broken_file_and_empty_file_fail(self):
        self.assertTrue(run(b"<testsuite>")[0].startswith("fail\t"))
        self.assertTrue(run(b"<testsuite/>")[0].startswith("fail\t"))
        with io.StringIO() as out, contextlib.redirect_stdout(out):
            junit_results.main(["/nonexistent/results.xml"])
            self.assertTrue(out.getvalue().startswith("fail\t"))


GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="7" failures="2" name="AllTests">
 <testsuite name="Aead">
  <testcase name="Seals" status="run" result="completed" classname="Aead"/>
  <testcase name="Opens" status="run" result="completed" classname="Aead">
   <failure message="a_test.cc:7&#x0A;Expected equality" type=""><![CDATA[a_test.cc:7
Expected equality]]></failure>
  </testcase>
  <testcase name="OnHardware" status="run" result="skipped" classname="Aead">
   <skipped message="a_test.cc:9&#x0A;NOT RUN: no hardware&#x0A;"/>
  </testcase>
  <testcase name="AsRoot" status="run" result="skipped" classname="Aead">
   <skipped message="a_test.cc:11&#x0A;only root can&#x0A;"/>
  </testcase>
  <testcase name="Later" status="notrun" result="suppressed" classname="Aead"/>
 </testsuite>
 <testsuite name="Both/Kem">
  <testcase name="Works/1" value_param="ML-KEM-512" status="run" result="completed" classname="Both/Kem"/>
 </testsuite>
 <testsuite name="Typed/0">
  <testcase name="Fits" type_param="int" status="run" result="completed" classname="Typed/0"/>
 </testsuite>
</testsuites>
"""
PASSED = '<testsuite><testcase name="x_test.all_cases" status="run"/></testsuite>'
FAILED = """<testsuite><testcase name="x_test.all_cases" status="fail"><failure message="Segfault"/>
<system-out>[ RUN      ] Aead.Seals
[       OK ] Aead.Seals (0 ms)
[ RUN      ] Aead.Opens
</system-out></testcase></testsuite>"""


class WholePrograms(unittest.TestCase):
    def results(self, entry, written=None):
        with tempfile.TemporaryDirectory() as folder:
            if written is not None:
                with open(os.path.join(folder, "x_test.all_cases.xml"), "w", encoding="utf-8") as file:
                    file.write(written)
            return list(junit_results.lines(entry, "asan: ", folder))

    def test_each_of_its_tests_is_a_result(self):
        failed = "<testsuite><testcase name='x_test.all_cases' status='fail'><failure message=''/></testcase></testsuite>"
        self.assertEqual(
            self.results(failed, GTEST),
            [
                "pass\tasan: x_test.Aead.Seals\t",
                "fail\tasan: x_test.Aead.Opens\ta_test.cc:7 Expected equality",
                "skip\tasan: x_test.Aead.OnHardware\tno hardware",
                "skip\tasan: x_test.Aead.AsRoot\tonly root can",
                "skip\tasan: x_test.Aead.Later\tthe test is disabled",
                "pass\tasan: x_test.Both/Kem.Works/ML-KEM-512\t",
                "pass\tasan: x_test.Typed.Fits<int>\t",
            ],
        )

    def test_a_crash_is_a_failure_of_the_test_that_ran(self):
        crashed = ["fail\tasan: x_test.all_cases\tended in Aead.Opens, without results (Segfault)"]
        self.assertEqual(self.results(FAILED), crashed)
        self.assertEqual(self.results(FAILED, GTEST[:300]), crashed)

    def test_an_exit_in_the_middle_is_a_failure_even_with_status_0(self):
        self.assertEqual(
            self.results(PASSED),
            ["fail\tasan: x_test.all_cases\tended before its first test, without results (exit status 0)"],
        )

    def test_a_failure_after_the_last_test_is_one(self):
        fine = '<testsuites><testsuite><testcase name="A" result="completed" classname="B"/></testsuite></testsuites>'
        self.assertEqual(self.results(PASSED, fine), ["pass\tasan: x_test.B.A\t"])
        self.assertEqual(
            self.results(FAILED, fine)[1:],
            ["fail\tasan: x_test.all_cases\tall its tests passed, the program did not (Segfault)"],
        )

    def test_a_program_without_tests_has_failed(self):
        self.assertEqual(self.results(PASSED, "<testsuites/>"), ["fail\tasan: x_test.all_cases\tit has no test"])


if __name__ == "__main__":
    unittest.main()
