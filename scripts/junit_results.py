#!/usr/bin/env python3
"""Turns ctest's JUnit file into lines of  pass|fail|skip TAB name TAB reason.

usage: junit_results.py FILE [PREFIX] [FOLDER]

A test that skipped itself keeps its reason: what stands behind "NOT RUN: ", else its whole message.
An entry NAME.all_cases is a GoogleTest program that ran all its tests in one process
(cmake/WvdsTargets.cmake); they are taken from the file NAME.all_cases.xml in FOLDER. A program that
ended before it wrote the file has failed, in the test that ran. A file that is missing or can't be
read is a failed test, never silence.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree

ALL_CASES = ".all_cases"


def told_by(message):
    """The reason in what a test said when it skipped itself."""
    found = re.search(r"NOT RUN: ([^\n]*)", message)
    return found.group(1).strip() if found else message.strip() or "no reason given"


def skip_reason(case):
    """Of an entry that is one test. GoogleTest writes "FILE:LINE: Skipped", the message, an end line."""
    output = case.findtext("system-out") or ""
    if "NOT RUN: " in output:
        return told_by(output)
    found = re.search(r"^\S+:\d+: Skipped\n(.*?)\n*^\[  SKIPPED \]", output, re.DOTALL | re.MULTILINE)
    return told_by(found.group(1) if found else "")


def result_of(case):
    """(kind, reason) of one entry. Whatever is neither passed nor skipped has failed."""
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


def gtest_name(case):
    """The name that CMake gives the test where it has an entry of its own."""
    suite, name = case.get("classname", "?"), case.get("name", "?")
    if case.get("value_param") is not None:
        name = re.sub(r"/\d+$", lambda _: "/" + case.get("value_param"), name)
    if case.get("type_param") is not None:
        suite, name = suite.split("/")[0], f"{name}<{case.get('type_param')}>"
    return f"{suite}.{name}"


def gtest_result(case):
    """(kind, reason) of one test in GoogleTest's own file."""
    failure, skipped = case.find("failure"), case.find("skipped")
    if failure is not None:
        return "fail", failure.get("message", "") or "it failed"
    if skipped is not None:
        return "skip", told_by(re.sub(r"^\S+:\d+\n", "", skipped.get("message", "")))
    if case.get("result") == "suppressed":
        return "skip", "the test is disabled"
    return ("pass", "") if case.get("result") == "completed" else ("fail", str(case.get("result")))


def ended_early(case, reason):
    """Why a program that wrote no results has failed."""
    started = re.findall(r"^\[ RUN      \] (.*)$", case.findtext("system-out") or "", re.MULTILINE)
    where = f"in {started[-1].strip()}" if started else "before its first test"
    return f"ended {where}, without results ({reason or 'exit status 0'})"


def program_results(case, folder):
    """(kind, name, reason) of each test in an entry that is a whole program."""
    entry = case.get("name")
    program = entry[: -len(ALL_CASES)]
    whole, why = result_of(case)
    try:
        root = ElementTree.fromstring(read(os.path.join(folder, entry + ".xml")))
    except (OSError, ElementTree.ParseError):
        return [("fail", entry, ended_early(case, why))]
    found = []
    for test in root.iter("testcase"):
        kind, reason = gtest_result(test)
        found.append((kind, f"{program}.{gtest_name(test)}", reason))
    if not found:
        found.append(("fail", entry, "it has no test"))
    if whole != "pass" and not any(one[0] == "fail" for one in found):
        # what a sanitizer reports at the end, or a failure outside of the tests
        found.append(("fail", entry, f"all its tests passed, the program did not ({why})"))
    return found


def results(root, folder):
    """(kind, name, reason) of each test."""
    for case in root.iter("testcase"):
        name = case.get("name", "?")
        if name.endswith(ALL_CASES):
            yield from program_results(case, folder)
        else:
            kind, reason = result_of(case)
            yield kind, name, reason


def lines(text, prefix="", folder=""):
    for kind, name, reason in results(ElementTree.fromstring(text), folder):
        yield "\t".join((kind, prefix + " ".join(name.split()), " ".join(reason.split())))


def read(path):
    # a test's output is copied as it is; control characters are not XML
    with open(path, encoding="utf-8", errors="replace") as file:
        return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", file.read())


def main(arguments):
    path, prefix, folder = (arguments + ["", ""])[:3]
    try:
        found = list(lines(read(path), prefix, folder))
    except (OSError, ElementTree.ParseError) as error:
        found = [f"fail\t{prefix}test results\t{error}"]
    if not found:
        found = [f"fail\t{prefix}test results\tno test in the file"]
    print("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
