"""The real est_service and crypto_service as Python objects, for the tests that run them against a server."""

import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from est_client import openssl
from test_ca import BINARIES, TestCa

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tool"))
from programs import OPERATIONS, WATCHDOG, Service  # noqa: E402

EST_SERVICE = os.path.join(BINARIES, "src/est_service/wvds_est_service")
CLIENT_LIBRARY = os.path.join(BINARIES, "src/client/libl4re_crypto_service.so.1")
EST_OPERATIONS = ["est-status", "est-certificate", "est-ca-certificates", "est-wait", "est-renew"]
NEVER = 86400  # seconds to the next attempt: only what the test asks for happens


class EstDaemon(Service):
    """est_service with the configuration of a crypto_service, and files of its own."""

    def __init__(self, folder, config):  # pylint: disable=super-init-not-called
        os.makedirs(folder)
        self.folder = folder
        self.config = config
        self.process = None
        self.program = EST_SERVICE
        self.prefix = []


class Gateway:
    """A device: crypto_service and est_service with one config.json, in a folder of its own.

    `est` are members of the section "est"; without any the device enrols the certificate "device" of the default key
    type by the test CA's password. By default it tries again a day after a failure: what a test asks for with renew()
    is all that happens. `certificates` are members of the certificates, "subject" and "san" being those of CN=NAME and
    NAME.example where they are missing.
    """

    def __init__(self, folder, server, certificates=({},), credential=("device", "secret"), fips="preferred", **est):
        self.crypto = Service(folder, operations=OPERATIONS + EST_OPERATIONS)
        self.folder = os.path.join(folder, "est")
        self.socket = os.path.join(folder, "e")
        with open(self.crypto.config, encoding="utf-8") as file:
            self.config = json.load(file)
        self.config["rate_limit"] = {"requests_per_second": 0}
        self.config["fips"]["mode"] = fips
        self.config["log_level"] = "debug"
        self.config["est"] = {
            "socket": {"path": self.socket, "mode": "0600"},
            "folder": self.folder,
            "server": server,
            "trust": {},
            "retry": {"first_s": NEVER, "longest_s": NEVER},
            "certificates": [self.certificate_section(**certificate) for certificate in certificates],
            **est,
        }
        if isinstance(credential, tuple):
            password_file = self.write("password", credential[1] + "\n")
            credential = {"username": credential[0], "password_file": password_file}
        self.config["est"]["credential"] = credential
        self.est = EstDaemon(os.path.join(folder, "log-of-est"), self.crypto.config)

    @staticmethod
    def certificate_section(**members):
        name = members.get("name", "device")
        return {"subject": "CN=" + name, "san": {"dns": [name + ".example"]}, **members}

    def path(self, name):
        return os.path.join(self.crypto.folder, name)

    def write(self, name, content):
        """A file that only this user may read."""
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def write_config(self):
        self.write("config.json", json.dumps(self.config))
        self.crypto.config = self.est.config = self.path("config.json")

    def start(self):
        self.write_config()
        self.crypto.start()
        self.est.start()

    def stop(self):
        self.est.stop()
        self.crypto.stop()

    def restart_est(self):
        self.est.stop()
        self.write_config()
        self.est.start()

    def restart_crypto(self):
        self.crypto.stop()
        self.crypto.start()

    def read(self, name):
        """A state file of est_service (src/est_service/state.h); nothing where there is none."""
        try:
            with open(os.path.join(self.folder, name + ".json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def state(self, name="device"):
        return self.read("certificate-" + name)

    def trust(self):
        return self.read("trust")

    def wait(self, condition):
        """Waits until condition() is something; what it is."""
        deadline = time.monotonic() + WATCHDOG
        while not (found := condition()):
            if self.est.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("what was waited for did not happen:\n" + self.log())
            select.select([], [], [], 0.01)
        return found

    def wait_for_state(self, condition, name="device"):
        """Waits until condition(state) holds; the state."""

        def holds():
            state = self.state(name)
            return state if state and condition(state) else None

        return self.wait(holds)

    def wait_for_certificate(self, name="device", other_than=None):
        """Waits until there is a certificate that the server has accepted; its state."""
        known = other_than["current"]["chain"] if other_than else None
        return self.wait_for_state(
            lambda s: "current" in s and s["current"]["chain"] != known and s["current_used"], name
        )

    def wait_for_failure(self, after=None, name="device"):
        """Waits until an attempt has failed, after the state `after`; the state."""
        failures = after.get("failures", 0) if after else 0
        return self.wait_for_state(lambda s: s["failures"] > failures and "last_failure" in s, name)

    def wait_for_trust(self, condition):
        def holds():
            trust = self.trust()
            return trust if trust and condition(trust) else None

        return self.wait(holds)

    def wait_for_log(self, pattern, since=0):
        return self.wait(lambda: re.search(pattern, self.log()[since:]))

    def log(self):
        return self.est.log()

    def renew(self, name="device", flags=1):
        """Asks est_service by the C library to renew now; name "": to fetch the CA certificates."""
        with Session(self.socket) as session:
            session.renew(name, flags)

    def keys(self):
        """How many keys crypto_service has."""
        with Session(self.crypto.socket) as session:
            return session.number_of_keys()

    def peak_memory(self):
        """The most memory that est_service has had, in MB."""
        with open(f"/proc/{self.est.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) // 1024


class Session:
    """What the C library says, in a process of its own (session.py): a sanitized library needs its runtime before it."""

    def __init__(self, address):
        self.address = address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ask(self, function, *arguments):
        linked = subprocess.run(["ldd", CLIENT_LIBRARY], capture_output=True, check=True, text=True).stdout
        runtimes = re.findall(r"/\S*/lib[at]san\.so\S*", linked)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "session.py")
        done = subprocess.run(
            [sys.executable, script, CLIENT_LIBRARY, self.address, function, *map(str, arguments)],
            env={**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def renew(self, name, flags):
        self.ask("renew", name, flags)

    def number_of_keys(self):
        return self.ask("number_of_keys")

    def public_key(self, key):
        return bytes.fromhex(self.ask("public_key", key))

    def certificate(self, name="device", which=0):
        """The chain in PEM, and the id of the key; est_service tells of a certificate when it has also used it."""
        deadline = time.monotonic() + WATCHDOG
        while True:
            try:
                return tuple(self.ask("certificate", name, which))
            except AssertionError as error:
                if "CERTIFICATE_NOT_FOUND" not in str(error) or time.monotonic() > deadline:
                    raise


class GatewayTest(unittest.TestCase):
    """A test with a folder, CAs and gateways."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wvds-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ca(self, name="ca", **settings):
        ca = TestCa(self.path(name), **settings)
        self.addCleanup(ca.stop)
        ca.start()
        return ca

    def gateway(self, peer, start=True, name="gateway", **settings):
        """A gateway that knows the peer's root."""
        settings.setdefault("trust", {"anchors_file": peer.root})
        settings.setdefault("server", f"https://localhost:{peer.port}")
        gateway = Gateway(self.path(name), **settings)
        self.addCleanup(gateway.stop)
        if start:
            gateway.start()
        return gateway

    def verify(self, root, state, *more):
        """The installed certificate leads to the root, by openssl's own program; its text."""
        chain = state["current"]["chain"]
        path = self.path("verified.pem")
        with open(path, "w", encoding="utf-8") as file:
            file.write(chain)
        openssl("verify", "-CAfile", root, "-untrusted", path, *more, path)
        return openssl("x509", "-noout", "-text", data=chain.encode()).decode()

    def expect_key_of_certificate(self, gateway, state):
        """crypto_service has the key that is in the certificate."""
        with Session(gateway.crypto.socket) as session:
            public = session.public_key(state["current"]["key_id"])
        text = openssl("x509", "-noout", "-pubkey", data=state["current"]["chain"].encode())
        self.assertIn(public, openssl("pkey", "-pubin", "-outform", "DER", data=text))

    def assert_failure(self, state, name, detail=""):
        failure = state["last_failure"]
        self.assertRegex(failure["name"], f"^({name})$", failure)
        if detail:
            self.assertRegex(failure["detail"], detail)
        self.assertTrue(failure["advice"])
