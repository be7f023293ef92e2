#!/usr/bin/env python3
"""Turns ctest's JUnit file into lines of  pass|fail|skip TAB name TAB reason.

usage: junit_results.py FILE [PREFIX]

A test skipped with GTEST_SKIP() << "NOT RUN: reason" keeps its reason. A file that is missing or
can't be read is one failed test, never silence.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree


def skip_reason(case):
    output = case.findtext("system-out") or ""
    found = re.search(r"NOT RUN: ([^\n]*)", output)
    if found:
        return found.group(1).strip()
    return "no reason given"


def result_of(case):
    """(kind, reason) of one test case. Whatever is neither passed nor skipped has failed."""
    status = case.get("status")
    failure = case.find("failure")
    if status == "run" and failure is None:
        return "pass", ""
    skipped = case.find("skipped")
    # ctest also says "skipped" of a test whose program is missing; only a test skips itself
    if status == "notrun" and skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return "skip", skip_reason(case)
    if status == "disabled":
        return "skip", "the test is disabled"
    told = failure if failure is not None else skipped
    message = told.get("message", "") if told is not None else ""
    return "fail", message or str(status)


def lines(text, prefix=""):
    root = ElementTree.fromstring(text)
    for case in root.iter("testcase"):
        kind, reason = result_of(case)
        yield "\t".join((kind, prefix + case.get("name", "?"), " ".join(reason.split())))


def main(arguments):
    path, prefix = arguments[0], arguments[1] if len(arguments) > 1 else ""
    try:
        # ctest copies a test's output as it is; control characters are not XML
        with open(path, encoding="utf-8", errors="replace") as file:
            text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", file.read())
        found = list(lines(text, prefix))
    except (OSError, ElementTree.ParseError) as error:
        found = [f"fail\t{prefix}test results\t{error}"]
    if not found:
        found = [f"fail\t{prefix}test results\tno test in the file"]
    print("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
