"""Starts the service and runs the programs, for the tests in this folder."""

import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

BINARIES = os.environ["WVDS_BINARY_DIR"]
OPENSSL = os.environ["WVDS_OPENSSL"]
WATCHDOG = 60  # seconds; no test waits so long unless something hangs

OPERATIONS = [
    "aes-encrypt", "aes-decrypt", "mldsa-sign", "mldsa-verify", "ecdsa-sign", "ecdsa-verify", "mlkem-keygen",
    "mlkem-encaps", "mlkem-decaps", "mlkem-encaps-to-key", "mlkem-decaps-to-key", "key-generate", "key-import",
    "key-public", "key-list", "key-info", "key-rotate", "key-retire", "key-delete", "random", "status", "metrics",
]  # fmt: skip

SERVICE = os.path.join(BINARIES, "src/service/wvds_crypto_service")
TOOL = os.path.join(BINARIES, "tools/wvds/wvds")
GATEWAY = os.path.join(BINARIES, "examples/oem_gateway")
BACKEND = os.path.join(BINARIES, "examples/backend")


class Service:
    """A crypto_service with a store, a key file and a socket in a folder of its own."""

    def __init__(self, folder, uid=None, limits=None, rate_limit=None, operations=None):
        os.makedirs(folder)
        self.folder = folder
        self.socket = os.path.join(folder, "s")
        self.config = os.path.join(folder, "config.json")
        self.process = None
        self.program = SERVICE
        self.prefix = []  # a command that runs the service
        key_file = os.path.join(folder, "key")
        with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(32))
        config = {
            "socket": {"path": self.socket, "mode": "0666"},
            "store": {
                "path": os.path.join(folder, "store"),
                "protector": "file", "file": {"key_file": key_file},
            },
            "fips": {
                "mode": "required",
                "modules_dir": os.path.join(OPENSSL, "lib/ossl-modules"),
                "config": os.path.join(OPENSSL, "ssl/fipsmodule.cnf"),
            },
            "clients": [{"name": "user", "uid": os.getuid() if uid is None else uid, "operations": OPERATIONS}],
        }
        if operations:
            config["clients"][0]["operations"] = operations
        if limits:
            config["clients"][0]["limits"] = limits
        if rate_limit:
            config["rate_limit"] = rate_limit
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def start(self, wait=True):
        """Starts it; it is ready when it told the service manager's socket so."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = os.path.join(self.folder, "n")
        if os.path.exists(address):
            os.unlink(address)
        notify.bind(address)
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "--config", self.config],
                env=dict(os.environ, NOTIFY_SOCKET=address),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            self.wait_until_ready(notify)
        notify.close()

    def wait_until_ready(self, notify):
        """Waits for READY=1, the end of the process, or the watchdog."""
        ended = os.pidfd_open(self.process.pid)
        try:
            deadline = time.monotonic() + WATCHDOG
            while time.monotonic() < deadline:
                readable, _, _ = select.select([notify, ended], [], [], max(0, deadline - time.monotonic()))
                if notify in readable:
                    if b"READY=1" in notify.recv(4096):
                        return
                elif readable:
                    break
        finally:
            os.close(ended)
        raise AssertionError("the service did not come up:\n" + self.log())

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        self.process.kill()
        self.process.wait(WATCHDOG)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            if self.process.wait(WATCHDOG) != 0:
                raise AssertionError("the service did not stop cleanly:\n" + self.log())


class ProgramTest(unittest.TestCase):
    """A test with a folder and helpers that run programs."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wvds-")
        self.addCleanup(shutil.rmtree, self.folder)

    def service(self, name="service", **settings):
        service = Service(os.path.join(self.folder, name), **settings)
        self.addCleanup(service.stop)
        service.start()
        return service

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def exists(self, name):
        return os.path.exists(self.path(name))

    def run_program(self, arguments, exit_status=0, **settings):
        """Runs a program and holds its exit status against the one that is wanted."""
        settings.setdefault("stdout", subprocess.PIPE)
        if "input" not in settings:
            settings.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(arguments, stderr=subprocess.PIPE, timeout=WATCHDOG, check=False, **settings)
        self.assertEqual(
            done.returncode, exit_status, f"{arguments}\nout: {done.stdout!r}\nerr: {done.stderr.decode()}"
        )
        return done
