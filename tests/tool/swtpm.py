"""A software TPM for the tests in this folder."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time

WATCHDOG = 60  # seconds
PROGRAMS = ("swtpm", "tpm2_pcrextend", "tpm2_nvundefine")
PR_SET_PDEATHSIG = 1


def missing():
    """The programs that are needed and not installed."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Swtpm:
    """One TPM without a resource manager, on Unix sockets in a folder of its own. `tcti` is how a program reaches it."""

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700)
        self.folder = folder
        self.path = os.path.join(folder, "tpm")
        self.tcti = "swtpm:path=" + self.path
        self.process = None

    def start(self):
        """Switches it on; it answers then."""
        control = self.path + ".ctrl"
        for path in (self.path, control):
            if os.path.exists(path):
                os.unlink(path)
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    "swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.folder,
                    "--server", "type=unixio,path=" + self.path, "--ctrl", "type=unixio,path=" + control,
                    "--flags", "not-need-init,startup-clear",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        deadline = time.monotonic() + WATCHDOG
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("swtpm did not start")
            os.sched_yield()

    def answers(self):
        """Whether it gives eight random bytes."""
        with socket.socket(socket.AF_UNIX) as commands, socket.socket(socket.AF_UNIX) as control:
            commands.settimeout(WATCHDOG)
            if commands.connect_ex(self.path) != 0 or control.connect_ex(self.path + ".ctrl") != 0:
                return False
            try:
                commands.sendall(bytes.fromhex("80010000000c0000017b0008"))
                return len(commands.recv(64)) >= 10
            except ConnectionError:
                return False

    def power_off(self):
        """Ends it at once; its state stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(WATCHDOG)

    def run(self, program, *arguments):
        """Runs one of tpm2-tools on this TPM."""
        done = subprocess.run(
            [program, "--tcti", self.tcti, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WATCHDOG,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(done.stdout.decode())
        return done.stdout.decode()
