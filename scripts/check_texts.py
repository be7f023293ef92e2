#!/usr/bin/env python3
"""Checks what holds for every text file of the project.

usage: check_texts.py [PROJECT FOLDER]

No unfinished work, no path of somebody's machine, no file over its length, no address in a build
file (builds fetch nothing by name), every header guarded.
"""

import os
import re
import subprocess
import sys

LENGTH_LIMIT = 500
# the public header is one file on purpose, and most of it is its reference
LENGTH_LIMITS = {"include/wvds_crypto.h": 1150}
CODE = re.compile(r".*\.(h|cc|c|py|sh|cmake)$|(.*/)?(check|demo|CMakeLists\.txt)$")
# Vectors, golden files and seeds are data: only their README is text of ours.
DATA = re.compile(r"(.*/)?(vectors|golden|corpus|testdata)/.*")
BUILD_FILE = re.compile(r"(scripts|cmake|\.ci)/.*|(.*/)?CMakeLists\.txt|CMakePresets\.json|check|demo")
# written so that this file does not find itself
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b|\bfor[ ]now\b")
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(home|root|work|Users)/[\w.]")
# XML's name spaces look like addresses and are none; this machine itself is nobody's
ADDRESS = re.compile(r"\b(https?|ftp)[:]//(?!www\.w3\.org/|localhost[:/])")


def line_problems(path, line):
    if UNFINISHED.search(line):
        yield "unfinished work"
    if MACHINE_PATH.search(line):
        yield "a path of somebody's machine"
    if BUILD_FILE.match(path) and ADDRESS.search(line):
        yield "an address in a build file"
    if line != line.rstrip():
        yield "white space at the end of the line"


def check(path, text):
    """Problems of one file, as (line, message)."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        for problem in line_problems(path, line):
            yield number, problem
    if text and not text.endswith("\n"):
        yield len(lines), "the last line has no end"
    limit = LENGTH_LIMITS.get(path, LENGTH_LIMIT)
    if CODE.match(path) and len(lines) - 1 > limit:
        yield 1, f"{len(lines) - 1} lines; the limit is {limit}"
    if path.endswith(".h") and "#pragma once" not in text and path != "include/wvds_crypto.h":
        yield 1, "no #pragma once"


def project_files(root):
    """Paths of text files, as git sees them (also new ones, never ignored ones)."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    ).stdout
    return sorted({p for p in listed.decode().split("\0") if p and os.path.isfile(os.path.join(root, p))})


def main(arguments):
    root = os.path.abspath(arguments[0] if arguments else os.path.join(os.path.dirname(__file__), ".."))
    messages, seen = [], 0
    for path in project_files(root):
        if DATA.match(path) and not path.endswith(".md"):
            continue
        with open(os.path.join(root, path), "rb") as file:
            content = file.read()
        if b"\0" in content:
            continue
        seen += 1
        text = content.decode("utf-8", "replace")
        messages += [f"{path}:{line}: {problem}" for line, problem in check(path, text)]
    print("\n".join(messages + [f"{seen} files, {len(messages)} problems"]))
    return 0 if seen and not messages else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
