"""The CA made for the tests (tests/est/ca) as a Python object."""

import ctypes
import json
import os
import select
import signal
import subprocess
import time

BINARIES = os.environ["WVDS_BINARY_DIR"]
OPENSSL = os.environ["WVDS_OPENSSL"]
PROGRAM = os.path.join(BINARIES, "tests/est/wvds_test_est_ca")
WATCHDOG = 120  # seconds; nothing takes so long unless it hangs
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class TestCa:
    """An EST server with a CA of its own on 127.0.0.1.

    `folder` gets root.pem (the newest root), other.pem (a CA of the same name that nobody trusts), server.pem (key,
    certificate, chain), and the CA's keys: started again in the same folder, it is the same CA. `port` is where it
    listens; it stays the same while `listen(False)` refuses connections, and over restart().

    The settings (see ca/settings.cc) are given at the start or changed with set(). Rules make the next answers differ:

        ca.rule("simpleenroll", 2, status=202, headers={"Retry-After": "5"})
        ca.rule("cacerts", content_type="text/html")          # from now on
        ca.rule("simpleenroll", 1, certificate="other-key")   # see ca/issuing.h
        ca.rule("simpleenroll", 1, pkcs7="thousand")          # see ca/messages.h
        ca.rule("*", 1, fault="cut-in-body")                  # see ca/http.h
        ca.rule("connection", 3, fault="garbage")             # see Server::begin
    """

    __test__ = False  # no test itself

    def __init__(self, folder, algorithm="ML-DSA-65", issuing=False, http_socket=None, settings=None, options=()):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.folder = folder
        self.root = os.path.join(folder, "root.pem")
        self.port = 0
        self.process = None
        self.options = ["--algorithm", algorithm, *(["--issuing"] if issuing else []), *options]
        if http_socket:
            self.options += ["--http-socket", http_socket]
        self.settings = settings or {}

    def start(self):
        """Starts it; it listens then."""
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    PROGRAM, "--folder", self.folder, "--port", str(self.port), *self.options,
                    "--set", json.dumps(self.settings),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        self.port = int(self.read_line().removeprefix("ready "))

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            if self.process.wait(WATCHDOG) != 0:
                raise AssertionError("the test CA did not end well:\n" + self.log())
        self.close_pipes()

    def kill(self):
        self.process.kill()
        self.process.wait(WATCHDOG)
        self.close_pipes()

    def close_pipes(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()

    def restart(self):
        self.stop()
        self.start()

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def read_line(self):
        line = b""
        deadline = time.monotonic() + WATCHDOG
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            byte = os.read(self.process.stdout.fileno(), 1) if readable else b""
            if not byte:
                raise AssertionError("the test CA does not answer:\n" + self.log())
            line += byte
        return line.decode().rstrip("\n")

    def command(self, **command):
        """See ca/control.h."""
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.read_line())
        if "ok" not in answer:
            raise AssertionError(answer["error"])

    def set(self, **settings):
        self.command(set=settings)

    def rule(self, operation, times=None, **answer):
        self.command(rules=[{"on": operation, "with": answer, **({} if times is None else {"times": times})}])

    def clear_rules(self):
        self.command(clear_rules=True)

    def roll_over(self, name="", algorithm=""):
        """A new root; /cacerts has the old and the new one and both links, and new certificates come from the new one.
        The TLS server keeps its certificate until server_certificate() is called. root.pem stays the old root."""
        self.command(roll_over={"name": name, "algorithm": algorithm})

    def server_certificate(self, **settings):
        """A new certificate for the TLS server: issuer="other", not_after=-60, names="DNS:elsewhere.example", ..."""
        self.command(set={"server": settings}, server_certificate=True)

    def listen(self, listen):
        self.command(listen=listen)

    def end_connections(self):
        self.command(end_connections=True)

    def events(self):
        """All that it logged (see ca/request_log.h), oldest first."""
        with open(os.path.join(self.folder, "requests"), encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]

    def requests(self, operation=None):
        """The requests so far. A request is here before its answer leaves."""
        return [
            entry
            for entry in self.events()
            if entry["event"] == "request" and (operation is None or entry["operation"] == operation)
        ]

    def wait_for(self, condition):
        """Waits until condition(events) holds, for what happens without an answer; returns the events."""
        deadline = time.monotonic() + WATCHDOG
        while not condition(events := self.events()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"what was waited for did not happen: {events}\n{self.log()}")
            select.select([], [], [], 0.01)
        return events
