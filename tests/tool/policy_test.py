"""Limits of keys on the command line: how often, and when."""

import datetime
import json
import unittest

from tool_test import ToolTest

FAR = "9892-03-01T00:00:00Z"


def in_days(days):
    """RFC 3339, from now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Limits(ToolTest):
    def info(self, key):
        return json.loads(self.tool("key", "info", key, "--json"))

    def warnings(self):
        return json.loads(self.tool("status", "--json"))["warnings"]

    def test_of_a_key_are_given_and_shown(self):
        number = self.generate(
            "ML-DSA-65", "--label", "k", "--max-uses", "1000", "--not-before", "2026-01-02T03:04:05Z", "--not-after", FAR
        )
        info = self.info(number)
        self.assertEqual(info["max_uses"], 1000)
        self.assertEqual(info["not_before"], "2026-01-02T03:04:05Z")
        self.assertEqual(info["not_after"], FAR)
        self.assertEqual(info["versions"][0]["use_limit"], 1000)
        text = self.tool("key", "info", "k").decode()
        self.assertRegex(text, r"(?m)^most uses +1,000 of each version$")
        self.assertRegex(text, r"(?m)^not before +2026-01-02T03:04:05Z$")
        self.assertRegex(text, rf"(?m)^not after +{FAR}, then it protects nothing new$")

    def test_of_a_key_without_any_are_not_shown(self):
        number = self.generate("AES-256-GCM")
        info = self.info(number)
        self.assertEqual((info["max_uses"], info["not_before"], info["not_after"]), (0, None, None))
        text = self.tool("key", "info", number).decode()
        for word in ("most uses", "not before", "not after"):
            self.assertNotIn(word, text)

    def test_may_be_durations(self):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        number = self.generate("AES-256-GCM", "--not-after", "90d")
        after = datetime.datetime.now(datetime.timezone.utc)
        end = datetime.datetime.fromisoformat(self.info(number)["not_after"].replace("Z", "+00:00"))
        self.assertLessEqual(before, end - datetime.timedelta(days=90))
        self.assertGreaterEqual(after, end - datetime.timedelta(days=90))

    def test_bind_an_imported_key_too(self):
        material = self.write("material", bytes(range(32)))
        self.tool("key", "import", "AES-256-GCM", material, "--format", "raw", "--label", "open")
        self.tool("encrypt", "open", "-o", self.path("sealed"), input=b"data")
        self.tool(
            "key", "import", "AES-256-GCM", material, "--format", "raw", "--label", "old", "--not-after", "2026-01-01T00:00:00Z"
        )
        self.assertIn("too late", self.complaint("encrypt", "old", input=b"more"))
        self.assertEqual(self.tool("decrypt", "--key", "old", self.path("sealed")), b"data")

    def test_refuse_what_is_too_early_or_too_often(self):
        self.generate("AES-256-GCM", "--label", "early", "--not-before", FAR)
        self.assertIn("too early", self.complaint("encrypt", "early", input=b"data"))
        self.generate("AES-256-GCM", "--label", "once", "--max-uses", "1")
        self.tool("encrypt", "once", input=b"data")
        self.assertIn("as often as it may be", self.complaint("encrypt", "once", input=b"data"))
        self.tool("key", "rotate", "once")
        self.tool("encrypt", "once", input=b"data")

    def test_are_warned_of_in_the_status(self):
        used = self.generate("AES-256-GCM", "--label", "used", "--max-uses", "4")
        ending = self.generate("ML-DSA-65", "--not-after", "29d")
        self.generate("ML-DSA-65", "--not-after", "31d")
        for _ in range(2):
            self.tool("encrypt", "used", input=b"data")
        warnings = [text for text in self.warnings() if text.startswith("key ")]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn(f"key {ending} protects nothing new after", warnings[0])
        self.tool("encrypt", "used", input=b"data")
        self.server.stop()
        self.server.start()
        self.assertTrue(any(f"key {used} version 1 has used 3 of its 4 uses" in text for text in self.warnings()))

    def test_that_mean_nothing_are_refused(self):
        for arguments, word in (
            (["--max-uses", "0"], "--max-uses"),
            (["--max-uses", "281474976710657"], "--max-uses"),
            (["--max-uses", "many"], "--max-uses"),
            (["--not-after", "tomorrow"], "90d"),
            (["--not-before", "2027-02-29T00:00:00Z"], "--not-before"),
            (["--not-after", "2026-01-01T00:00:00Z"], "over"),
            (["--not-before", in_days(2), "--not-after", in_days(1)], "later than --not-before"),
        ):
            self.assertIn(word, self.complaint("key", "generate", "AES-256-GCM", *arguments, exit_status=2))
        self.complaint("key", "generate", "ML-DSA-65", "--usage", "verify", "--max-uses", "5")


if __name__ == "__main__":
    unittest.main()
