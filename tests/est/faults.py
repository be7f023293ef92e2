"""What makes est_service's calls fail (tests/faults/fault_injection.c), and the tests' common part."""

import ctypes
import errno
import mmap
import os
import signal
import time

from gateway import BINARIES, GatewayTest
from programs import WATCHDOG

FAULT_INJECTION = os.path.join(BINARIES, "tests/faults/libwvds_fault_injection.so")
ALWAYS = 1 << 60


class Fault(ctypes.Structure):
    """struct wvds_fault of tests/faults/fault_controls.h"""

    _fields_ = [(name, ctypes.c_int64) for name in ("error", "skip", "count", "seen", "failed")]


class Controls(ctypes.Structure):
    """struct wvds_fault_controls"""

    KINDS = ("create", "write", "sync", "rename", "unlink", "read", "random", "memory")
    _fields_ = [("faults", Fault * len(KINDS)), ("clock_offset_s", ctypes.c_int64)]


class Faults:
    """What fails in a program that runs with environment()."""

    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(ctypes.sizeof(Controls))
            self.controls = Controls.from_buffer(mmap.mmap(file.fileno(), ctypes.sizeof(Controls)))

    def environment(self):
        return ["env", "LD_PRELOAD=" + FAULT_INJECTION, "WVDS_TEST_FAULTS=" + self.path]

    def of(self, kind):
        return self.controls.faults[Controls.KINDS.index(kind)]

    def fail(self, kind, error, skip=0, count=ALWAYS):
        """Of the calls from now on those from number `skip` on fail, `count` of them."""
        fault = self.of(kind)
        fault.error = 0
        fault.skip, fault.count, fault.seen, fault.failed = skip, count, 0, 0
        fault.error = error

    def count(self, kind):
        """Counts calls from now on; none fails."""
        self.fail(kind, errno.EIO, count=0)

    def heal(self):
        """Nothing fails any more; how many calls did."""
        failed = 0
        for fault in self.controls.faults:
            fault.error = 0
            failed += fault.failed
            fault.failed = 0
        return failed

    def set_clock(self, offset):
        self.controls.clock_offset_s = offset


class FaultsTest(GatewayTest):
    """A test with gateways whose est_service can be made to fail."""

    def setUp(self):
        super().setUp()
        self.faults = Faults(self.path("faults"))

    def quick_ca(self, **settings):
        return self.ca(algorithm="P-256", settings={"server": {"algorithm": "P-256"}, **settings})

    def faulty(self, ca, start=True, **settings):
        # An allocation that fails in OpenSSL may cost an answer: the exchange then ends by its time limit.
        gateway = self.gateway(ca, start=False, timeout_s=WATCHDOG // 3, **settings)
        gateway.est.prefix = self.faults.environment()
        if start:
            gateway.start()
        return gateway

    def expect_whole(self, gateway, ca):
        """The certificate on the disk verifies and has its key; its state."""
        state = gateway.state()
        self.assertIn("current", state, gateway.log())
        self.verify(ca.root, state, "-purpose", "sslclient")
        self.expect_key_of_certificate(gateway, state)
        self.assertEqual([name for name in os.listdir(gateway.folder) if "damaged" in name], [], gateway.log())
        return state

    def expect_reason(self, gateway, since, *more):
        """est_service has ended by itself and said why."""
        said = gateway.log()[since:]
        self.assertIn(gateway.est.process.wait(WATCHDOG), (1, *more), said)
        self.assertTrue(said.strip(), "it ended without a reason")

    def starts(self, gateway):
        """Starts est_service, which has ended or serves then; whether it serves."""
        since = len(gateway.log())
        gateway.est.start(wait=False)
        deadline = time.monotonic() + WATCHDOG
        while gateway.est.process.poll() is None and "sandbox system_calls=" not in gateway.log()[since:]:
            self.assertLess(time.monotonic(), deadline, gateway.log())
            time.sleep(0.01)
        return gateway.est.process.poll() is None

    def asks(self, gateway):
        """Whether est_service took the wish for a renewal."""
        try:
            gateway.renew()
            return True
        except AssertionError:
            return False

    def outcome(self, gateway, before, over=lambda: False):
        """How the attempt after the state `before` went: "renewed", "failed", "ended"; "" where over() came first."""
        deadline = time.monotonic() + WATCHDOG
        while time.monotonic() < deadline:
            ended = gateway.est.process.poll() is not None
            state = gateway.state()
            if state["current"]["chain"] != before["current"]["chain"] and state["current_used"]:
                return "renewed"
            if ended:
                return "ended"
            if state["failures"] > before["failures"]:
                return "failed"
            if over():
                return ""
            time.sleep(0.01)
        raise AssertionError("the attempt has no end:\n" + gateway.log())

    def recover(self, gateway, ca, before):
        """Without the fault it renews, after a start where it had ended; the new state."""
        self.expect_whole(gateway, ca)
        while True:
            self.assertIn(gateway.est.process.poll(), (None, 0, 1, -signal.SIGKILL), gateway.log())
            if gateway.est.process.poll() is not None:
                gateway.est.start()
            state = gateway.state()
            has_begun = "pending" in state or not state["current_used"]
            try:
                if has_begun or state["current"]["chain"] == before["current"]["chain"]:
                    gateway.renew(flags=0 if has_begun else 1)
                return gateway.wait_for_certificate(other_than=before)
            except AssertionError:  # it may end after the attempt that failed, when it sees that none will work
                if gateway.est.process.poll() is None:
                    raise

    def expect_no_keys_left_over(self, gateway, state):
        """They go with the next renewals."""
        for _ in range(2):
            gateway.renew()
            state = gateway.wait_for_certificate(other_than=state)
        gateway.wait(lambda: gateway.keys() <= 2)
