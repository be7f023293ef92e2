#!/usr/bin/env python3
"""The integrators' knowledge base: every link in it leads somewhere in it, its status table says what the built library
says, and nothing of its sources is left out."""

import ctypes
import importlib.util
import os
import re
import sys
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LIBRARY = os.path.join(ROOT, "build/release/src/client/libl4re_crypto_service.so")


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(ROOT, path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_kb = load("make_kb", "packaging/make_kb.py")


class KnowledgeBase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = make_kb.knowledge_base()

    def anchors(self):
        seen, found = {}, set()
        for line, is_text in make_kb.outside_code(self.page.splitlines()):
            heading = make_kb.HEADING.match(line) if is_text else None
            if heading:
                base = make_kb.slug(heading.group(2))
                number = seen.get(base, 0)
                seen[base] = number + 1
                found.add(f"{base}-{number}" if number else base)
        return found

    def test_every_link_leads_to_a_heading_of_the_page(self):
        text = "\n".join(line for line, is_text in make_kb.outside_code(self.page.splitlines()) if is_text)
        links = [target for _, target in make_kb.LINK.findall(text)]
        self.assertGreater(len(links), 20)
        anchors = self.anchors()
        for target in links:
            if not re.match(r"https?:", target):
                self.assertTrue(target.startswith("#") and target[1:] in anchors, target)

    def test_nothing_is_left_to_be_filled_in(self):
        self.assertNotRegex(self.page, r"(?m)^@")
        self.assertNotRegex(self.page, r"@[A-Z]+@")

    def test_the_included_documents_are_whole(self):
        for path in re.findall(r"(?m)^@INCLUDE (\S+)@$", make_kb.read("packaging/WvdS_KB_OEM.md.in")):
            for line, is_text in make_kb.outside_code(make_kb.read(path).splitlines()):
                heading = make_kb.HEADING.match(line) if is_text else None
                if heading:
                    self.assertIn("#" + line, self.page.splitlines(), path)

    def test_the_status_table_says_what_the_library_says(self):
        library = ctypes.CDLL(LIBRARY)
        for function in (library.wvds_status_name, library.wvds_status_text):
            function.restype = ctypes.c_char_p
        rows = re.findall(r"(?m)^\| `(0x[0-9A-F]{2})` \| ([A-Z_]+) \| (.*) \|$", self.page)
        self.assertGreater(len(rows), 30)
        for value, name, text in rows:
            self.assertEqual(library.wvds_status_name(int(value, 16)).decode(), name)
            self.assertEqual(library.wvds_status_text(int(value, 16)).decode(), text)
        named = [v for v in range(256) if library.wvds_status_name(v) != b"UNKNOWN_STATUS"]
        self.assertEqual(sorted(int(value, 16) for value, _, _ in rows), named)

    def test_the_functions_that_it_names_are_in_the_header(self):
        header = make_kb.read("include/wvds_crypto.h")
        named = set(re.findall(r"`(wvds_[a-z_]+)`", make_kb.read("packaging/WvdS_KB_OEM.md.in"))) - {"wvds_crypto_service", "wvds_est_service"}
        self.assertGreater(len(named), 10)
        for name in sorted(named):
            self.assertRegex(header, rf"\b{name}\(", name)

    def test_a_link_to_a_heading_that_is_gone_is_refused(self):
        anchors = {("docs/config.md", ""): "configjson", ("docs/config.md", "est"): "est"}
        self.assertEqual(make_kb.relinked("[x](config.md#est)", "docs/est.md", anchors), "[x](#est)")
        with self.assertRaisesRegex(make_kb.Wrong, "no such heading"):
            make_kb.relinked("[x](config.md#gone)", "docs/est.md", anchors)


if __name__ == "__main__":
    unittest.main(verbosity=2, exit=True) if len(sys.argv) == 1 else sys.exit(2)
