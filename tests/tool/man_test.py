"""The man pages: well formed, complete, and with examples that work."""

import os
import re
import shutil
import subprocess
import sys
import unittest

from programs import BINARIES, SERVICE, TOOL, WATCHDOG, ProgramTest, Service

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../est"))
from gateway import EST_SERVICE, GatewayTest  # noqa: E402

FOLDER = os.path.join(BINARIES, "man")
EST_PAGES = ("wvds-est", "wvds_est")


def pages():
    return sorted(os.listdir(FOLDER))


def page_text(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def plain(text):
    """Without what roff needs."""
    for escape, char in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\&", ""), ("\\e", "\\")):
        text = text.replace(escape, char)
    return re.sub(r"\\f[BIR]", "", text)


class ManPages(ProgramTest):
    def commands(self, path=()):
        """Every command, found through --help."""
        text = self.run_program([TOOL, *path, "--help"]).stdout.decode()
        yield path, text
        if "Subcommands:\n" in text:
            for line in text.split("Subcommands:\n")[1].split("\n\n")[0].splitlines():
                yield from self.commands((*path, line.split()[0]))

    def test_there_is_one_for_each_command_with_each_option(self):
        found = {"wvds_crypto_service.8", "wvds_est_service.8"}
        for path, text in self.commands():
            name = "-".join(("wvds", *path)) + ".1"
            page = plain(page_text(name))
            options = text.split("Options:\n")[1].split("\n\n")[0].splitlines()
            names = [word for line in options if line.startswith("  -") for word in line.split()[0].split(",")]
            self.assertIn("--help", names)
            for option in names:
                self.assertRegex(page, rf"(?m)^.*{re.escape(option)}\b", name)
            found.add(name)
        self.assertEqual(found, set(pages()))

    def test_each_services_page_has_its_options(self):
        for name in ("wvds_crypto_service.8", "wvds_est_service.8"):
            page = plain(page_text(name))
            for option in ("--config", "--check-config", "--version", "--help"):
                self.assertIn(option, page)

    def test_each_has_the_sections_that_belong_to_one(self):
        for name in pages():
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", '"EXIT STATUS"', '"SEE ALSO"', "EXAMPLES"):
                self.assertIn(f"\n.SH {section}\n", page_text(name), name)

    def test_each_page_that_is_named_exists(self):
        for name in pages():
            for page, section in re.findall(r"([a-z_-]+)\(([18])\)", plain(page_text(name)).split(".SH \"SEE ALSO\"")[1]):
                self.assertIn(f"{page}.{section}", pages(), name)

    def check_with(self, command):
        if shutil.which(command[0]) is None:
            print(f"NOT RUN: {command[0]} is not installed")
            return
        for name in pages():
            done = self.run_program([*command, os.path.join(FOLDER, name)])
            self.assertEqual((done.stderr, name), (b"", name))

    def test_groff_finds_no_fault(self):
        self.check_with(["groff", "-man", "-ww", "-Tutf8", "-z"])

    def test_mandoc_finds_no_fault(self):
        if shutil.which("mandoc") is None:
            print("NOT RUN: mandoc is not installed")
            return
        for name in pages():
            done = self.run_program(["mandoc", "-T", "lint", "-W", "warning", os.path.join(FOLDER, name)])
            self.assertEqual(done.stdout, b"")


class ExamplesTest(ProgramTest):
    """Runs the EXAMPLES of a page in a folder of its own."""

    def run_examples(self, name, number, config, socket):
        programs = self.path(f"bin{number}")
        os.mkdir(programs)
        with open(os.path.join(programs, "wvds"), "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {TOOL} --socket {socket} "$@"\n')
        os.chmod(os.path.join(programs, "wvds"), 0o755)
        for program in (SERVICE, EST_SERVICE):
            os.symlink(program, os.path.join(programs, os.path.basename(program)))
        work = self.path(f"work{number}")
        os.mkdir(work)
        with open(os.path.join(work, "notes.txt"), "w", encoding="utf-8") as file:
            file.write("notes\n")
        shutil.copy(config, os.path.join(work, "config.json"))
        environment = dict(os.environ, PATH=programs + ":" + os.environ["PATH"])
        blocks = re.findall(r"^\.EX\n(.*?)^\.EE$", page_text(name), re.MULTILINE | re.DOTALL)
        self.assertTrue(blocks, name)
        for block in blocks:
            script = plain(block).replace("/etc/wvds/config.json", config)
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=work, env=environment, timeout=WATCHDOG,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
            self.assertEqual(done.returncode, 0, f"{name}:\n{script}\n{done.stdout.decode()}")


class Examples(ExamplesTest):
    """Each page with a service of its own."""

    def run_page(self, name, number):
        server = Service(self.path(f"service{number}"), rate_limit={"requests_per_second": 0})
        self.addCleanup(server.stop)
        server.start()
        if name.startswith("wvds-store"):
            server.stop()  # the store is there now, and at rest
        self.run_examples(name, number, server.config, server.socket)
        server.stop()

    def run_pages(self, chosen):
        if shutil.which("jq") is None:
            print("NOT RUN: jq is not installed")
            return
        for number, name in enumerate(chosen):
            self.run_page(name, number)

    def test_of_key_pages_work(self):
        self.run_pages([name for name in pages() if name.startswith("wvds-key")])

    def test_of_store_pages_work(self):
        self.run_pages([name for name in pages() if name.startswith("wvds-store")])

    def test_of_other_pages_work(self):
        self.run_pages([name for name in pages() if not name.startswith(("wvds-key", "wvds-store", *EST_PAGES))])


class EstExamples(GatewayTest, ExamplesTest):
    def test_of_est_pages_work(self):
        if shutil.which("jq") is None:
            print("NOT RUN: jq is not installed")
            return
        gateway = self.gateway(self.ca())
        gateway.wait_for_certificate()
        for number, name in enumerate(name for name in pages() if name.startswith(EST_PAGES)):
            self.run_examples(name, number, gateway.est.config, gateway.socket)


if __name__ == "__main__":
    unittest.main()
