"""The wvds tool against a running service."""

import os
import pty
import stat
import subprocess
import unittest

from programs import TOOL, WATCHDOG, ProgramTest, Service

HEADER = 32
OVERHEAD = 44  # of a stream's only chunk


class ToolTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = self.service()

    def tool(self, *arguments, exit_status=0, **settings):
        """Standard output of the tool."""
        return self.run_program([TOOL, "--socket", self.server.socket, *arguments], exit_status, **settings).stdout

    def complaint(self, *arguments, exit_status=1, **settings):
        """Standard error of a tool that must fail: one line that begins with its name."""
        done = self.run_program([TOOL, "--socket", self.server.socket, *arguments], exit_status, **settings)
        text = done.stderr.decode()
        self.assertTrue(text.startswith("wvds: ") and text.count("\n") == 1, text)
        return text

    def generate(self, *arguments):
        return self.tool("key", "generate", *arguments).decode().strip()


class Status(ToolTest):
    def test_tells_the_fips_state(self):
        text = self.tool("status").decode()
        self.assertRegex(text, r"(?m)^fips +active")
        self.assertRegex(text, r"(?m)^warnings +none$|^warnings +")
        self.assertRegex(text, r"(?m)^key store +encrypted file$")
        self.assertIn("AES_ENCRYPT", text)

    def test_without_a_service_is_its_own_exit_status(self):
        self.server.stop()
        text = self.complaint("status", exit_status=3)
        self.assertIn(self.server.socket, text)

    def test_waits_for_the_service(self):
        late = Service(self.path("late"))
        self.addCleanup(late.stop)
        waiting = subprocess.Popen(
            [TOOL, "--socket", late.socket, "status", "--wait", str(WATCHDOG)], stdout=subprocess.DEVNULL
        )
        self.addCleanup(waiting.wait)
        self.addCleanup(waiting.kill)
        late.start()
        self.assertEqual(waiting.wait(WATCHDOG), 0)

    def test_does_not_wait_for_a_service_that_refuses(self):
        if os.getuid() != 0:
            print("NOT RUN: only root can make another user's process")
            return
        stranger = Service(self.path("stranger"), uid=12345)
        self.addCleanup(stranger.stop)
        stranger.start()
        done = self.run_program([TOOL, "--socket", stranger.socket, "status", "--wait", str(WATCHDOG)], 3)
        self.assertIn(stranger.socket, done.stderr.decode())


class Keys(ToolTest):
    def test_are_made_listed_described_and_deleted(self):
        number = self.generate("AES-256-GCM", "--label", "archive")
        self.assertRegex(number, r"^[0-9]+$")
        self.assertRegex(self.tool("key", "list").decode(), rf"(?m)^{number} +AES-256-GCM +persistent +1 +encrypt, decrypt +archive$")
        info = self.tool("key", "info", "archive").decode()
        self.assertRegex(info, rf"(?m)^key +{number}$")
        self.assertRegex(info, r"(?m)^stored +encrypted file$")
        self.assertRegex(info, r"(?m)^replay window +off")
        self.tool("key", "delete", number)
        self.assertNotIn("archive", self.tool("key", "list").decode())
        self.complaint("key", "info", number)

    def test_stay_when_the_service_is_restarted(self):
        kept = self.generate("ML-DSA-65", "--public", self.path("before"))
        self.generate("AES-256-GCM", "--lifetime", "volatile", "--label", "passing")
        self.server.stop()
        self.server.start()
        self.tool("key", "public", kept, "-o", self.path("after"))
        self.assertEqual(self.read("before"), self.read("after"))
        self.assertNotIn("passing", self.tool("key", "list").decode())

    def test_have_usages(self):
        number = self.generate("ML-KEM-768", "--usage", "encapsulate,decaps-raw")
        self.assertIn("encapsulate, decaps-raw", self.tool("key", "info", number).decode())
        self.complaint("key", "generate", "ML-KEM-768", "--usage", "decaps-raw,decaps-to-key")
        self.assertIn("decaps-raw", self.complaint("key", "generate", "ML-KEM-768", "--usage", "decaps", exit_status=2))

    def test_with_an_unknown_or_doubtful_label_are_not_guessed(self):
        self.assertIn('"nothing"', self.complaint("key", "info", "nothing"))
        first = self.generate("AES-256-GCM", "--label", "twin")
        second = self.generate("AES-256-GCM", "--label", "twin")
        self.assertIn(f"{first}, {second}", self.complaint("key", "info", "twin"))

    def test_with_a_label_that_looks_like_a_number_are_found(self):
        number = self.generate("AES-256-GCM", "--label", "4000000000")
        self.assertRegex(self.tool("key", "info", "label:4000000000").decode(), rf"(?m)^key +{number}$")
        self.complaint("key", "info", "4000000000")
        self.complaint("key", "info", "4294967296", exit_status=2)
        self.complaint("key", "info", "0", exit_status=2)

    def test_rotate_and_retire_without_losing_data(self):
        self.generate("AES-256-GCM", "--label", "k")
        self.tool("encrypt", "k", "-o", self.path("old"), input=b"old data")
        self.assertEqual(self.tool("key", "rotate", "k"), b"version 2\n")
        self.tool("encrypt", "k", "-o", self.path("new"), input=b"new data")
        self.tool("key", "retire", "k")
        self.complaint("encrypt", "k", input=b"more")
        self.assertEqual(self.tool("decrypt", self.path("old")), b"old data")
        self.assertEqual(self.tool("decrypt", self.path("new")), b"new data")

    def test_delete_one_version(self):
        self.generate("AES-256-GCM", "--label", "k")
        self.tool("encrypt", "k", "-o", self.path("old"), input=b"old data")
        self.tool("key", "rotate", "k")
        self.tool("key", "delete", "k", "--version", "1")
        self.complaint("decrypt", self.path("old"))
        self.complaint("key", "delete", "k", "--version", "9")

    def test_without_a_public_half_have_none_to_write(self):
        number = self.generate("AES-256-GCM")
        self.complaint("key", "public", number, "-o", self.path("public"))
        self.assertFalse(self.exists("public"))

    def test_that_were_made_are_named_where_the_public_key_cannot_be_written(self):
        text = self.complaint("key", "generate", "ML-KEM-768", "--public", self.path("no/such/folder"))
        self.assertRegex(text, r"key [0-9]+ was made, but")

    def test_with_too_long_a_label_are_not_made(self):
        self.complaint("key", "generate", "AES-256-GCM", "--label", "x" * 65)
        self.assertEqual(self.tool("key", "list").count(b"\n"), 1)


class Import(ToolTest):
    def test_of_an_aes_key_decrypts_what_another_copy_encrypted(self):
        material = self.write("material", bytes(range(32)))
        first = self.tool("key", "import", "AES-256-GCM", material, "--format", "raw").decode().strip()
        second = self.tool("key", "import", "AES-256-GCM", "-", "--format", "raw", input=bytes(range(32))).decode().strip()
        sealed = self.tool("encrypt", first, input=b"data")
        self.assertEqual(self.tool("decrypt", "--key", second, input=sealed), b"data")

    def test_of_a_seed_gives_the_same_public_key_every_time(self):
        for algorithm, length in (("ML-DSA-65", 32), ("ML-KEM-768", 64)):
            seed = self.write("seed", bytes([7]) * length)
            for name in ("one", "two"):
                self.tool("key", "import", algorithm, seed, "--format", "seed", "--public", self.path(name))
            self.assertEqual(self.read("one"), self.read("two"))

    def test_of_a_public_key_makes_a_key_that_only_verifies(self):
        self.generate("ML-DSA-44", "--label", "signer", "--public", self.path("public"))
        known = self.tool(
            "key", "import", "ML-DSA-44", self.path("public"), "--format", "public", "--usage", "verify"
        ).decode().strip()
        self.tool("sign", "signer", "-o", self.path("signature"), input=b"message")
        self.assertEqual(self.tool("verify", self.path("signature"), "--key", known, input=b"message"), b"valid\n")
        self.complaint("sign", known, input=b"message")

    def test_of_something_else_is_refused(self):
        self.complaint("key", "import", "AES-256-GCM", self.write("short", b"x" * 31), "--format", "raw")
        self.complaint("key", "import", "ML-DSA-65", self.write("text", b"no key at all"), "--format", "pkcs8")
        self.complaint("key", "import", "AES-256-GCM", self.path("missing"), "--format", "raw")
        self.complaint("key", "import", "AES-256-GCM", self.write("huge", b"x" * 20000), "--format", "raw")
        self.complaint("key", "import", "AES-256-GCM", self.path("short"), exit_status=2)
        self.assertEqual(self.tool("key", "list").count(b"\n"), 1)


class Encryption(ToolTest):
    def setUp(self):
        super().setUp()
        self.key = self.generate("AES-256-GCM", "--label", "k")

    def test_gives_back_what_went_in(self):
        for length in (0, 1, 4096, 61440):
            plaintext = os.urandom(length)
            source = self.write("source", plaintext)
            self.tool("encrypt", "k", source, "-o", self.path("sealed"))
            self.assertEqual(len(self.read("sealed")), HEADER + OVERHEAD + length)
            self.tool("decrypt", self.path("sealed"), "-o", self.path("opened"), "--force")
            self.assertEqual(self.read("opened"), plaintext)

    def test_of_the_same_data_never_gives_the_same_bytes(self):
        self.assertNotEqual(self.tool("encrypt", "k", input=b"data"), self.tool("encrypt", "k", input=b"data"))

    def test_can_be_undone_more_than_once_unless_a_replay_window_was_asked_for(self):
        sealed = self.tool("encrypt", "k", input=b"data")
        for _ in range(2):
            self.assertEqual(self.tool("decrypt", input=sealed), b"data")
        self.generate("AES-256-GCM", "--label", "once", "--replay-window")
        sealed = self.tool("encrypt", "once", input=b"data")
        self.assertEqual(self.tool("decrypt", input=sealed), b"data")
        self.complaint("decrypt", input=sealed)

    def test_notices_every_changed_byte(self):
        sealed = self.tool("encrypt", "k", input=b"12345")
        for at in range(len(sealed)):
            changed = bytearray(sealed)
            changed[at] ^= 1
            self.complaint("decrypt", "--key", "k", "-o", self.path("opened"), input=bytes(changed))
            self.assertFalse(self.exists("opened"), at)

    def test_notices_a_missing_end(self):
        sealed = self.tool("encrypt", "k", input=b"12345")
        for length in (0, 5, HEADER, HEADER + OVERHEAD - 1, len(sealed) - 1):
            self.complaint("decrypt", input=sealed[:length])
        self.complaint("decrypt", input=b"something else entirely, and longer than a header and a tag")

    def test_with_another_key_is_not_undone(self):
        other = self.generate("AES-256-GCM")
        sealed = self.tool("encrypt", "k", input=b"data")
        self.assertIn(f"key {other}", self.complaint("decrypt", "--key", other, input=sealed))

    def test_binds_additional_data(self):
        sealed = self.tool("encrypt", "k", "--aad", "meter 7", input=b"data")
        self.assertEqual(self.tool("decrypt", "--aad", "meter 7", input=sealed), b"data")
        aad = self.write("aad", b"meter 7")
        self.assertEqual(self.tool("decrypt", "--aad-file", aad, input=sealed), b"data")
        self.complaint("decrypt", "--aad", "meter 8", input=sealed)
        self.complaint("decrypt", input=sealed)
        self.complaint("decrypt", "--aad-file", "-", input=sealed, exit_status=2)
        self.tool("encrypt", "k", "--aad", "x" * 4000, input=b"data")
        self.complaint("encrypt", "k", "--aad", "x" * 4001, input=b"data", exit_status=2)
        self.complaint("encrypt", "k", "--aad-file", self.write("long", b"x" * 4001), input=b"data")

    def test_names_a_missing_file(self):
        self.assertIn(self.path("missing"), self.complaint("encrypt", "k", self.path("missing")))
        self.assertIn(self.path("missing"), self.complaint("decrypt", self.path("missing")))

    def test_does_not_overwrite_a_plaintext(self):
        sealed = self.tool("encrypt", "k", input=b"data")
        opened = self.write("opened", b"mine")
        self.assertIn("--force", self.complaint("decrypt", "-o", opened, input=sealed))
        self.assertEqual(self.read("opened"), b"mine")
        self.tool("decrypt", "-o", opened, "--force", input=sealed)
        self.assertEqual(self.read("opened"), b"data")
        self.assertEqual(stat.S_IMODE(os.stat(opened).st_mode), 0o600)


class Output(ToolTest):
    def setUp(self):
        super().setUp()
        self.generate("AES-256-GCM", "--label", "k")

    def test_to_a_full_device_fails(self):
        with open("/dev/full", "wb") as full:
            self.complaint("encrypt", "k", input=b"data", stdout=full)
            self.complaint("status", stdout=full)
            self.complaint("--help", stdout=full)
        self.complaint("encrypt", "k", "-o", "/dev/full", input=b"data")

    def test_to_a_closed_stream_fails_and_goes_nowhere_else(self):
        shell = 'exec "$@" >&-'
        done = self.run_program(
            ["/bin/sh", "-c", shell, "sh", TOOL, "--socket", self.server.socket, "encrypt", "k"], 1, input=b"data"
        )
        self.assertIn(b"standard output", done.stderr)

    def test_to_a_pipe_that_nobody_reads_ends(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [TOOL, "--socket", self.server.socket, "random", "65536"],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=WATCHDOG,
            check=False,
        )
        os.close(writing)
        self.assertNotEqual(done.returncode, 0)

    def on_terminal(self, *arguments, exit_status=0, **settings):
        ours, theirs = pty.openpty()
        try:
            return self.run_program(
                [TOOL, "--socket", self.server.socket, *arguments], exit_status, stdout=theirs, **settings
            )
        finally:
            os.close(ours)
            os.close(theirs)

    def test_to_a_terminal_is_text_only(self):
        sealed = self.tool("encrypt", "k", input=b"data")
        self.assertIn(b"terminal", self.on_terminal("decrypt", exit_status=1, input=self.tool("encrypt", "k", input=b"\x1b[2J")).stderr)
        self.on_terminal("encrypt", "k", exit_status=1, input=b"data")
        self.on_terminal("decrypt", input=sealed)
        self.on_terminal("status")

    def test_random(self):
        self.assertEqual(len(self.tool("random", "65536")), 65536)
        self.assertNotEqual(self.tool("random", "32"), self.tool("random", "32"))
        self.assertRegex(self.tool("random", "4", "--hex").decode(), r"^[0-9a-f]{8}\n$")
        self.tool("random", "32", "-o", self.path("secret"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("secret")).st_mode), 0o600)
        for length in ("0", "65537", "-1", "many"):
            self.complaint("random", length, exit_status=2)


class Signatures(ToolTest):
    def setUp(self):
        super().setUp()
        self.generate("ML-DSA-65", "--label", "signer", "--public", self.path("public"))
        self.message = self.write("message", b"message")
        self.signature = self.path("signature")
        self.tool("sign", "signer", self.message, "-o", self.signature)

    def test_are_valid_by_key_and_by_public_key(self):
        self.assertEqual(self.tool("verify", self.signature, self.message, "--key", "signer"), b"valid\n")
        self.assertEqual(self.tool("verify", self.signature, self.message, "--public", self.path("public")), b"valid\n")

    def test_that_do_not_fit_fail(self):
        other = self.write("other", b"other message")
        self.assertIn(self.signature, self.complaint("verify", self.signature, other, "--key", "signer"))
        changed = bytearray(self.read("signature"))
        changed[100] ^= 1
        self.complaint("verify", self.write("changed", bytes(changed)), self.message, "--key", "signer")
        self.complaint("verify", self.write("short", bytes(changed[:-1])), self.message, "--key", "signer")
        self.generate("ML-DSA-65", "--label", "stranger")
        self.complaint("verify", self.signature, self.message, "--key", "stranger")

    def test_hold_for_their_context_only(self):
        self.tool("sign", "signer", self.message, "-o", self.signature, "--context", "invoice")
        self.tool("verify", self.signature, self.message, "--key", "signer", "--context", "invoice")
        self.complaint("verify", self.signature, self.message, "--key", "signer", "--context", "order")
        self.complaint("verify", self.signature, self.message, "--key", "signer")
        self.complaint("sign", "signer", self.message, "--context", "x" * 256, exit_status=2)

    def test_are_the_same_each_time_where_that_is_asked_for(self):
        once = self.tool("sign", "signer", self.message, "--deterministic")
        self.assertEqual(once, self.tool("sign", "signer", self.message, "--deterministic"))
        self.assertNotEqual(once, self.tool("sign", "signer", self.message))

    def test_of_the_largest_message_are_valid_and_one_byte_more_is_refused(self):
        largest = self.write("largest", bytes(58050))
        self.tool("sign", "signer", largest, "-o", self.signature)
        self.tool("verify", self.signature, largest, "--public", self.path("public"))
        self.complaint("sign", "signer", self.write("larger", bytes(58051)))

    def test_need_one_key(self):
        self.complaint("verify", self.signature, self.message, exit_status=2)
        self.complaint(
            "verify", self.signature, self.message, "--key", "signer", "--public", self.path("public"), exit_status=2
        )
        self.complaint("verify", "-", "-", "--key", "signer", exit_status=2)
        self.complaint("verify", self.signature, self.message, "--public", self.message)

    def test_need_a_signing_key(self):
        self.generate("AES-256-GCM", "--label", "k")
        self.complaint("sign", "k", self.message, "-o", self.path("none"))
        self.assertFalse(self.exists("none"))


class Encapsulation(ToolTest):
    def setUp(self):
        super().setUp()
        self.generate("ML-KEM-768", "--usage", "encapsulate,decaps-raw", "--label", "kem", "--public", self.path("public"))

    def test_gives_both_sides_the_same_secret(self):
        for option, value in (("--key", "kem"), ("--public", self.path("public"))):
            self.tool("encaps", option, value, "--secret", self.path("ours"), "-o", self.path("ciphertext"), "--force")
            self.tool("decaps", "kem", self.path("ciphertext"), "-o", self.path("theirs"), "--force")
            self.assertEqual(len(self.read("ours")), 32)
            self.assertEqual(self.read("ours"), self.read("theirs"))
            for name in ("ours", "theirs"):
                self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600)

    def test_does_not_overwrite_a_secret(self):
        secret = self.write("secret", b"mine")
        self.complaint("encaps", "--key", "kem", "--secret", secret, "-o", self.path("ciphertext"))
        self.assertEqual(self.read("secret"), b"mine")
        self.assertFalse(self.exists("ciphertext"))

    def test_leaves_no_secret_where_the_ciphertext_cannot_be_written(self):
        self.complaint("encaps", "--key", "kem", "--secret", self.path("secret"), "-o", self.path("no/folder"))
        self.assertFalse(self.exists("secret"))

    def test_hands_out_no_secret_of_a_key_made_for_keys_inside(self):
        self.generate("ML-KEM-768", "--label", "inside")
        self.tool("encaps", "--key", "inside", "--secret", self.path("ours"), "-o", self.path("ciphertext"))
        self.complaint("decaps", "inside", self.path("ciphertext"), "-o", self.path("theirs"))
        self.assertFalse(self.exists("theirs"))

    def test_refuses_a_ciphertext_of_another_length(self):
        self.complaint("decaps", "kem", self.write("short", bytes(1087)), "-o", self.path("secret"))
        self.complaint("decaps", "kem", self.write("long", bytes(1569)), "-o", self.path("secret"))

    def test_needs_one_key_and_two_places(self):
        self.complaint("encaps", "--secret", self.path("s"), exit_status=2)
        self.complaint("encaps", "--key", "kem", "--secret", "-", "-o", "-", exit_status=2)
        self.complaint("encaps", "--key", "kem", exit_status=2)


class Usage(ToolTest):
    def test_wrong_command_lines_are_told_apart_from_failures(self):
        for arguments in ([], ["encipher"], ["key"], ["key", "generate"], ["key", "generate", "RSA"], ["status", "--wait", "x"],
                          ["--timeout", "0", "status"], ["key", "generate", "ML-DSA-65", "--replay-window"]):  # fmt: skip
            self.complaint(*arguments, exit_status=2)

    def test_help_tells_the_exit_statuses(self):
        text = self.tool("--help").decode()
        self.assertIn("Exit status: 0", text)
        for command in ("status", "key", "encrypt", "decrypt", "sign", "verify", "encaps", "decaps", "random"):
            self.assertRegex(text, rf"(?m)^  {command} ")
        self.assertIn("--format", self.tool("key", "import", "--help").decode())
        version = r"[0-9]+\.[0-9]+\.[0-9]+"
        said = self.tool("--version").decode()
        self.assertRegex(said, rf"^wvds {version}\nOpenSSL {version} .*\nOpenSSL FIPS Provider {version}\n$")

    def test_global_options_may_stand_behind_the_command(self):
        self.run_program([TOOL, "status", "--socket", self.server.socket])

    def test_needs_no_service_to_find_a_mistake(self):
        self.server.stop()
        self.complaint("verify", "a", "b", exit_status=2)


if __name__ == "__main__":
    unittest.main()
