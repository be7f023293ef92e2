#!/usr/bin/env python3
"""Compares the sources that l4re/sources.mk names with those of the Linux build.

A source that one build has and the other has not is Linux's own (linux/), L4Re's own (l4re/), or stands in LEFT_OUT with
the reason.
"""

import os
import re
import subprocess
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
# What the client library and both services are made of
SHARED = ("base", "protocol")
# The modules that each of the package's lists has all of
LISTS = {
    "WVDS_CLIENT": SHARED + ("client",),
    "WVDS_SERVICE": SHARED + ("channel", "crypto", "keystore", "config", "access", "service", "platform"),
    "WVDS_EST": SHARED
    + ("channel", "client", "crypto", "config", "access", "platform", "ossl_provider", "est", "est_service"),
}
MODULES = sorted({module for modules in LISTS.values() for module in modules})

# Sources that the package for L4Re does not have, and why
LEFT_OUT = {
    "channel/inprocess/session.cc": "a session within one process, for tests and fuzz targets",
    "keystore/archive.cc": "what the tool does to a store at rest",
    "keystore/archive_format.cc": "what the tool does to a store at rest",
    "keystore/store_inspect.cc": "what the tool does to a store at rest",
    "keystore/store_rewrap.cc": "what the tool does to a store at rest",
    "est_service/file_records.cc": "records in files, which L4Re has no folder for: it has them on raw sectors",
    "keystore/folder_medium.cc": "a store of files, which L4Re has no folder for: it has one on raw sectors",
    "keystore/memory/memory_protector.cc": "for tests",
    "keystore/tpm/auth_value.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_counter.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_error.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_header.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_key.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_pcrs.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_protector.cc": "protector tpm, which L4Re refuses by name",
    "keystore/tpm/tpm_session.cc": "protector tpm, which L4Re refuses by name",
}

LIBRARY = re.compile(r"^\s*wvds_library\(\s*(\w+)\s+SOURCES\s+([^)]*?)(?:\sLIBS\s[^)]*)?\)", re.MULTILINE)


def cmake_sources(module, text):
    """The sources, from src/ on, of a module's libraries, without those for tests."""
    found = LIBRARY.findall(text)
    return {f"{module}/{name}" for library, names in found if not library.endswith("_testing") for name in names.split()}


def problems(linux_build, lists, on_disk):
    """What is wrong, given the sources of the Linux build, the package's lists by name, and the files in src/."""
    package = {name for wanted in lists.values() for name in wanted}
    common = {name for name in linux_build if "/linux/" not in name}
    for name in sorted(common):
        for variable, modules in LISTS.items():
            if name.split("/")[0] in modules and name not in lists[variable] and name not in LEFT_OUT:
                yield f"{name}: not in {variable}"
    for name in sorted(package - common):
        if "/l4re/" not in name:
            yield f"{name}: not in the Linux build"
    for name in sorted(package - on_disk):
        yield f"{name}: no such file in src/"
    for name in sorted(on_disk - package):
        if re.search(r"/l4re/.*\.cc$", name):
            yield f"{name}: in no list"
    for name in sorted(set(LEFT_OUT) - (common - package)):
        yield f"{name}: LEFT_OUT names it for nothing"
    for wanted in lists.values():
        for name in sorted({name for name in wanted if wanted.count(name) > 1}):
            yield f"{name}: twice in one list"


def package_list(variable):
    """A list of l4re/sources.mk, as make reads it."""
    makefile = f"include {ROOT}/l4re/sources.mk\n$(info $({variable}))\nall:;@:\n"
    made = subprocess.run(["make", "-s", "-f", "-"], input=makefile, capture_output=True, text=True, check=True, cwd="/")
    return made.stdout.split()


def linux_build():
    sources = set()
    for module in MODULES:
        with open(os.path.join(ROOT, "src", module, "CMakeLists.txt"), encoding="utf-8") as file:
            of_module = cmake_sources(module, file.read())
        if not of_module:
            raise AssertionError(f"no library in src/{module}/CMakeLists.txt")
        sources |= of_module
    return sources


def files_in_src():
    top = os.path.join(ROOT, "src")
    return {os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names}


class TheTree(unittest.TestCase):
    def test_has_the_same_sources_for_both_systems(self):
        found = problems(linux_build(), {name: package_list(name) for name in LISTS}, files_in_src())
        self.assertEqual(list(found), [])


class CmakeSources(unittest.TestCase):
    def test_are_those_of_all_libraries_but_not_of_tests(self):
        text = (
            "find_package(X)\n"
            "wvds_library(wvds_config SOURCES a.cc b.cc LIBS wvds_base)\n"
            "wvds_library(wvds_config_linux\n  SOURCES\n    linux/c.cc\n  LIBS\n    wvds_config)\n"
            "wvds_library(wvds_alone SOURCES d.cc)\n"
            "if(WVDS_TESTS)\n  wvds_library(wvds_config_testing SOURCES testing/e.cc LIBS x)\nendif()\n"
            "wvds_test(config_test SOURCES a_test.cc LIBS wvds_config)\n"
        )
        self.assertEqual(
            cmake_sources("config", text), {"config/a.cc", "config/b.cc", "config/linux/c.cc", "config/d.cc"}
        )


class Problems(unittest.TestCase):
    def setUp(self):
        self.client = ["base/a.cc", "protocol/b.cc", "client/c.cc", "channel/l4re/d.cc"]
        self.service = ["base/a.cc", "protocol/b.cc", "service/e.cc"]
        self.est = ["base/a.cc", "protocol/b.cc", "client/c.cc", "est/g.cc"]
        self.linux = {"base/a.cc", "protocol/b.cc", "client/c.cc", "service/e.cc", "est/g.cc", "service/linux/f.cc", *LEFT_OUT}

    def found(self, on_disk=()):
        lists = {"WVDS_CLIENT": self.client, "WVDS_SERVICE": self.service, "WVDS_EST": self.est}
        return list(problems(self.linux, lists, self.linux | {"channel/l4re/d.cc", *on_disk}))

    def test_are_none_where_the_builds_agree(self):
        self.assertEqual(self.found(), [])

    def test_are_sources_that_the_package_misses(self):
        self.linux |= {"service/new.cc", "base/new.cc", "client/new.cc", "est/new.cc"}
        self.assertEqual(
            self.found(),
            [
                "base/new.cc: not in WVDS_CLIENT",
                "base/new.cc: not in WVDS_SERVICE",
                "base/new.cc: not in WVDS_EST",
                "client/new.cc: not in WVDS_CLIENT",
                "client/new.cc: not in WVDS_EST",
                "est/new.cc: not in WVDS_EST",
                "service/new.cc: not in WVDS_SERVICE",
            ],
        )

    def test_are_sources_that_only_the_package_has(self):
        self.service += ["service/old.cc", "service/l4re/gone.cc"]
        self.assertEqual(
            self.found(on_disk=["service/old.cc"]),
            ["service/old.cc: not in the Linux build", "service/l4re/gone.cc: no such file in src/"],
        )

    def test_are_sources_for_l4re_that_nothing_builds(self):
        self.assertEqual(self.found(on_disk=["platform/l4re/lost.cc"]), ["platform/l4re/lost.cc: in no list"])

    def test_are_exceptions_that_are_none_any_more(self):
        self.service += ["keystore/folder_medium.cc"]
        self.linux -= {"channel/inprocess/session.cc"}
        self.assertEqual(
            self.found(),
            [
                "channel/inprocess/session.cc: LEFT_OUT names it for nothing",
                "keystore/folder_medium.cc: LEFT_OUT names it for nothing",
            ],
        )

    def test_are_sources_named_twice(self):
        self.client += ["client/c.cc"]
        self.assertEqual(self.found(), ["client/c.cc: twice in one list"])


if __name__ == "__main__":
    unittest.main()
