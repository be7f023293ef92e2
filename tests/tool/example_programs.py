"""A gateway and a backend, each with a service of its own, for the tests of the example programs."""

import os
import re

from programs import BACKEND, BINARIES, GATEWAY, TOOL, ProgramTest

FIELDS = {  # docs/envelope.md; the fields behind the ciphertext are counted from the end
    "magic": (0, 4),
    "version": (4, 1),
    "suite": (5, 1),
    "zero": (6, 2),
    "sequence": (8, 8),
    "part": (16, 4),
    "flags": (20, 4),
    "sender": (24, 32),
    "recipient": (56, 32),
    "data length": (88, 4),
    "KEM ciphertext": (92, 1088),
    "nonce": (1180, 12),
    "ciphertext": (1192, None),
    "tag": (-3325, 16),
    "signature": (-3309, 3309),
}
OVERHEAD = 4517
SIGNATURE_CONTEXT = "WvdS-Envelope-v1 signature"


class ExampleTest(ProgramTest):
    """Gateway "gateway-01", which the backend trusts."""

    def setUp(self):
        super().setUp()
        self.gateway_service = self.service("g")
        self.backend_service = self.service("b")
        self.gateway_key()
        self.backend("key", "--public-key", self.path("backend.pub"))
        self.trust()

    def gateway(self, *arguments, exit_status=0, program=GATEWAY, service=None, **settings):
        socket = (service or self.gateway_service).socket
        return self.run_program([program, *arguments, "--socket", socket], exit_status, **settings)

    def backend(self, *arguments, exit_status=0, program=BACKEND, **settings):
        command, *rest = arguments
        return self.run_program(
            [program, command, "--socket", self.backend_service.socket, *rest], exit_status, **settings
        )

    def gateway_key(self, name="gateway-01", *more, **settings):
        return self.gateway("key", "--state", self.path(name), "--name", name, "--public-key", self.path(name + ".pub"), *more, **settings)

    def trust(self, name="gateway-01", key=None, **settings):
        return self.backend("trust", "--state", self.path("state"), "--sender", name, "--public-key", key or self.path(name + ".pub"), **settings)

    def send_command(self, *files, name="gateway-01", samples=0, recipient="backend.pub"):
        return [
            "send", "--state", self.path(name), "--name", name, "--recipient", self.path(recipient),
            "--out", self.path("sent"), "--samples", str(samples), "--interval", "0", "--socket", self.gateway_service.socket,
            "--", *files,
        ]  # fmt: skip

    def send(self, *files, exit_status=0, program=GATEWAY, input=None, **settings):
        """Sends files and gives the paths of the new envelopes."""
        before = self.sent()
        more = {} if input is None else {"input": input}
        self.run_program([program, *self.send_command(*files, **settings)], exit_status, **more)
        return [envelope for envelope in self.sent() if envelope not in before]

    def send_bytes(self, content):
        """One envelope around the content: its path and its bytes."""
        (path,) = self.send("-", input=content)
        with open(path, "rb") as file:
            return path, file.read()

    def sent(self):
        if not self.exists("sent"):
            return []
        return [self.path("sent/" + name) for name in sorted(os.listdir(self.path("sent"))) if name.endswith(".env")]

    def open(self, *envelopes, exit_status=0, **settings):
        """Opens envelopes: standard output and standard error, as text."""
        done = self.backend("open", "--state", self.path("state"), "--out", self.path("out"), *envelopes, exit_status=exit_status, **settings)
        return done.stdout.decode() + done.stderr.decode()

    def refused(self, content, reason):
        """Holds that an envelope of these bytes is refused for this reason, and that nothing comes out."""
        before = self.released()
        text = self.open(self.write("suspect.env", content), exit_status=1)
        self.assertRegex(text, r"(?m)^refused  suspect.env: .*" + re.escape(reason))
        self.assertEqual(self.released(), before)

    def released(self):
        if not self.exists("out"):
            return []
        return sorted(name for name in os.listdir(self.path("out")) if name.endswith(".data"))

    def content(self, name):
        return self.read("out/" + name)

    def tool(self, service, *arguments, **settings):
        return self.run_program([TOOL, "--socket", service.socket, *arguments], **settings).stdout


def crashing(program):
    """The program that kills itself at a chosen step."""
    return os.path.join(BINARIES, "tests/tool", program + "_crashing")
