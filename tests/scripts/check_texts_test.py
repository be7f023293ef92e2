#!/usr/bin/env python3
"""Tests of scripts/check_texts.py. Words it looks for are put together here, so that this file is clean."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import check_texts  # noqa: E402


def problems(path, text):
    return [message for _, message in check_texts.check(path, text)]


class Texts(unittest.TestCase):
    def test_clean_text(self):
        self.assertEqual(problems("src/base/a.cc", "int x; // the other side's todo list\n"), [])

    def test_unfinished_work(self):
        for word in ("TO" + "DO", "FIX" + "ME", "for" + " now"):
            self.assertEqual(problems("src/base/a.cc", f"// {word} later\n"), ["unfinished work"], word)

    def test_a_path_of_a_machine(self):
        for path in ("/ho" + "me/someone/x", "/ro" + "ot/.cache", "/wo" + "rk/main"):
            self.assertEqual(problems("docs/a.md", f"see {path}\n"), ["a path of somebody's machine"], path)
        self.assertEqual(problems("docs/a.md", "see ~/.cache and $x/root/y and src/work/z\n"), [])

    def test_an_address_in_a_build_file(self):
        address = "https:" + "//host.example/x"
        self.assertEqual(problems("scripts/get.sh", f"fetch {address}\n"), ["an address in a build file"])
        self.assertEqual(problems("docs/protocol.md", f"{address}\n"), [])
        self.assertEqual(problems("demo", "https:" + "//localhost:$port\n"), [])

    def test_length(self):
        self.assertEqual(problems("src/base/a.cc", "x\n" * 500), [])
        self.assertEqual(problems("src/base/a.cc", "x\n" * 501), ["501 lines; the limit is 500"])
        self.assertEqual(problems("docs/a.md", "x\n" * 501), [])

    def test_a_header_without_guard(self):
        self.assertEqual(problems("src/base/a.h", "int x;\n"), ["no #pragma once"])
        self.assertEqual(problems("src/base/a.h", "#pragma once\nint x;\n"), [])

    def test_line_ends(self):
        self.assertEqual(problems("a.md", "x \n"), ["white space at the end of the line"])
        self.assertEqual(problems("a.md", "x"), ["the last line has no end"])


if __name__ == "__main__":
    unittest.main()
