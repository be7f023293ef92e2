"""What users of Unix expect of a program: words that are wrong, -, --, and what its keys are for."""

import json
import unittest

from programs import TOOL
from tool_test import ToolTest


class Usage(ToolTest):
    def test_a_misspelled_word_is_told_with_the_right_one(self):
        for arguments, words in (
            (["encrpyt"], ('"encrpyt" is no command of "wvds"', 'did you mean "encrypt"?')),
            (["key", "lst"], ('"lst" is no command of "wvds key"', 'did you mean "list"?')),
            (["status", "--jsn"], ('"--jsn" is no option of "wvds status"', 'did you mean "--json"?')),
            (["status", "--sokcet=/x"], ('"--sokcet" is no option', 'did you mean "--socket"?')),
            (["key", "generate", "AES-256-GCM", "--lable", "x"], ('did you mean "--label"?',)),
            (["key", "frobnicate"], ("known are generate, import",)),
            (["status", "now"], ('"now" is one word more than "wvds status" takes',)),
            (["key", "info"], ("KEY is required",)),
        ):
            text = self.complaint(*arguments, exit_status=2)
            for word in words:
                self.assertIn(word, text)
            self.assertIn("--help", text)

    def test_two_dashes_end_the_options(self):
        self.generate("AES-256-GCM", "--label", "-k")
        self.write("-notes", b"data")
        sealed = self.tool("encrypt", "--", "label:-k", "-notes", cwd=self.folder)
        self.write("-sealed", sealed)
        self.assertEqual(self.tool("decrypt", "--", "-sealed", cwd=self.folder), b"data")

    def test_one_dash_is_standard_input_and_output(self):
        self.generate("AES-256-GCM", "--label", "k")
        sealed = self.tool("encrypt", "k", "-", "-o", "-", input=b"data")
        self.assertEqual(self.tool("decrypt", "-", "--output", "-", input=sealed), b"data")

    def test_help_of_each_command_goes_to_standard_output(self):
        for command in ([], ["key"], ["key", "generate"], ["bench"], ["doctor"], ["completion"], ["capabilities"]):
            done = self.run_program([TOOL, *command, "--help"])
            self.assertEqual(done.stderr, b"")
            self.assertIn(b"Exit status: 0 done", done.stdout)


class DataAtRest(ToolTest):
    def window_of(self, *arguments, **settings):
        number = json.loads(self.tool("key", *arguments, "--json", **settings))["key"]
        return json.loads(self.tool("key", "info", str(number), "--json"))["replay_window"]

    def test_is_what_keys_are_for_unless_a_replay_window_is_asked_for(self):
        self.assertFalse(self.window_of("generate", "AES-256-GCM"))
        self.assertTrue(self.window_of("generate", "AES-256-GCM", "--replay-window"))
        material = self.write("material", bytes(range(32)))
        self.assertFalse(self.window_of("import", "AES-256-GCM", material, "--format", "raw"))
        self.assertTrue(self.window_of("import", "AES-256-GCM", material, "--format", "raw", "--replay-window"))


if __name__ == "__main__":
    unittest.main()
