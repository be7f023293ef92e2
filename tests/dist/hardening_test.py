#!/usr/bin/env python3
"""The delivered programs and libraries have what compiler and linker offer against an attacker.

usage: hardening_test.py DELIVERY.tar.gz

Looks at the files as the loader and the processor see them. What can't be held is left out by name, with the reason.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = None  # where the delivery is unpacked
ARCHITECTURES = ("aarch64", "x86_64")
PROGRAMS = ("wvds_crypto_service", "wvds_est_service", "wvds", "openssl")
LIBRARIES = ("libl4re_crypto_service.so", "wvds.so", "libcrypto.so.3", "libssl.so.3", "fips.so")
ENDBR64 = bytes.fromhex("f30f1efa")
PACIASP, AUTIASP = bytes.fromhex("3f2303d5"), bytes.fromhex("bf2303d5")
LEAST_FUNCTIONS = 20  # that save a return address; the smallest file has some hundred
LEAST_MARKED = 0.99  # of the addresses of code in tables
# the compiler found no copy there that wants a check; what else is built with the same flags has some
WITHOUT_CHECKED_COPIES = ("wvds.so", "libl4re_crypto_service.so")


def readelf(path, *options):
    # LC_ALL: words are looked for
    done = subprocess.run(["readelf", "-W", *options, path], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def delivered(arch):
    for name in PROGRAMS:
        yield os.path.join(ROOT, "bin", arch, name)
    for name in LIBRARIES:
        yield os.path.join(ROOT, "lib", arch, name)


def symbols(path):
    return set(re.findall(r"\bUND (\w+)", readelf(path, "--dyn-syms")))


def code_of(path):
    """Address and bytes."""
    found = re.search(r"\s\.text\s+PROGBITS\s+(\w+) (\w+) (\w+)", readelf(path, "-S"))
    begin, offset, size = (int(number, 16) for number in found.groups())
    with open(path, "rb") as file:
        file.seek(offset)
        return begin, file.read(size)


class Hardening(unittest.TestCase):
    def each(self, check, architectures=ARCHITECTURES):
        """check(name, path) for each file."""
        for arch in architectures:
            for path in delivered(arch):
                with self.subTest(os.path.relpath(path, ROOT)):
                    check(os.path.basename(path), path)

    def test_the_loader_may_place_it_anywhere(self):
        def check(name, path):
            self.assertIn("DYN (", readelf(path, "-h"))
            if name in PROGRAMS:
                self.assertRegex(readelf(path, "-d"), r"FLAGS_1.*\bPIE\b")

        self.each(check)

    def test_what_the_loader_writes_is_read_only_afterwards(self):
        def check(_, path):
            self.assertIn("GNU_RELRO", readelf(path, "-l"))
            self.assertRegex(readelf(path, "-d"), r"FLAGS_1.*\bNOW\b|BIND_NOW")

        self.each(check)

    def test_no_memory_is_both_written_and_run(self):
        def check(_, path):
            segments = readelf(path, "-l")
            self.assertRegex(segments, r"GNU_STACK.* RW ")
            self.assertNotRegex(segments, r"LOAD.* RWE ")
            self.assertNotIn("TEXTREL", readelf(path, "-d"))

        self.each(check)

    def test_the_stack_is_guarded(self):
        self.each(lambda _, path: self.assertIn("__stack_chk_fail", symbols(path)))

    def test_copies_into_buffers_of_a_known_size_are_checked(self):
        def check(name, path):
            checked = {s for s in symbols(path) if re.fullmatch(r"__\w+_chk", s)}
            self.assertTrue(checked or name in WITHOUT_CHECKED_COPIES, name)

        self.each(check)

    # Linkers mark a file for IBT and SHSTK (x86_64), BTI and PAC (aarch64) only when all its parts are marked; the start files
    # of Debian's C library are not. So the marks can't be held, but the instructions are there.

    def test_functions_of_x86_64_that_are_called_by_address_say_so(self):
        def check(_, path):
            begin, code = code_of(path)
            targets = {int(at, 16) - begin for at in re.findall(r"R_X86_64_RELATIVE\s+(\w+)", readelf(path, "-r"))}
            targets = {at for at in targets if 0 <= at < len(code)}
            marked = [at for at in targets if code.startswith(ENDBR64, at)]
            self.assertGreater(len(marked), LEAST_MARKED * len(targets))

        self.each(check, ("x86_64",))

    def test_return_addresses_of_aarch64_are_signed_and_checked(self):
        def check(_, path):
            _, found = code_of(path)
            self.assertGreater(found.count(PACIASP), LEAST_FUNCTIONS)
            self.assertGreater(found.count(AUTIASP), LEAST_FUNCTIONS)

        self.each(check, ("aarch64",))


if __name__ == "__main__":
    archive = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as ROOT:
        subprocess.run(["tar", "-xzf", archive, "-C", ROOT], check=True)
        unittest.main()
