"""Streams of the wvds tool: data of any size, through files and pipes, whole or refused."""

import contextlib
import os
import pty
import select
import signal
import stat
import subprocess
import threading
import time
import unittest

from programs import BINARIES, OPENSSL, TOOL, WATCHDOG, ProgramTest

CHUNK = 61440
HEADER = 32
OVERHEAD = 44
SEALED = CHUNK + OVERHEAD


def chunks_of(stream):
    """The header, and the chunks with their heads."""
    return stream[:HEADER], [stream[at : at + SEALED] for at in range(HEADER, len(stream), SEALED)]


def stream_size(size):
    return HEADER + size + OVERHEAD * max(1, -(-size // CHUNK))


class StreamTest(ProgramTest):
    RATE_LIMIT = {"requests_per_second": 0}

    def setUp(self):
        super().setUp()
        self.server = self.service(rate_limit=self.RATE_LIMIT)
        self.key = self.tool("key", "generate", "AES-256-GCM", "--label", "k").decode().strip()

    def command(self, *arguments):
        return [TOOL, "--socket", self.server.socket, *arguments]

    def tool(self, *arguments, exit_status=0, **settings):
        return self.run_program(self.command(*arguments), exit_status, **settings).stdout

    def encrypted(self, plaintext, *arguments):
        return self.tool("encrypt", "k", *arguments, input=plaintext)

    def refusal(self, stream, words, *arguments, before=b""):
        """A stream that must be refused, with these words: a file gets nothing, a pipe what was right before."""
        source = self.write("refused", stream)
        done = self.run_program(self.command("decrypt", source, "-o", self.path("opened"), *arguments), 1)
        text = done.stderr.decode()
        self.assertTrue(text.startswith("wvds: ") and text.count("\n") == 1, text)
        self.assertIn(words, text)
        self.assertIn(source, text)
        self.assertNotIn("not the whole", text)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("opened")], [])
        done = self.run_program(self.command("decrypt", source, *arguments), 1)
        self.assertEqual(done.stdout, before)
        self.assertEqual("What was written to standard output is not the whole." in done.stderr.decode(), before != b"")


class Sizes(StreamTest):
    def test_of_every_kind_come_back_through_files(self):
        for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, 10_000_000):
            source = self.write("source", os.urandom(size))
            self.tool("encrypt", "k", source, "-o", self.path("sealed"))
            self.assertEqual(os.path.getsize(self.path("sealed")), stream_size(size))
            self.tool("decrypt", self.path("sealed"), "-o", self.path("opened"), "--force")
            self.assertEqual(self.read("opened"), self.read("source"), size)

    def test_come_back_from_pipe_to_pipe(self):
        plaintext = os.urandom(3_000_000)
        sealing = subprocess.Popen(self.command("encrypt", "k"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        opening = subprocess.Popen(self.command("decrypt"), stdin=sealing.stdout, stdout=subprocess.PIPE)
        between, sealing.stdout = sealing.stdout, None
        between.close()  # the other program has it now
        feeding = threading.Thread(target=sealing.communicate, args=(plaintext,))
        feeding.start()
        opened = opening.communicate(timeout=WATCHDOG)[0]
        feeding.join()
        self.assertEqual(opened, plaintext)
        self.assertEqual((sealing.wait(WATCHDOG), opening.returncode), (0, 0))

    def most_memory(self, *arguments):
        """Runs the tool and returns the most memory that it had, in bytes."""
        tool = subprocess.Popen(self.command(*arguments))
        _, status, usage = os.wait4(tool.pid, 0)
        tool.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(tool.returncode, 0)
        return usage.ru_maxrss * 1024

    def test_all_need_the_same_memory(self):
        used = {}
        for size in (1_000_000, 100_000_000):
            with open(self.path("source"), "wb") as file:
                file.truncate(size)
            sealing = self.most_memory("encrypt", "k", self.path("source"), "-o", self.path("sealed"))
            self.assertEqual(os.path.getsize(self.path("sealed")), stream_size(size))
            opening = self.most_memory("decrypt", self.path("sealed"), "-o", self.path("opened"), "--force")
            self.assertEqual(os.path.getsize(self.path("opened")), size)
            used[size] = (sealing, opening)
        for small, large in zip(*used.values()):
            self.assertLess(large - small, 20_000_000)


class Damage(StreamTest):
    def setUp(self):
        super().setUp()
        self.plaintext = os.urandom(2 * CHUNK + 5000)
        self.stream = self.encrypted(self.plaintext)

    def beginning(self, chunks):
        return self.plaintext[: chunks * CHUNK]

    def test_truncated_anywhere_is_noticed(self):
        header, chunks = chunks_of(self.stream)
        at = len(header)
        for number, chunk in enumerate(chunks):
            for length in (at, at + 10, at + 16, at + len(chunk) // 2, at + len(chunk) - 1):
                self.refusal(self.stream[:length], "ends before its last chunk", before=self.beginning(number))
            at += len(chunk)
        for length in (0, 3, HEADER - 1):
            self.refusal(self.stream[:length], "ends before its last chunk")

    def test_other_order_is_noticed(self):
        header, (first, second, last) = chunks_of(self.stream)
        words = "missing, repeated or in another's place"
        self.refusal(header + second + first + last, words)
        self.refusal(header + first + last, words, before=self.beginning(1))
        self.refusal(header + first + second + second + last, words, before=self.beginning(2))
        self.refusal(header + second + last, words)

    def test_chunks_of_another_stream_are_noticed(self):
        header, (first, second, last) = chunks_of(self.stream)
        other_header, other = chunks_of(self.encrypted(self.plaintext))
        self.refusal(header + first + other[1] + last, "another stream", before=self.beginning(1))
        self.refusal(other_header + first + second + last, "another stream")
        forged = second[:16] + other[1][16:]
        self.refusal(header + first + forged + last, "tag is not right", before=self.beginning(1))

    def test_data_behind_the_end_is_noticed(self):
        self.refusal(self.stream + b"\0", "more behind", before=self.plaintext)

    def test_other_files_and_newer_streams_are_told_apart(self):
        self.refusal(os.urandom(100_000), "no encrypted stream")
        self.refusal(b"some text", "no encrypted stream")
        self.refusal(self.stream[:4] + b"\2" + self.stream[5:], "Update the library")

    def test_wrong_keys_and_additional_data_are_noticed(self):
        other = self.tool("key", "generate", "AES-256-GCM").decode().strip()
        self.refusal(self.stream, f"was not decrypted with key {other}: The tag", "--key", other)
        self.refusal(self.stream, f"was not decrypted with key {self.key}: The tag", "--aad", "something")


class Endings(StreamTest):
    def files(self):
        return sorted(name for name in os.listdir(self.folder) if name not in ("service", "feed"))

    def endless(self, *arguments):
        """A tool that reads from a pipe which stays open, and the pipe's end to write to."""
        os.mkfifo(self.path("feed"))
        tool = subprocess.Popen(
            self.command(*arguments, self.path("feed")), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.addCleanup(tool.communicate)
        self.addCleanup(tool.kill)
        return tool, open(self.path("feed"), "wb", buffering=0)

    def wait_for_temporary(self, prefix):
        """Waits until the tool has put a chunk or more into its temporary file, and returns the file's name."""
        deadline = time.monotonic() + WATCHDOG
        while time.monotonic() < deadline:
            for name in self.files():
                if name.startswith(prefix) and os.path.getsize(self.path(name)) > CHUNK:
                    return name
            select.select([], [], [], 0.01)
        raise AssertionError(f"no temporary file, only {self.files()}")

    def test_by_sigkill_leave_nothing_under_the_final_name(self):
        old = self.write("sealed", b"old")
        tool, feed = self.endless("encrypt", "k", "-o", old)
        feed.write(bytes(8 * CHUNK))
        self.wait_for_temporary("sealed.")
        tool.kill()
        tool.wait(WATCHDOG)
        feed.close()
        self.assertEqual(self.read("sealed"), b"old")

    def test_by_other_signals_leave_nothing_at_all(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            stream = self.encrypted(bytes(8 * CHUNK))
            tool, feed = self.endless("decrypt", "-o", self.path("opened"))
            feed.write(stream[:-100])
            name = self.wait_for_temporary("opened.")
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600)
            tool.send_signal(number)
            self.assertEqual(tool.wait(WATCHDOG), -number)
            feed.close()
            self.assertEqual(self.files(), [])
            os.unlink(self.path("feed"))

    def test_of_the_service_leave_nothing(self):
        tool, feed = self.endless("encrypt", "k", "-o", self.path("sealed"))
        feed.write(bytes(8 * CHUNK))
        self.wait_for_temporary("sealed.")
        self.server.kill()
        with contextlib.suppress(BrokenPipeError):  # a request was in flight, and the tool has ended already
            feed.write(bytes(CHUNK))
        feed.close()
        self.assertIn(b"wvds: ", tool.communicate(timeout=WATCHDOG)[1])
        self.assertEqual(tool.returncode, 3)
        self.assertEqual(self.files(), [])

    def test_by_a_full_disk_are_reported(self):
        source = self.write("source", bytes(5 * CHUNK))
        for arguments in (("encrypt", "k", source), ("decrypt", self.write("sealed", self.encrypted(bytes(5 * CHUNK))))):
            done = self.run_program(self.command(*arguments, "-o", "/dev/full"), 1)
            self.assertIn("/dev/full: No space left on device. What was written", done.stderr.decode())
            with open("/dev/full", "wb") as full:
                done = self.run_program(self.command(*arguments), 1, stdout=full)
            self.assertIn("standard output: No space left on device", done.stderr.decode())

    def test_by_a_full_file_system_leave_nothing(self):
        small = self.path("small")
        os.mkdir(small)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], stderr=subprocess.PIPE, check=False
        )
        if mounted.returncode != 0:
            print("NOT RUN: a small file system can't be mounted here")
            return
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        source = self.write("source", os.urandom(10 * CHUNK))
        done = self.run_program(self.command("encrypt", "k", source, "-o", os.path.join(small, "sealed")), 1)
        self.assertIn("No space left on device", done.stderr.decode())
        self.assertNotIn("not the whole", done.stderr.decode())
        self.assertEqual(os.listdir(small), [])

    def test_by_a_file_size_limit_leave_nothing(self):
        source = self.write("source", os.urandom(10 * CHUNK))
        limited = ["/bin/sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "sh"]
        done = self.run_program(limited + self.command("encrypt", "k", source, "-o", self.path("sealed")), 1)
        self.assertIn("File too large", done.stderr.decode())
        self.assertEqual(self.files(), ["source"])

    def test_by_a_closed_pipe_are_reported(self):
        source = self.write("source", bytes(5 * CHUNK))
        reading, writing = os.pipe()
        os.close(reading)
        done = self.run_program(self.command("encrypt", "k", source), 1, stdout=writing)
        os.close(writing)
        self.assertIn(b"standard output: Broken pipe", done.stderr)

    def test_by_a_reader_that_leaves_in_the_middle_are_reported(self):
        source = self.write("source", bytes(50 * CHUNK))
        tool = subprocess.Popen(self.command("encrypt", "k", source), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(len(tool.stdout.read(1000)), 1000)
        tool.stdout.close()
        self.assertIn(b"Broken pipe. What was written to standard output is not the whole.", tool.stderr.read())
        tool.stderr.close()
        self.assertEqual(tool.wait(WATCHDOG), 1)

    def test_by_what_can_not_be_read_leave_nothing(self):
        done = self.run_program(self.command("encrypt", "k", self.folder, "-o", self.path("sealed")), 1)
        self.assertIn(f"{self.folder}: Is a directory", done.stderr.decode())
        self.assertEqual(self.files(), [])

    def test_do_not_overwrite_what_came_meanwhile(self):
        stream = self.encrypted(bytes(8 * CHUNK))
        tool, feed = self.endless("decrypt", "-o", self.path("opened"))
        feed.write(stream[:-100])
        self.wait_for_temporary("opened.")
        self.write("opened", b"mine")
        feed.write(stream[-100:])
        feed.close()
        tool.communicate(timeout=WATCHDOG)
        self.assertEqual(tool.returncode, 1)
        self.assertEqual(self.read("opened"), b"mine")
        self.assertEqual(self.files(), ["opened"])


class Terminal(StreamTest):
    def test_shows_progress_of_long_work(self):
        """The line comes, and goes again at the end."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        tool = subprocess.Popen(
            self.command("encrypt", "k", "-o", self.path("sealed")), stdin=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        shown = b""
        deadline = time.monotonic() + WATCHDOG
        while b"MB/s" not in shown and b"kB/s" not in shown and time.monotonic() < deadline:
            tool.stdin.write(bytes(1000))
            tool.stdin.flush()
            if select.select([ours], [], [], 0.01)[0]:
                shown += os.read(ours, 4096)
        tool.stdin.close()
        self.assertRegex(shown, rb"\r\x1b\[Kwvds: [0-9.]+ [a-zA-Z]+, [0-9.]+ [a-zA-Z]+/s")
        while not shown.endswith(b"\r\x1b[K"):
            self.assertTrue(select.select([ours], [], [], WATCHDOG)[0], shown)
            shown += os.read(ours, 4096)
        self.assertEqual(tool.wait(WATCHDOG), 0)


    def test_alone_shows_progress(self):
        tool = subprocess.Popen(self.command("encrypt", "k", "-o", self.path("sealed")), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 1.5  # longer than the tool's patience with silence
        while time.monotonic() < end:
            tool.stdin.write(bytes(1000))
            tool.stdin.flush()
            select.select([], [], [], 0.01)
        self.assertEqual(tool.communicate(timeout=WATCHDOG), (None, b""))
        self.assertEqual(tool.returncode, 0)


class RateLimit(StreamTest):
    RATE_LIMIT = None  # the service's default: 1,000 a second, and 100 at once

    def test_is_waited_out(self):
        plaintext = os.urandom(400 * CHUNK)
        source = self.write("source", plaintext)
        self.tool("encrypt", "k", source, "-o", self.path("sealed"))
        self.tool("decrypt", self.path("sealed"), "-o", self.path("opened"))
        self.assertEqual(self.read("opened"), plaintext)


class TightRateLimit(StreamTest):
    RATE_LIMIT = {"requests_per_second": 40, "burst": 5, "cooldown_ms": 30}

    def test_is_waited_out_and_nothing_is_lost_or_doubled(self):
        plaintext = os.urandom(25 * CHUNK)
        sealed = self.encrypted(plaintext)
        self.assertEqual(self.tool("decrypt", input=sealed), plaintext)


class Rights(StreamTest):
    def test_that_are_missing_are_named(self):
        self.server.stop()
        self.server = self.service("poor", operations=["aes-encrypt", "key-generate", "key-list"])
        self.tool("key", "generate", "AES-256-GCM", "--label", "k")
        done = self.run_program(self.command("encrypt", "k", "-o", self.path("sealed")), 1, input=b"data")
        self.assertIn("aes-encrypt and random", done.stderr.decode())
        self.assertFalse(self.exists("sealed"))


class LongMessages(StreamTest):
    def setUp(self):
        super().setUp()
        usages = ("--usage", "sign,verify,sign-mu")
        made = self.tool("key", "generate", "ML-DSA-65", *usages, "--label", "signer", "--public", self.path("public"))
        self.signer = made.decode().strip()
        self.message = self.write("message", os.urandom(1_000_000))
        self.signature = self.path("signature")

    def verify(self, *arguments, exit_status=0, **settings):
        return self.tool("verify", self.signature, *arguments, exit_status=exit_status, **settings)

    def test_are_signed_and_verified_by_key_and_by_public_key(self):
        self.tool("sign", "signer", self.message, "-o", self.signature)
        self.assertEqual(self.verify(self.message, "--key", "signer"), b"valid\n")
        self.assertEqual(self.verify(self.message, "--public", self.path("public")), b"valid\n")
        self.assertEqual(self.verify("--key", "signer", input=self.read("message")), b"valid\n")
        changed = bytearray(self.read("message"))
        changed[-1] ^= 1
        self.verify(self.write("changed", changed), "--key", "signer", exit_status=1)
        self.verify(self.write("shorter", changed[:-1]), "--public", self.path("public"), exit_status=1)

    def test_have_the_signature_that_others_verify(self):
        """OpenSSL has never heard of the way it was made."""
        openssl = os.path.join(OPENSSL, "bin/openssl")
        self.tool("sign", "signer", self.message, "-o", self.signature)
        spki = bytes.fromhex("308207b2300b0609608648016503040312038207a100") + self.read("public")
        key = self.write("key.der", spki)
        self.run_program([openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key, "-rawin",
                          "-in", self.message, "-sigfile", self.signature])  # fmt: skip

    def test_are_signed_by_the_example_program_too(self):
        example = os.path.join(BINARIES, "examples/sign_any_size")
        done = self.run_program([example, self.server.socket, self.signer, self.message, "invoice"])
        self.write("signature", done.stdout)
        self.verify(self.message, "--key", "signer", "--context", "invoice")
        self.verify(self.message, "--key", "signer", exit_status=1)

    def test_from_a_pipe_have_the_same_signature(self):
        once = self.tool("sign", "signer", self.message, "--deterministic")
        self.assertEqual(once, self.tool("sign", "signer", "--deterministic", input=self.read("message")))

    def test_hold_for_their_context_only(self):
        self.tool("sign", "signer", self.message, "-o", self.signature, "--context", "invoice")
        self.verify(self.message, "--key", "signer", "--context", "invoice")
        self.verify(self.message, "--key", "signer", "--context", "order", exit_status=1)
        self.verify(self.message, "--key", "signer", exit_status=1)

    def test_by_an_older_version_of_the_key_stay_valid(self):
        self.tool("sign", "signer", self.message, "-o", self.signature)
        self.tool("key", "rotate", "signer")
        self.verify(self.message, "--key", "signer")
        self.verify(self.message, "--public", self.path("public"))
        self.tool("sign", "signer", self.message, "-o", self.signature)
        self.verify(self.message, "--key", "signer")
        self.verify(self.message, "--public", self.path("public"), exit_status=1)

    def test_need_a_key_made_for_them(self):
        self.tool("key", "generate", "ML-DSA-87", "--label", "plain")
        done = self.run_program(self.command("sign", "plain", self.message, "-o", self.signature), 1)
        self.assertIn('"wvds key generate ML-DSA-87 --usage sign,verify,sign-mu"', done.stderr.decode())
        self.assertFalse(self.exists("signature"))

    def test_begin_behind_what_one_request_takes(self):
        self.tool("key", "generate", "ML-DSA-44", "--label", "plain")
        largest = self.write("largest", bytes(58050))
        self.tool("sign", "plain", largest, "-o", self.signature)
        self.verify(largest, "--key", "plain")
        larger = self.write("larger", bytes(58051))
        self.tool("sign", "plain", larger, exit_status=1)
        self.tool("sign", "signer", larger, "-o", self.signature)
        self.verify(larger, "--key", "signer")
        self.verify(largest, "--key", "signer", exit_status=1)

    def test_signed_while_the_key_is_rotated_are_not_signed_wrongly(self):
        os.mkfifo(self.path("feed"))
        signing = subprocess.Popen(
            self.command("sign", "signer", self.path("feed"), "-o", self.signature), stderr=subprocess.PIPE
        )
        self.addCleanup(signing.communicate)
        self.addCleanup(signing.kill)
        with open(self.path("feed"), "wb", buffering=0) as feed:
            feed.write(bytes(4_000_000))  # more than the pipe and one request hold: the public key was asked for
            self.tool("key", "rotate", "signer")
        self.assertIn(b"rotated", signing.communicate(timeout=WATCHDOG)[1])
        self.assertEqual(signing.returncode, 1)
        self.assertFalse(self.exists("signature"))


if __name__ == "__main__":
    unittest.main()
