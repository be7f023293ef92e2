#!/usr/bin/env python3
"""install.sh on a running system: systemd is booted in namespaces, and the services run in their sandboxes."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from bed import ARCH, DELIVERY, WATCHDOG, clean_environment, write_manifest

HERE = os.path.dirname(os.path.abspath(__file__))
BOOTS_WITHIN = 60  # seconds; otherwise it can't be booted here


class Machine:
    """A small system with systemd, which ends with stop()."""

    def __init__(self, folder):
        self.shared = os.path.join(folder, "shared")
        root = os.path.join(folder, "root")
        os.makedirs(self.shared)
        os.makedirs(root)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.shared, "notify"))
        self.notify.settimeout(BOOTS_WITHIN)
        self.process = subprocess.Popen([os.path.join(HERE, "boot_system.sh"), root, self.shared], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip

    def wait(self):
        """Why it did not boot; None when it did."""
        try:
            while b"READY=1" not in self.notify.recv(4096).splitlines():
                pass
        except TimeoutError:
            return f"systemd did not boot in namespaces: {self.stop()[-200:]}"
        self.first = self.first_process()
        return None

    def first_process(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return (file.read().split() or [str(self.process.pid)])[0]

    def stop(self):
        """All its processes have ended afterwards. Returns what was said at the start."""
        if self.process.poll() is None:
            os.kill(int(self.first_process()), signal.SIGKILL)
        said = self.process.communicate()[0]
        self.notify.close()
        for folder in glob.glob(f"/sys/fs/cgroup/**/wvds-boot.{self.process.pid}", recursive=True):
            for inner, _, _ in os.walk(folder, topdown=False):
                os.rmdir(inner)
        return said

    def run(self, *command, code=0):
        done = subprocess.run(self.inside(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WATCHDOG,
                              env=clean_environment())  # fmt: skip
        if done.returncode != code:
            raise AssertionError(f"{command}: exit status {done.returncode}\n{done.stdout}\n{self.log()}")
        return done.stdout

    def inside(self, *command):
        return ["nsenter", "--target", self.first, "--all", "sh", "-c", 'cd / && exec "$@"', "sh", *command]

    def log(self):
        command = self.inside("journalctl", "--no-pager", "--lines", "40", "--unit", "wvds-*")
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=WATCHDOG).stdout

    def shell(self, text, code=0):
        return self.run("sh", "-c", text, code=code)


@unittest.skipIf(os.geteuid() != 0, "NOT RUN: namespaces and installing need root")
@unittest.skipIf(not os.path.exists("/usr/lib/systemd/systemd"), "NOT RUN: systemd is not installed")
class Booted(unittest.TestCase):
    """Each test has a machine of its own, with version 1.0 installed."""

    def setUp(self):
        folder = os.path.realpath(tempfile.mkdtemp(prefix="wvds-booted."))
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        self.machine = Machine(folder)
        self.addCleanup(self.machine.stop)
        why_not = self.machine.wait()
        if why_not:
            self.skipTest("NOT RUN: " + why_not)
        self.delivery("1", "1.0")
        self.delivery("2", "2.0")
        self.said = self.install("1")

    def delivery(self, name, version):
        tree = os.path.join(self.machine.shared, name)
        shutil.copytree(DELIVERY, tree)
        write_manifest(tree, version)

    def install(self, name, *arguments, code=0):
        return self.machine.run(f"/shared/{name}/install.sh", *arguments, code=code)

    def tool(self, *arguments, code=0):
        return self.machine.run("/usr/local/bin/wvds", *arguments, code=code)

    def show(self, what, unit="wvds-crypto.service"):
        return self.machine.run("systemctl", "show", "--value", "--property", what, unit).strip()

    def make_key(self):
        self.tool("key", "generate", "AES-256-GCM", "--label", "notes")

    def assert_key_is_there(self):
        self.assertIn("notes", self.tool("key", "list"))

    def test_it_starts_the_service(self):
        self.assertIn("restart wvds-crypto.service, and wait until it is ready", self.said)
        self.assertEqual(self.show("StatusText"), "0 of 64 sessions, FIPS active")
        self.assertEqual(self.show("User"), "wvds")
        self.assertIn("active: self-tests passed", self.tool("status"))
        self.assertEqual(self.show("UnitFileState"), "enabled")
        self.assertEqual(self.show("UnitFileState", "wvds-crypto.socket"), "enabled")

    def test_repeated_it_restarts_nothing(self):
        process = self.show("MainPID")
        self.install("1")
        self.assertEqual(self.show("MainPID"), process)

    def test_the_service_is_in_a_sandbox(self):
        status = self.machine.run("cat", f"/proc/{self.show('MainPID')}/status")
        for line in (r"CapEff:\s+0+", r"CapBnd:\s+0+", r"NoNewPrivs:\s+1", r"Seccomp:\s+2"):
            self.assertRegex(status, line + "\n")
        for unit, most in (("wvds-crypto.service", 15), ("wvds-est.service", 20)):  # tenths; 100 is the worst
            self.machine.run("systemd-analyze", "security", "--no-pager", f"--threshold={most}", unit)
        self.assertEqual(self.machine.shell("systemd-analyze verify /etc/systemd/system/wvds-*.s* 2>&1"), "")

    def test_a_service_that_dies_is_started_again(self):
        self.make_key()
        process = self.show("MainPID")
        self.machine.run("systemctl", "reload", "wvds-crypto.service")
        self.assertEqual(self.show("MainPID"), process)
        self.machine.run("kill", "-KILL", process)
        self.machine.shell("until [ $(systemctl show --value --property NRestarts wvds-crypto.service) = 1 ]; do sleep 0.1; done")
        self.tool("status", "--wait", "60")
        self.assertNotEqual(self.show("MainPID"), process)
        self.assert_key_is_there()

    def test_an_upgrade_restarts_with_the_new_version(self):
        self.make_key()
        process = self.show("MainPID")
        self.install("2")
        self.assertNotEqual(self.show("MainPID"), process)
        self.assertIn("/2.0-", self.machine.run("readlink", f"/proc/{self.show('MainPID')}/exe"))
        self.assert_key_is_there()

    def test_a_config_that_the_new_version_refuses_keeps_the_former_at_work(self):
        self.machine.shell("sed -i 's/\"nonce\"/\"no\"/' /etc/wvds/config.json")
        process = self.show("MainPID")
        said = self.install("2", code=1)
        self.assertIn("version 2.0 was not put in force", said)
        self.assertIn("no: unknown key", said)
        self.assertEqual(self.show("MainPID"), process)
        self.assertIn("1.0-", self.machine.run("readlink", "/usr/local/lib/wvds/current"))

    def test_est_service_starts_with_its_section(self):
        self.machine.shell("sed -i '/begin of est/d; /end of est/d' /etc/wvds/config.json")
        self.machine.shell("install -o wvds-est -m 600 /dev/null /etc/wvds/est/password && echo a-password >/etc/wvds/est/password")
        self.machine.shell("cp /shared/1/certs/root_ca.pem /etc/wvds/est/anchors.pem")
        self.assertIn("a test certificate", self.install("1", code=1))
        self.machine.shell(f"OPENSSL_CONF=/dev/null /shared/1/bin/{ARCH}/openssl req -x509 -newkey ML-DSA-65 -noenc -subj /CN=mine "
                           "-keyout /dev/null -out /etc/wvds/est/anchors.pem 2>&1")  # fmt: skip
        self.install("1")
        self.assertEqual(self.show("ActiveState", "wvds-est.service"), "active")
        # it answers where clients look for it, and made its key; there is no network to an EST server
        self.assertIn("connect-failed", self.tool("est", "status", code=1))

    def test_without_systemd_it_says_what_it_leaves_out(self):
        self.install("1", "--uninstall", "--purge-keys")
        said = self.machine.shell("unshare --mount sh -c 'mount -t tmpfs none /run/systemd && exec /shared/1/install.sh'")
        self.assertIn("skipped: systemd does not run here", said)
        self.machine.shell("install -d -o wvds -g wvds /run/wvds; setpriv --reuid wvds --regid wvds --clear-groups "
                           "/usr/local/lib/wvds/current/bin/*/wvds_crypto_service --config /etc/wvds/config.json >/dev/null 2>&1 &")  # fmt: skip
        self.assertIn("active: self-tests passed", self.tool("status", "--wait", "60"))

    def test_removal_and_return(self):
        self.make_key()
        self.machine.run("/usr/local/lib/wvds/current/install.sh", "--uninstall")
        self.assertEqual(self.show("LoadState"), "not-found")
        self.machine.shell("! ls /run/wvds /usr/local/lib/wvds /usr/local/bin/wvds 2>/dev/null")
        self.machine.shell("! cat /proc/[0-9]*/comm | grep ^wvds")
        self.install("2")
        self.assert_key_is_there()
        self.install("2", "--uninstall", "--purge-keys")
        self.machine.shell("! ls -d /etc/wvds /var/lib/wvds /var/lib/wvds-est 2>/dev/null")
        self.machine.shell("! getent passwd wvds wvds-est && ! getent group wvds")


if __name__ == "__main__":
    unittest.main()
