#!/usr/bin/env python3
"""Tests of scripts/check_includes.py: each rule catches its violation and allows what is right."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import check_includes  # noqa: E402


def problems(path, *lines, **others):
    files = {path: "\n".join(lines) + "\n"}
    files.update(others)
    return check_includes.check(files)


class Modules(unittest.TestCase):
    def test_a_layer_may_include_the_ones_below_it(self):
        self.assertEqual(problems("src/channel/slot.cc", '#include "platform/clock.h"', '#include "base/bytes.h"'), [])
        self.assertEqual(problems("src/keystore/store.h", '#include "crypto/aead.h"', '#include "base/result.h"'), [])
        self.assertEqual(problems("src/service/main.cc", '#include "protocol/frame.h"', '#include "keystore/store.h"'), [])
        self.assertEqual(problems("src/keystore/file/file.cc", '#include "keystore/store.h"'), [])

    def test_a_layer_may_not_include_the_ones_above_it(self):
        for path, name in (
            ("src/base/bytes.h", "platform/clock.h"),
            ("src/crypto/aead.cc", "keystore/store.h"),
            ("src/crypto/aead.cc", "platform/entropy.h"),
            ("src/channel/slot.cc", "protocol/frame.h"),
            ("src/protocol/frame.h", "channel/slot.h"),
            ("src/keystore/store.cc", "protocol/frame.h"),
            ("src/client/call.cc", "crypto/aead.h"),
            ("src/est/csr.cc", "keystore/store.h"),
            ("src/est/csr.cc", "protocol/frame.h"),
            ("src/config/load.cc", "service/session.h"),
        ):
            self.assertEqual(len(problems(path, f'#include "{name}"')), 1, (path, name))

    def test_only_the_service_sees_protocol_and_keystore(self):
        both = [
            module
            for module, allowed in check_includes.ALLOWED.items()
            if {"protocol", "keystore"} <= allowed
        ]
        self.assertEqual(both, ["service"])

    def test_single_headers_are_allowed_by_name(self):
        self.assertEqual(problems("src/est_service/a.cc", '#include "keystore/block_medium.h"'), [])
        self.assertEqual(len(problems("src/est_service/a.cc", '#include "keystore/store.h"')), 1)
        self.assertEqual(len(problems("src/est/a.cc", '#include "keystore/block_medium.h"')), 1)

    def test_the_message_names_file_and_line(self):
        self.assertEqual(
            problems("src/base/a.h", "#pragma once", '#include "crypto/aead.h"'),
            ['src/base/a.h:2: "crypto/aead.h": base may not include crypto'],
        )

    def test_names_are_written_from_src_on(self):
        self.assertEqual(len(problems("src/base/a.cc", '#include "a.h"')), 1)
        self.assertEqual(len(problems("src/base/a.cc", '#include "../crypto/aead.h"')), 1)

    def test_spaces_do_not_hide_an_include(self):
        self.assertEqual(len(problems("src/base/a.cc", '  #  include   "crypto/aead.h"')), 1)

    def test_an_unknown_module_is_reported(self):
        self.assertEqual(len(problems("src/new_one/a.cc", "")), 1)

    def test_tests_follow_the_modules_too(self):
        self.assertEqual(len(problems("src/base/a_test.cc", '#include "crypto/aead.h"')), 1)


class OpenSsl(unittest.TestCase):
    def test_only_crypto_and_the_provider_include_evp(self):
        self.assertEqual(problems("src/crypto/aead.cc", "#include <openssl/evp.h>"), [])
        for module in check_includes.ALLOWED:
            if module not in ("crypto", "ossl_provider"):  # a provider's programs bring EVP along
                self.assertEqual(len(problems(f"src/{module}/a.cc", "#include <openssl/evp.h>")), 1, module)

    def test_quotes_do_not_hide_it(self):
        self.assertNotEqual(problems("src/service/a.cc", '#include "openssl/evp.h"'), [])


class Systems(unittest.TestCase):
    def test_linux_headers_stay_in_linux_folders(self):
        self.assertEqual(problems("src/platform/linux/memory.cc", "#include <sys/mman.h>"), [])
        for name in ("sys/mman.h", "unistd.h", "signal.h", "csignal", "filesystem", "random", "linux/futex.h"):
            self.assertEqual(len(problems("src/platform/memory.cc", f"#include <{name}>")), 1, name)

    def test_a_linux_folder_is_not_included_from_outside(self):
        self.assertEqual(len(problems("src/channel/a.cc", '#include "channel/linux/futex.h"')), 1)
        self.assertEqual(problems("src/channel/linux/a.cc", '#include "channel/linux/futex.h"'), [])
        self.assertEqual(len(problems("src/channel/l4re/a.cc", '#include "channel/linux/futex.h"')), 1)

    def test_threads_are_for_both_systems_and_nobody_else(self):
        self.assertEqual(problems("src/platform/l4re/a.cc", "#include <pthread.h>"), [])
        self.assertEqual(problems("src/platform/linux/a.cc", "#include <pthread.h>"), [])
        self.assertEqual(len(problems("src/platform/a.cc", "#include <pthread.h>")), 1)

    def test_l4_headers_stay_in_l4re_folders(self):
        self.assertEqual(problems("src/channel/l4re/a.cc", "#include <l4/re/env>"), [])
        self.assertEqual(len(problems("src/channel/linux/a.cc", "#include <l4/re/env>")), 1)

    def test_tests_may_use_the_system(self):
        self.assertEqual(problems("src/keystore/store_test.cc", "#include <filesystem>"), [])


class Customers(unittest.TestCase):
    def test_an_example_sees_only_the_public_header(self):
        path = "examples/oem_gateway/main.cc"
        self.assertEqual(problems(path, '#include "wvds_crypto.h"', "#include <vector>"), [])
        self.assertEqual(problems(path, '#include "source.h"', **{"examples/oem_gateway/source.h": ""}), [])
        self.assertEqual(len(problems(path, '#include "base/bytes.h"', **{"src/base/bytes.h": ""})), 1)
        self.assertEqual(len(problems(path, "#include <base/bytes.h>", **{"src/base/bytes.h": ""})), 1)

    def test_the_public_header_stands_alone(self):
        self.assertEqual(problems("include/wvds_crypto.h", "#include <stdint.h>"), [])
        self.assertEqual(len(problems("include/wvds_crypto.h", "#include <openssl/evp.h>")), 1)


if __name__ == "__main__":
    unittest.main()
