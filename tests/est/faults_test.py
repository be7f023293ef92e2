"""est_service without memory, descriptors, entropy or disk, and with a clock that jumps: no certificate is lost."""

import contextlib
import ctypes
import errno
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
import unittest

from est_client import openssl
from faults import ALWAYS, FaultsTest

LONG = int(os.environ.get("WVDS_LONG", "0"))  # 1: the long form; more: so many rounds
DAY = 86400
YEAR = 365 * DAY
CLONE_NEWNS = 0x20000
NO_PROGRAM = 127  # the dynamic loader's exit code, which has no room for the libraries


def rounds(in_short, in_long):
    return in_short if LONG == 0 else in_long if LONG == 1 else LONG


def new_random():
    seed = int(os.environ.get("WVDS_SEED", random.randrange(1 << 32)))
    print(f"seed {seed} (WVDS_SEED repeats it)", file=sys.stderr)
    return random.Random(seed)


class Memory(FaultsTest):
    def commanded(self, ca):
        """A gateway that makes a new key each time and runs a command afterwards."""
        command = {"command": ["/bin/true"]}
        gateway = self.faulty(ca, certificates=[{"rekey": True}], after_renewal=command)
        return gateway, gateway.wait_for_certificate()

    def allocations(self, gateway, state):
        """How many a renewal makes; the state after it."""
        self.faults.count("memory")
        gateway.renew()
        state = gateway.wait_for_certificate(other_than=state)
        self.faults.heal()
        return self.faults.of("memory").seen, state

    def fail_and_recover(self, gateway, ca, state, skip, count):
        """Some allocations of a renewal fail; how it went, and the state afterwards."""
        since = len(gateway.log())
        self.faults.fail("memory", errno.ENOMEM, skip, count)
        how = "refused"
        if self.asks(gateway):
            self.outcome(gateway, state, over=lambda: self.faults.of("memory").failed >= min(count, 50))
            self.faults.heal()
            how = self.outcome(gateway, state)
        self.faults.heal()
        if how == "ended":
            self.expect_reason(gateway, since)
        else:
            self.assertNotIn("its process is gone", gateway.log()[since:])
        return how, self.recover(gateway, ca, state)

    def run_rounds(self, number, count):
        chance = new_random()
        ca = self.quick_ca()
        gateway, state = self.commanded(ca)
        total, state = self.allocations(gateway, state)
        self.assertGreater(total, 1000)
        outcomes = {}
        for part in range(number):
            skip = chance.randrange(total * part // number, total * (part + 1) // number)
            with self.subTest(skip=skip):
                how, state = self.fail_and_recover(gateway, ca, state, skip, count)
                outcomes[how] = outcomes.get(how, 0) + 1
        print(f"of {total} allocations {number} failed: {outcomes}", file=sys.stderr)
        self.assertLess(outcomes.get("renewed", 0), number, "nothing ever failed")
        gateway.est.stop()
        gateway.est.start()
        self.expect_no_keys_left_over(gateway, state)

    def test_one_failing_allocation_loses_nothing_whichever_it_is(self):
        self.run_rounds(rounds(10, 1000), 1)

    def test_none_at_all_for_a_while_loses_nothing(self):
        self.run_rounds(rounds(4, 100), ALWAYS)

    def allocations_of_start(self, gateway):
        """How many there are until est_service listens: a start that fails just there makes them all."""
        address = gateway.config["est"]["socket"]["path"]
        gateway.config["est"]["socket"]["path"] = self.path("missing/e")
        gateway.write_config()
        self.faults.count("memory")
        self.assertFalse(self.starts(gateway))
        self.faults.heal()
        gateway.config["est"]["socket"]["path"] = address
        gateway.write_config()
        return self.faults.of("memory").seen

    def aborts(self, said):
        """The other exit code of a start that said this: OpenSSL's secure heap ends so, and the C++ library in a constant
        that is made before main."""
        before_main = said.startswith("terminate called") and "std::bad_alloc" in said
        return [-signal.SIGABRT] if before_main or "OpenSSL internal error" in said else []

    # Afterwards libseccomp makes the filter of system calls, which does not look whether there is memory.
    def test_one_failing_allocation_of_a_start_loses_nothing_whichever_it_is(self):
        chance = new_random()
        ca = self.quick_ca()
        gateway = self.faulty(ca, fips="off")
        state = gateway.wait_for_certificate()
        gateway.est.stop()
        total = self.allocations_of_start(gateway) - 200  # the last are those of the failure itself
        number = rounds(6, 1000)
        ended = 0
        for part in range(number):
            since = len(gateway.log())
            skip = chance.randrange(total * part // number, total * (part + 1) // number)
            with self.subTest(skip=skip):
                self.faults.fail("memory", errno.ENOMEM, skip, 1)
                if not self.starts(gateway):
                    ended += 1
                    self.expect_reason(gateway, since, *self.aborts(gateway.log()[since:]))
                gateway.est.kill()
                self.faults.heal()
                self.assertEqual(gateway.state()["current"], state["current"])
                self.assertNotIn("set aside", gateway.log()[since:])
        print(f"of {total} allocations {number} failed: it ended {ended} times", file=sys.stderr)
        self.recover(gateway, ca, state)

    def test_too_little_at_the_start_is_refused_with_a_reason(self):
        ca = self.quick_ca()
        gateway = self.gateway(ca, fips="off")  # some of OpenSSL's self-tests crash where there is no memory
        state = gateway.wait_for_certificate()
        megabyte = 1 << 20
        outcomes = {}
        for size in range(10 * megabyte, 400 * megabyte, megabyte if LONG else 6 * megabyte):
            gateway.est.kill()
            since = len(gateway.log())
            gateway.est.prefix = ["prlimit", f"--as={size}"]
            before = gateway.state()
            with self.subTest(size=size):
                serves = self.starts(gateway) and self.asks(gateway)
                how = self.outcome(gateway, before) if serves else "refused"
                outcomes[how] = outcomes.get(how, 0) + 1
                if how == "renewed":
                    break
                if gateway.est.process.poll() is not None:
                    self.expect_reason(gateway, since, NO_PROGRAM)
                self.assertEqual(gateway.state()["current"], state["current"])
        print(outcomes, file=sys.stderr)
        self.assertEqual(outcomes.get("renewed"), 1)
        self.assertGreater(outcomes["refused"], 1)


class Descriptors(FaultsTest):
    def test_too_few_at_the_start_are_refused_with_a_reason(self):
        ca = self.quick_ca()
        root = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", ca.root).decode()
        # Of all that the start reads, the state is the first.
        gateway = self.gateway(ca, trust={"fingerprints": [root.strip().rpartition("=")[2]]})
        state = gateway.wait_for_certificate()
        refused = 0
        for number in range(3, 40):
            gateway.est.stop()
            since = len(gateway.log())
            gateway.est.prefix = ["prlimit", f"--nofile={number}"]
            with self.subTest(number=number):
                serves = self.starts(gateway)
                self.expect_whole(gateway, ca)
                if serves:
                    break
                refused += 1
                self.expect_reason(gateway, since, NO_PROGRAM)
                self.assertRegex(gateway.log()[since:], f"Too many open files|Error {errno.EMFILE}")
        self.assertGreater(refused, 1)
        gateway.est.stop()
        gateway.est.prefix = []
        gateway.est.start()
        gateway.renew()
        gateway.wait_for_certificate(other_than=state)

    def test_none_under_the_running_service_delay_the_renewal(self):
        ca = self.quick_ca()
        gateway = self.faulty(ca, certificates=[{"rekey": True}], retry={"first_s": 1, "longest_s": 1})
        state = gateway.wait_for_certificate()
        delayed = 0
        for more in range(8 if LONG else 3):
            with self.subTest(more=more):
                ca.rule("simplereenroll", 1, status=500)
                gateway.renew()
                state = gateway.wait_for_failure(after=state)
                since = len(gateway.log())
                with self.descriptors_but(gateway.est.process.pid, more):  # the next attempt comes by itself
                    missing = lambda since=since: "Too many open files" in gateway.log()[since:]
                    gateway.wait(lambda: missing() or gateway.state()["current"] != state["current"])
                    delayed += missing()
                    self.expect_whole(gateway, ca)
                state = gateway.wait_for_certificate(other_than=state)
        self.assertGreater(delayed, 0)

    @contextlib.contextmanager
    def descriptors_but(self, process, more):
        """A running process gets only so many more descriptors, for a while."""
        used = max(int(name) for name in os.listdir(f"/proc/{process}/fd")) + 1
        before = resource.prlimit(process, resource.RLIMIT_NOFILE)
        resource.prlimit(process, resource.RLIMIT_NOFILE, (used + more, before[1]))
        try:
            yield
        finally:
            resource.prlimit(process, resource.RLIMIT_NOFILE, before)


class Entropy(FaultsTest):
    def test_that_fails_from_any_call_on_lets_nothing_weak_out(self):
        chance = new_random()
        ca = self.quick_ca()
        gateway = self.faulty(ca, retry={"first_s": 1, "longest_s": 1})
        state = gateway.wait_for_certificate()
        gateway.est.stop()
        self.faults.count("random")
        gateway.est.start()
        gateway.renew()
        state = gateway.wait_for_certificate(other_than=state)
        total = self.faults.of("random").seen
        self.faults.heal()
        outcomes = {}
        calls = range(total) if LONG else sorted(chance.sample(range(total), min(total, 8)))
        for call in calls:
            gateway.est.stop()
            with self.subTest(call=call, of=total):
                how, state = self.fail_from(gateway, ca, state, call)
                outcomes[how] = outcomes.get(how, 0) + 1
        print(f"of {total} calls: {outcomes}", file=sys.stderr)
        self.assertGreater(outcomes.get("refused", 0) + outcomes.get("failed", 0), 0)

    def fail_from(self, gateway, ca, state, call):
        """A start without entropy from this call on, and a renewal; how that went, and the state afterwards."""
        since, requests = len(gateway.log()), len(ca.requests())
        self.faults.fail("random", errno.EIO, call)
        how = "refused"
        if self.starts(gateway):
            how = self.outcome(gateway, state) if self.asks(gateway) else "failed"
        if how == "refused":
            self.expect_reason(gateway, since)
        if how != "renewed":
            self.assertEqual(len(ca.requests()), requests, "a connection was made")
            self.assertRegex(gateway.log()[since:], "(?i)random|entropy")
        self.faults.heal()
        return how, self.recover(gateway, ca, state)


class Disk(FaultsTest):
    def failing(self, kind, error):
        return lambda: self.faults.fail(kind, error)

    def begin_with(self, ca, gateway, trouble):
        """The trouble begins between an attempt and the next one, which comes by itself; where the log then is."""
        ca.rule("simplereenroll", 1, status=500)
        gateway.renew()
        gateway.wait_for_failure()
        since = len(gateway.log())
        trouble()
        return since

    def expect_trouble(self, ca, gateway, cause, trouble, mend):
        """While the disk is in trouble the certificate stays, and the log says where and why; then it is renewed."""
        before = gateway.state()
        since = self.begin_with(ca, gateway, trouble)
        gateway.wait_for_log(rf"failure=storage .*{re.escape(gateway.folder)}/certificate-device\S*: .*{cause}", since)
        self.expect_whole(gateway, ca)
        mend()
        gateway.wait_for_certificate(other_than=before)
        self.expect_whole(gateway, ca)

    def impatient(self, ca):
        gateway = self.faulty(ca, retry={"first_s": 1, "longest_s": 1})
        return gateway, gateway.wait_for_certificate()

    def test_that_fails_delays_the_renewal(self):
        ca = self.quick_ca()
        gateway, _ = self.impatient(ca)
        for kind, error in (("create", errno.ENOSPC), ("write", errno.EIO), ("sync", errno.EIO)):
            with self.subTest(kind=kind, error=errno.errorcode[error]):
                trouble = self.failing(kind, error)
                self.expect_trouble(ca, gateway, os.strerror(error), trouble, self.faults.heal)

    def test_on_which_no_file_may_grow_delays_the_renewal(self):
        ca = self.quick_ca()
        gateway, _ = self.impatient(ca)
        gateway.est.stop()  # its log goes through a pipe: a file would not grow either
        gateway.est.prefix = ["bash", "-c", 'exec "$0" "$@" > >(exec cat) 2>&1', *gateway.est.prefix]
        gateway.est.start()

        def limit(size):
            resource.prlimit(gateway.est.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        self.expect_trouble(ca, gateway, "File too large", lambda: limit(1000), lambda: limit(resource.RLIM_INFINITY))

    def mount(self, *arguments):
        subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)

    @unittest.skipUnless(os.getuid() == 0, "NOT RUN: needs root, to mount a disk")
    def test_that_is_full_or_read_only_delays_the_renewal(self):
        if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:  # the mounts are this process's own
            self.skipTest("NOT RUN: no mounts of its own")
        self.mount("--make-rprivate", "/")
        ca = self.quick_ca()
        gateway = self.faulty(ca, start=False, retry={"first_s": 1, "longest_s": 1})
        os.makedirs(gateway.folder, mode=0o700)
        self.mount("-t", "tmpfs", "-o", "size=256k,mode=700", "none", gateway.folder)
        gateway.start()
        gateway.wait_for_certificate()
        ballast = os.path.join(gateway.folder, "ballast")

        def fill():
            with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(512))

        self.expect_trouble(ca, gateway, "No space left", fill, lambda: os.unlink(ballast))
        self.expect_trouble(ca, gateway, "Read-only", lambda: self.mount("-o", "remount,ro", gateway.folder),
                            lambda: self.mount("-o", "remount,rw", gateway.folder))  # fmt: skip
        gateway.stop()
        subprocess.run(["umount", gateway.folder], check=True)

    def test_that_fails_costs_the_ca_one_certificate_not_one_each_attempt(self):
        ca = self.quick_ca()
        gateway, state = self.impatient(ca)
        issued = len(ca.requests("simplereenroll")) + 1  # the one that is refused
        since = self.begin_with(ca, gateway, self.failing("rename", errno.EIO))
        gateway.wait(lambda: len(re.findall("failure=storage", gateway.log()[since:])) >= 3)
        self.assertEqual(len(ca.requests("simplereenroll")), issued + 1)
        self.faults.heal()
        gateway.wait_for_certificate(other_than=state)
        self.assertEqual(len(ca.requests("simplereenroll")), issued + 2)

    def test_one_failing_call_loses_nothing_whichever_it_is(self):
        chance = new_random()
        ca = self.quick_ca()
        gateway = self.faulty(ca, certificates=[{"rekey": True}])
        state = gateway.wait_for_certificate()
        kinds = ("create", "write", "sync", "rename", "unlink")
        for kind in kinds:
            self.faults.count(kind)
        gateway.renew()
        state = gateway.wait_for_certificate(other_than=state)
        calls = {kind: self.faults.of(kind).seen for kind in kinds}
        self.faults.heal()
        for kind, number in calls.items():
            self.assertGreater(number, 0)
            for call in range(number) if LONG else (chance.randrange(number),):
                with self.subTest(kind=kind, call=call, of=number):
                    self.faults.fail(kind, errno.EIO, call, 1)
                    gateway.renew()
                    self.outcome(gateway, state)
                    gateway.wait(lambda: self.faults.of(kind).failed == 1)  # the last sync follows what can be seen
                    self.faults.heal()
                    gateway.est.kill()
                    state = self.recover(gateway, ca, state)
        self.expect_no_keys_left_over(gateway, state)


class Clock(FaultsTest):
    def test_that_jumps_by_decades_costs_no_certificate_and_no_renewal(self):
        ca = self.quick_ca()
        gateway = self.faulty(ca)
        state = gateway.wait_for_certificate()
        enrolled = len(ca.requests("simpleenroll"))
        expired = "enrolment failed .*failure=server-expired"
        wrong = "the clock is wrong"
        for offset, said in ((30, expired), (-20, wrong), (50, wrong), (-58, wrong), (12, expired)):
            with self.subTest(years=offset):
                state = self.jump_and_come_back(gateway, ca, state, offset * YEAR, said)
        # What was begun while the certificate seemed to have expired goes on: two jumps, two renewals.
        self.assertEqual(len(ca.requests("simpleenroll")), enrolled)
        self.assertEqual(len(ca.requests("simplereenroll")), 2)
        offset = state["renew_at"] - int(time.time()) + 60
        ca.set(clock=offset)
        self.faults.set_clock(offset)
        gateway.renew("", flags=0)  # it looks at the clock
        renewed = gateway.wait_for_certificate(other_than=state)
        self.assertGreater(renewed["renew_at"], state["renew_at"])
        self.assertEqual(len(ca.requests("simplereenroll")), 3)

    def jump_and_come_back(self, gateway, ca, state, offset, said):
        """The clock jumps, est_service says this, and the clock comes back; the state afterwards."""
        since = len(gateway.log())
        self.faults.set_clock(offset)
        gateway.renew("", flags=0)
        gateway.wait_for_log(said, since)
        self.assertEqual(gateway.state()["current"], state["current"])
        fetched = len(ca.requests("cacerts"))
        self.faults.set_clock(0)
        gateway.renew("", flags=0)
        ca.wait_for(lambda _: len(ca.requests("cacerts")) > fetched)
        if "expired" in said:
            gateway.wait_for_certificate(other_than=state)
        else:
            gateway.wait_for_log("the clock is right again", since)
        return self.expect_whole(gateway, ca)

    def test_that_is_ahead_of_the_ca_makes_no_storm_of_renewals(self):
        ca = self.quick_ca()
        gateway = self.faulty(ca)
        state = gateway.wait_for_certificate()
        self.faults.set_clock(DAY * 8 // 10)  # of its lifetime: the next one is due when it comes
        for number in range(1, 6):
            gateway.renew("", flags=0)
            gateway.wait_for_certificate(other_than=state)
            ca.wait_for(lambda _, number=number: len(ca.requests("cacerts")) > number)
        self.assertEqual(len(ca.requests("simplereenroll")), 1)


if __name__ == "__main__":
    unittest.main()
