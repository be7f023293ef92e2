"""The completion scripts, in the shells that they are for."""

import os
import shlex
import shutil
import unittest

from programs import TOOL
from tool_test import ToolTest

BASH = r"""
source <("$1" completion bash)
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_wvds
for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done
"""

# Outside of a completion zsh has no compadd and compset, so these stand in for them.
ZSH = r"""
compdef() { :; }
_files() { print -r -- FILES; }
compadd() {
  local -a shown
  while [[ $1 != -- ]]; do [[ $1 != -S ]] || shift; shift; done
  shift
  shown=(${(M)@:#${(b)part}*})
  (( $#shown == 0 )) || print -rl -- $shown
}
compset() { part=${part##${~2}}; }
eval "$("$1" completion zsh)"
shift
words=("$@")
CURRENT=$#
part=${words[CURRENT]}
_wvds
"""


class Completion(ToolTest):
    def complete(self, *words, socket=None):
        """What completes the last word, in each shell that is here."""
        before = ["--socket", socket or self.server.socket]
        return self.complete_in("bash", [TOOL, *before, *words])

    def complete_in(self, shell, words):
        arguments = ["bash", "--norc", "-c", BASH] if shell == "bash" else ["zsh", "-f", "-c", ZSH]
        return self.run_program([*arguments, shell, TOOL, *words]).stdout.decode().splitlines()

    def test_of_commands(self):
        self.assertEqual(self.complete("enc"), ["encrypt", "encaps"])
        self.assertEqual(self.complete("key", "li"), ["list"])
        self.assertIn("doctor", self.complete(""))
        self.assertEqual(self.complete("key", "generate", "ML-KEM-1"), ["ML-KEM-1024"])

    def test_of_every_command_and_option(self):
        """The script is made from the commands themselves: whatever --help shows is completed."""
        for command in ([], ["key"]):
            text = self.tool(*command, "--help").decode()
            names = [line.split()[0] for line in text.split("Subcommands:\n")[1].split("\n\n")[0].splitlines()]
            self.assertEqual(self.complete(*command, ""), names)
        for command in (["encrypt"], ["key", "import"], ["doctor"], ["bench"]):
            text = self.tool(*command, "--help").decode()
            names = [word for line in text.split("Options:\n")[1].split("\n\n")[0].splitlines() if line.startswith("  -")
                     for word in line.split()[0].split(",")]  # fmt: skip
            self.assertLessEqual(set(names), set(self.complete(*command, "-")))
            self.assertIn("--socket", self.complete(*command, "--"))

    def test_of_option_values(self):
        self.assertEqual(self.complete("key", "generate", "--lifetime", ""), ["persistent", "volatile"])
        self.assertEqual(self.complete("key", "generate", "--lifetime", "=", "v"), ["volatile"])
        self.assertEqual(self.complete("key", "generate", "--usage", "sign,ver"), ["sign,verify"])
        self.assertEqual(self.complete("completion", "z"), ["zsh"])
        self.assertEqual(self.complete("status", "--wait", ""), [])

    def test_of_files(self):
        self.write("one file", b"")
        self.assertEqual(self.complete("encrypt", "k", self.path("one")), [self.path("one file")])
        self.assertEqual(self.complete("encrypt", "k", "-o", self.path("one")), [self.path("one file")])
        self.assertEqual(self.complete("encrypt", "k", "--", self.path("one")), [self.path("one file")])

    def test_of_keys(self):
        first = self.generate("AES-256-GCM", "--label", "archive of 2026")
        self.generate("AES-256-GCM", "--label", "123456")
        self.generate("AES-256-GCM", "--label", "$(touch broken); `x`")
        words = [shlex.split(word)[0] for word in self.complete("encrypt", "")]
        self.assertIn(first, words)
        self.assertIn("archive of 2026", words)
        self.assertIn("label:123456", words)
        self.assertIn("$(touch broken); `x`", words)
        self.assertEqual(self.complete("key", "info", "arch"), ["archive\\ of\\ 2026"])
        self.assertEqual(self.complete("decrypt", "--key", "arch"), ["archive\\ of\\ 2026"])
        self.assertFalse(os.path.exists("broken"))

    def test_of_keys_without_a_service_is_silent(self):
        done = self.run_program(["bash", "--norc", "-c", BASH, "bash", TOOL, TOOL, "--socket", self.path("none"), "encrypt", ""])
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_in_zsh(self):
        if shutil.which("zsh") is None:
            print("NOT RUN: zsh is not installed")
            return
        self.generate("AES-256-GCM", "--label", "archive of 2026")
        before = [TOOL, "--socket", self.server.socket]
        for words, found in (
            (["enc"], ["encrypt", "encaps"]),
            (["key", "li"], ["list"]),
            (["key", "generate", "ML-KEM-1"], ["ML-KEM-1024"]),
            (["key", "generate", "--lifetime", "v"], ["volatile"]),
            (["key", "generate", "--lifetime=v"], ["volatile"]),
            (["key", "generate", "--usage", "sign,ver"], ["verify"]),
            (["status", "--js"], ["--json"]),
            (["status", "--wait", ""], []),
            (["encrypt", "arch"], ["archive of 2026"]),
            (["encrypt", "k", ""], ["FILES"]),
            (["encrypt", "-o", ""], ["FILES"]),
        ):
            self.assertEqual(self.complete_in("zsh", [*before, *words]), found, words)
        self.assertEqual(self.complete_in("zsh", [TOOL, f"--socket={self.server.socket}", "encrypt", "arch"]), ["archive of 2026"])
        self.assertEqual(self.complete_in("zsh", [TOOL, "--socket", self.path("none"), "encrypt", ""]), [])

    def test_scripts_begin_as_their_shells_want_it(self):
        self.assertTrue(self.tool("completion", "zsh").startswith(b"#compdef wvds\n"))
        self.run_program(["bash", "-n"], input=self.tool("completion", "bash"))
        self.complaint("completion", "fish", exit_status=2)


if __name__ == "__main__":
    unittest.main()
