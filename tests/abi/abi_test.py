#!/usr/bin/env python3
"""The C library's binary interface is that of the baseline; and the comparison sees what it must see: a function added,
removed or changed, a layout, a value."""

import importlib.util
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LIBRARY = os.path.join(os.environ["WVDS_BINARY_DIR"], "src/client/libl4re_crypto_service.so")

spec = importlib.util.spec_from_file_location("abi", os.path.join(ROOT, "scripts/abi.py"))
abi = importlib.util.module_from_spec(spec)
spec.loader.exec_module(abi)

HEADER = """
#include <stddef.h>
#define WVDS_SMALL_SIZE 12u /* bytes */
#define WVDS_SEALED_SIZE(len) ((len) + WVDS_SMALL_SIZE)
enum { WVDS_FIRST = 1, WVDS_SECOND = 2 };
typedef struct wvds_box { int height; int width; } wvds_box;
__attribute__((visibility("default"))) int wvds_open(const wvds_box *box, size_t count);
__attribute__((visibility("default"))) int wvds_close(void);
"""
SOURCE = """
#include "wvds_crypto.h"
int wvds_open(const wvds_box *box, size_t count) { return box->width + (int)count; }
int wvds_close(void) { return 0; }
"""


class Library(unittest.TestCase):
    def test_library_is_as_the_baseline_says(self):
        self.assertEqual(abi.check(LIBRARY), [])

    def test_library_without_one_of_its_functions_differs(self):
        path = os.path.join(abi.BASELINE, abi.FUNCTIONS)
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        # one that the baseline knows and the library does not have
        extra = next(line for line in lines if "<elf-symbol name='wvds_connect'" in line)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, abi.FUNCTIONS), "w", encoding="utf-8") as file:
                for line in lines:
                    file.write(line + "\n")
                    if line == extra:
                        file.write(line.replace("wvds_connect", "wvds_connect_twice") + "\n")
            with open(os.path.join(folder, abi.CONSTANTS), "w", encoding="utf-8") as file:
                file.write("\n".join(abi.read_lines(os.path.join(abi.BASELINE, abi.CONSTANTS))) + "\n")
            self.assertIn("wvds_connect_twice", " ".join(abi.check(LIBRARY, baseline=folder)))


class Comparison(unittest.TestCase):
    """Of a small library that is changed in one place."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.before = self.described("before", HEADER, SOURCE)

    def described(self, name, header, source):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        for file_name, text in (("wvds_crypto.h", header), ("library.c", source)):
            with open(os.path.join(folder, file_name), "w", encoding="utf-8") as file:
                file.write(text)
        library = os.path.join(folder, "library.so")
        subprocess.run(
            ["cc", "-g", "-shared", "-fPIC", "-fvisibility=hidden", "-o", library, os.path.join(folder, "library.c")], check=True
        )
        abi.describe(library, os.path.join(folder, "wvds_crypto.h"), folder)
        return folder

    def difference(self, *replacements):
        header, source = HEADER, SOURCE
        for old, new in replacements:
            self.assertIn(old, header + source)
            header, source = header.replace(old, new), source.replace(old, new)
        return "\n".join(abi.differences(self.before, self.described("after", header, source)))

    def test_nothing_changed(self):
        self.assertEqual(self.difference(), "")

    def test_an_added_function_is_seen(self):
        wanted = "int wvds_close(void);"
        found = self.difference(
            (wanted, wanted + '\n__attribute__((visibility("default"))) int wvds_new(void);'),
            ("{ return 0; }", "{ return 0; }\nint wvds_new(void) { return 1; }"),
        )
        self.assertIn("1 Added function", found)
        self.assertIn("wvds_new", found)

    def test_a_removed_function_is_seen(self):
        found = self.difference(
            ('__attribute__((visibility("default"))) int wvds_close(void);', ""), ("int wvds_close(void) { return 0; }", "")
        )
        self.assertIn("1 Removed", found)
        self.assertIn("wvds_close", found)

    def test_a_changed_parameter_is_seen(self):
        found = self.difference(("size_t count", "unsigned count"))
        self.assertIn("wvds_open", found)

    def test_a_changed_layout_is_seen(self):
        found = self.difference(("int height; int width;", "int width; int height;"))
        self.assertIn("wvds_box", found)

    def test_a_grown_structure_is_seen(self):
        found = self.difference(("int width; }", "int width; int depth; }"))
        self.assertIn("wvds_box", found)

    def test_a_changed_value_is_seen(self):
        self.assertIn("WVDS_SMALL_SIZE 12", self.difference(("_SIZE 12u", "_SIZE 13u")))

    def test_a_changed_enumerator_is_seen(self):
        self.assertIn("WVDS_SECOND 3", self.difference(("WVDS_SECOND = 2", "WVDS_SECOND = 3")))

    def test_a_changed_formula_is_seen(self):
        self.assertIn("WVDS_SEALED_SIZE(len)", self.difference(("((len) + WVDS", "((len) * WVDS")))

    def test_a_removed_value_is_seen(self):
        self.assertIn("no longer has: WVDS_SECOND 2", self.difference((", WVDS_SECOND = 2", "")))


class Refusals(unittest.TestCase):
    def test_a_library_without_debug_information_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            stripped = os.path.join(folder, "stripped.so")
            subprocess.run(["strip", "-o", stripped, LIBRARY], check=True)
            with self.assertRaisesRegex(abi.Unknown, "no functions with debug information"):
                abi.check(stripped)


if __name__ == "__main__":
    unittest.main()
