"""The example gateway and backend against running services."""

import json
import os
import subprocess
import unittest

from example_programs import FIELDS, OVERHEAD, SIGNATURE_CONTEXT, ExampleTest
from programs import BACKEND, GATEWAY, WATCHDOG

PART = 49152


class RoundTrip(ExampleTest):
    def test_of_live_samples(self):
        envelopes = self.send(samples=2)
        self.assertEqual([os.path.basename(e) for e in envelopes], ["gateway-01-000000000001.env", "gateway-01-000000000002.env"])
        self.open(*envelopes)
        for name in self.released():
            sample = self.content(name).decode()
            self.assertRegex(sample, r"(?m)^time 20[0-9-]+T[0-9:]+Z$")
            self.assertRegex(sample, r"(?m)^load.1min [0-9.]+$")
            self.assertRegex(sample, r"(?m)^memory.MemTotal.kb [1-9][0-9]*$")
            for line in sample.splitlines():
                self.assertRegex(line, r"^[A-Za-z0-9_.@-]+ [0-9TZ:.-]+$")

    def test_of_files_of_every_interesting_length(self):
        for length in (0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5):
            content = os.urandom(length)
            envelopes = self.send(self.write("file", content))
            self.assertEqual(len(envelopes), max(1, -(-length // PART)))
            before = self.released()
            text = self.open(*envelopes)
            self.assertEqual(text.count("(last)"), 1)
            new = [name for name in self.released() if name not in before]
            self.assertEqual(b"".join(self.content(name) for name in new), content)

    def test_of_standard_input_and_files_in_one_run(self):
        envelopes = self.send(self.write("file", b"of a file"), "-", input=b"of a pipe")
        self.open(*envelopes)
        self.assertEqual([self.content(name) for name in self.released()], [b"of a file", b"of a pipe"])

    def test_can_be_compared_with_copies_of_what_went_in(self):
        command = self.send_command(self.write("file", os.urandom(PART + 1)), samples=2)
        self.run_program([GATEWAY, command[0], "--copies", self.path("copies"), *command[1:]])
        self.open(*self.sent())
        self.assertEqual(len(self.released()), 4)
        for name in self.released():
            self.assertEqual(self.content(name), self.read("copies/" + name))

    def test_keeps_secrets_out_of_the_envelope(self):
        _, envelope = self.send_bytes(b"A" * 1000)
        self.assertEqual(len(envelope), OVERHEAD + 1000)
        self.assertNotIn(b"AAAA", envelope)

    def test_survives_the_restart_of_both_services(self):
        first, _ = self.send_bytes(b"before")
        for service in (self.gateway_service, self.backend_service):
            service.stop()
            service.start()
        second, _ = self.send_bytes(b"after")
        self.open(first, second)
        self.assertEqual([self.content(name) for name in self.released()], [b"before", b"after"])

    def test_goes_on_when_the_service_restarts_in_the_middle(self):
        os.mkfifo(self.path("slow"))
        sending = subprocess.Popen([GATEWAY, *self.send_command(self.path("slow"))], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(sending.wait)
        self.addCleanup(sending.kill)
        with open(self.path("slow"), "wb") as slow:  # opens when the gateway, connected already, opens the other end
            self.gateway_service.kill()
            self.gateway_service.start()
            slow.write(b"data")
        self.assertEqual(sending.wait(WATCHDOG), 0)
        self.open(*self.sent())
        self.assertEqual([self.content(name) for name in self.released()], [b"data"])


class RateLimit(ExampleTest):
    def service(self, name="service", **settings):
        return super().service(name, rate_limit={"requests_per_second": 20, "burst": 10, "cooldown_ms": 50})

    def test_slows_both_sides_down_and_loses_nothing(self):
        content = os.urandom(4 * PART)
        self.open(*self.send(self.write("file", content)))
        self.assertEqual(b"".join(self.content(name) for name in self.released()), content)


class DataKeys(ExampleTest):
    def service(self, name="service", **settings):
        return super().service(name, limits={"session_keys": 1})

    def test_are_deleted_after_each_envelope(self):
        self.open(*self.send(self.write("file", bytes(3 * PART)), samples=2))
        self.assertEqual(len(self.released()), 5)


class Refusal(ExampleTest):
    def setUp(self):
        super().setUp()
        self.path_of_good, self.good = self.send_bytes(b"good content")

    def accepts_the_original(self):
        self.open(self.path_of_good)
        self.assertEqual([self.content(name) for name in self.released()], [b"good content"])

    def test_of_every_field_that_was_tampered_with(self):
        for field, (start, length) in FIELDS.items():
            first = start % len(self.good)
            last = first + (len(b"good content") if length is None else length) - 1
            for at in (first, last):
                for bit in (0x01, 0x80):
                    changed = bytearray(self.good)
                    changed[at] ^= bit
                    with self.subTest(field=field, at=at, bit=bit):
                        self.refused(bytes(changed), "")
        self.accepts_the_original()

    def test_of_every_kind_of_truncation(self):
        for length in (0, 3, 4, 91, 92, 1180, 1192, len(self.good) - 3309, len(self.good) - 1):
            self.refused(self.good[:length], "no well-formed envelope")
        self.refused(self.good + b"\0", "no well-formed envelope")
        self.refused(self.good + bytes(1000), "no well-formed envelope")
        self.accepts_the_original()

    def test_of_a_larger_file_than_any_envelope(self):
        text = self.open(self.write("huge", bytes(100000)), exit_status=1)
        self.assertIn("larger", text)

    def test_of_another_recipient(self):
        self.tool(self.gateway_service, "key", "generate", "ML-KEM-768", "--public", self.path("other.pub"))
        (foreign,) = self.send("-", input=b"not for you", recipient="other.pub")
        with open(foreign, "rb") as file:
            self.refused(file.read(), "for another recipient")

    def test_of_an_unknown_sender(self):
        self.gateway_key("stranger")
        (envelope,) = self.send("-", input=b"hello", name="stranger")
        with open(envelope, "rb") as file:
            self.refused(file.read(), "sender is not known")

    def test_of_a_known_sender_in_the_name_of_another(self):
        self.gateway_key("gateway-02")
        self.trust("gateway-02")
        (envelope,) = self.send("-", input=b"hello", name="gateway-02")
        with open(envelope, "rb") as file:
            forged = bytearray(file.read())
        forged[24:34] = b"gateway-01"
        self.refused(bytes(forged), "signature is not valid")

    def signed_again(self, envelope, context):
        """The envelope with a new signature of the gateway's own key under this context."""
        message = self.write("message", envelope[:-3309])
        signature = self.tool(
            self.gateway_service, "sign", "envelope signer gateway-01", message, "--context", context
        )
        return envelope[:-3309] + signature

    def test_of_a_signature_made_for_something_else(self):
        self.refused(self.signed_again(self.good, "WvdS-Envelope-v2 signature"), "signature is not valid")
        self.refused(self.signed_again(self.good, ""), "signature is not valid")
        self.open(self.write("again.env", self.signed_again(self.good, SIGNATURE_CONTEXT)))
        self.assertEqual([self.content(name) for name in self.released()], [b"good content"])

    def test_of_a_header_that_the_content_was_not_encrypted_under(self):
        changed = bytearray(self.good)
        changed[16] = 2  # the part's number, signed anew by the sender: only the AAD tells
        self.refused(self.signed_again(bytes(changed), SIGNATURE_CONTEXT), "can't be decrypted")
        self.accepts_the_original()

    def test_of_a_replay(self):
        self.open(self.path_of_good)
        self.refused(self.good, "replay")
        self.refused(self.signed_again(self.good, SIGNATURE_CONTEXT), "replay")

    def test_of_a_replay_after_a_restart_of_the_service(self):
        self.open(self.path_of_good)
        self.backend_service.kill()
        self.backend_service.start()
        self.refused(self.good, "replay")

    def test_of_an_older_number_after_a_newer_one(self):
        newer, _ = self.send_bytes(b"newer")
        self.assertRegex(self.open(newer), r"(?m)^missing  1 envelopes before it$")
        self.refused(self.good, "replay")

    def test_does_not_keep_the_others_from_being_opened(self):
        bad = self.write("bad.env", self.good[:-1])
        text = self.open(bad, self.path_of_good, exit_status=1)
        self.assertIn("refused  bad.env", text)
        self.assertIn("opened   gateway-01-000000000001.env", text)


class State(ExampleTest):
    def test_of_the_backend_is_never_taken_for_zero(self):
        first, _ = self.send_bytes(b"one")
        self.open(first)
        counter = self.path("state/gateway-01.sequence")
        for damage in (b"", b"x\n", b"1", b"1x\n", b"-1\n", b"99999999999999999999\n", b"1\n\0\0"):
            self.write("state/gateway-01.sequence", damage)
            self.assertIn(counter, self.open(first, exit_status=1))
        os.unlink(counter)
        self.assertIn(counter, self.open(first, exit_status=1))
        self.write("state/gateway-01.sequence", b"0\n")  # only with the right content does the test above mean anything
        self.open(first)

    def test_of_the_backend_that_cannot_be_written_releases_nothing(self):
        first, _ = self.send_bytes(b"one")
        os.unlink(self.path("state/gateway-01.sequence"))
        os.mkdir(self.path("state/gateway-01.sequence"))
        self.open(first, exit_status=1)
        self.assertEqual(self.released(), [])

    def test_of_the_gateway_is_never_taken_for_zero(self):
        self.send_bytes(b"one")
        os.unlink(self.path("gateway-01/sequence"))
        self.assertEqual(self.send("-", input=b"two", exit_status=1), [])
        self.write("gateway-01/sequence", b"rubbish")
        self.assertEqual(self.send("-", input=b"two", exit_status=1), [])
        os.unlink(self.path("gateway-01/sequence"))
        self.gateway_key("gateway-01", "--first-sequence", "500")
        self.assertEqual(self.send("-", input=b"two"), [self.path("sent/gateway-01-000000000500.env")])

    def test_of_the_gateway_never_goes_back(self):
        self.send(samples=3)
        self.gateway_key("gateway-01", "--first-sequence", "2")
        self.assertEqual(self.send(samples=1), [self.path("sent/gateway-01-000000000004.env")])

    def test_is_for_one_process_at_a_time(self):
        os.mkfifo(self.path("slow"))
        sending = subprocess.Popen([GATEWAY, *self.send_command(self.path("slow"))], stdout=subprocess.DEVNULL)
        self.addCleanup(sending.wait)
        self.addCleanup(sending.kill)
        with open(self.path("slow"), "wb"):
            self.assertEqual(self.send(samples=1, exit_status=1), [])
        self.assertEqual(sending.wait(WATCHDOG), 0)


class Keys(ExampleTest):
    def test_are_made_once(self):
        before = self.read("gateway-01.pub"), self.read("backend.pub")
        self.assertIn(b"there already", self.gateway_key().stdout)
        self.assertIn(b"there already", self.backend("key", "--public-key", self.path("backend.pub")).stdout)
        self.assertEqual((self.read("gateway-01.pub"), self.read("backend.pub")), before)

    def test_serve_one_purpose(self):
        self.assertRegex(self.tool(self.gateway_service, "key", "info", "envelope signer gateway-01").decode(), r"(?m)^usages +sign$")
        backend = self.tool(self.backend_service, "key", "list").decode()
        self.assertRegex(backend, r" decaps-to-key +envelope recipient")
        self.assertRegex(backend, r" verify +envelope sender gateway-01")

    def test_of_a_known_sender_are_not_replaced(self):
        self.trust()
        self.gateway_key("other")
        self.assertIn(b"another key", self.trust(key=self.path("other.pub"), exit_status=1).stderr)

    def test_of_the_wrong_kind_are_refused(self):
        self.assertIn(b"no ML-DSA-65 public key", self.trust("x", key=self.write("short", b"x"), exit_status=1).stderr)
        self.assertEqual(self.send(samples=1, recipient="gateway-01.pub", exit_status=1), [])
        self.assertEqual(self.send(samples=1, recipient="missing", exit_status=1), [])

    def test_are_needed_to_send(self):
        self.tool(self.gateway_service, "key", "delete", "envelope signer gateway-01")
        self.assertEqual(self.send(samples=1, exit_status=1), [])


class Discovery(ExampleTest):
    def test_says_what_the_service_does_not_let_it_do_before_it_does_anything(self):
        service = self.service("poor", operations=["key-list", "aes-encrypt", "mldsa-verify"])
        command = self.send_command(samples=1)
        command[command.index("--socket") + 1] = service.socket
        errors = self.run_program([GATEWAY, *command], 1).stderr.decode()
        self.assertRegex(errors, r'does not let this program do "mlkem-encaps-to-key": add it to the client\'s "operations"')
        self.assertIn('"mldsa-sign"', errors)
        self.assertNotIn('"aes-encrypt"', errors)
        self.assertFalse(self.exists("sent"))
        self.assertEqual(self.read("gateway-01/sequence"), b"0\n")

    def test_says_that_no_key_can_be_made(self):
        service = self.service("poor", operations=["key-list", "key-public"])
        errors = self.gateway_key("new", service=service, exit_status=1).stderr.decode()
        self.assertIn('"key-generate"', errors)
        self.assertFalse(self.exists("new.pub"))
        self.assertFalse(self.exists("new/sequence"))

    def test_of_a_key_needs_no_right_to_make_one(self):
        self.gateway_service.stop()
        with open(self.gateway_service.config, encoding="utf-8") as file:
            config = json.load(file)
        config["clients"][0]["operations"] = ["key-list", "key-public"]
        with open(self.gateway_service.config, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.gateway_service.start()
        self.assertIn(b"there already", self.gateway_key().stdout)


class Usage(ExampleTest):
    def test_mistakes_are_told_apart_from_failures(self):
        for arguments in (["fly"], ["send"], ["key", "--state"], ["key", "--colour", "red"],
                          ["key", "--state", self.path("s"), "--name", "a/b", "--public-key", self.path("p")],
                          ["key", "--state", self.path("s"), "--name", "a", "--public-key", self.path("p"), "more"]):  # fmt: skip
            self.run_program([GATEWAY, *arguments], 2)
        for arguments in (["fly"], ["open", "--state", self.path("s"), "--out", self.path("o")], ["trust"]):
            self.backend(*arguments, exit_status=2)

    def test_without_a_service_is_its_own_exit_status(self):
        self.gateway_service.stop()
        self.backend_service.stop()
        self.assertIn(self.gateway_service.socket.encode(), self.gateway_key(exit_status=3).stderr)
        self.backend("key", "--public-key", self.path("p"), exit_status=3)

    def test_a_missing_file_is_named(self):
        done = self.run_program([GATEWAY, *self.send_command(self.path("missing"))], 1)
        self.assertIn(self.path("missing").encode(), done.stderr)
        done = self.run_program([GATEWAY, *self.send_command(self.folder)], 1)
        self.assertIn(b"directory", done.stderr)

    def test_reports_that_cannot_be_written_are_failures(self):
        with open("/dev/full", "wb") as full:
            self.run_program([GATEWAY, *self.send_command(samples=1)], 1, stdout=full)

    def test_help(self):
        for program in (GATEWAY, BACKEND):
            self.assertIn(b"Exit status", self.run_program([program, "--help"]).stdout)


if __name__ == "__main__":
    unittest.main()
