"""A delivery and an empty system to install it into, for the tests in this folder."""

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

DELIVERY = os.environ["WVDS_DELIVERY"]  # the unpacked delivery
ARCH = platform.machine()
WATCHDOG = 120  # seconds; no command takes so long unless it hangs


def write_manifest(tree, version="0.0.1"):
    lines = [f"# version {version}", f"# kind {ARCH} linux glibc 2.17", "# soname libl4re_crypto_service.so.1"]
    for folder, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), tree)
            with open(os.path.join(tree, path), "rb") as file:
                if path != "MANIFEST":
                    lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path}")
    with open(os.path.join(tree, "MANIFEST"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def clean_environment():
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def facts(path, with_times):
    """What somebody could tell of a file: kind, mode, owner, content."""
    about = os.lstat(path)
    what = [oct(about.st_mode), about.st_uid, about.st_gid]
    if os.path.islink(path):
        what.append(os.readlink(path))
    elif os.path.isfile(path):
        with open(path, "rb") as file:
            what.append(hashlib.file_digest(file, "sha256").hexdigest())
    if with_times:
        what.append(about.st_mtime_ns)
    return tuple(what)


def snapshot(root, with_times=False):
    """All files below `root`, without the former versions that useradd keeps of its files (passwd-)."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            if not re.search(r"/etc/[a-z]+-$", path):
                found[os.path.relpath(path, root)] = facts(path, with_times)
    return found


@unittest.skipIf(os.geteuid() != 0, "NOT RUN: installing needs root")
class InstallTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wvds-install.")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o755)
        self.root = self.new_root("root")

    def new_root(self, name):
        root = os.path.join(self.folder, name)
        os.makedirs(os.path.join(root, "etc"))
        self.write(os.path.join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ngateway:x:1000:1000::/:/bin/sh\n")
        self.write(os.path.join(root, "etc/group"), "root:x:0:\ngateway:x:1000:\n")
        return root

    def write(self, path, text, mode="w"):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as file:
            file.write(text)

    def read(self, *parts):
        with open(os.path.join(*parts), encoding="utf-8") as file:
            return file.read()

    def delivery(self, name="delivery", version=None, change=None):
        """A copy of the delivery. `change` gets its folder and may alter it before the MANIFEST is made."""
        tree = os.path.join(self.folder, name)
        shutil.copytree(DELIVERY, tree)
        if change:
            change(tree)
        if version or change:
            write_manifest(tree, version or "0.0.1")
        return tree

    def command(self, *arguments, tree=DELIVERY):
        return [os.path.join(tree, "install.sh"), "--root", self.root, *arguments]

    def install(self, *arguments, tree=DELIVERY, code=0, environment=None):
        """Runs install.sh and returns what it printed."""
        done = subprocess.run(self.command(*arguments, tree=tree), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=WATCHDOG, env={**clean_environment(), **(environment or {})})  # fmt: skip
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def refuse(self, wanted, *arguments, code=1, **more):
        """install.sh must say `wanted` and change nothing."""
        before = snapshot(self.root, with_times=True)
        said = self.install(*arguments, code=code, **more)
        self.assertRegex(said.splitlines()[-1], "^error: ")
        self.assertIn(wanted, said)
        self.assertEqual(before, snapshot(self.root, with_times=True))

    def current(self):
        return os.path.join(self.root, "usr/local/lib/wvds/current")

    def assert_whole(self, version):
        """The version in force is complete, and its program runs."""
        folder = self.current()
        manifest = self.read(folder, "MANIFEST")
        self.assertIn(f"# version {version}\n", manifest)
        for digest, path in re.findall(r"^([0-9a-f]{64})  (.+)$", manifest, re.M):
            here = rf"(bin/{ARCH}|lib/{ARCH}|include|scripts)/|certs/TEST-ONLY.sha256$|[^/]+$"
            if re.match(here, path) and not path.endswith("/fipsmodule.cnf"):
                with open(os.path.join(folder, path), "rb") as file:
                    self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest, path)
        self.assertIn("module-mac", self.read(folder, f"lib/{ARCH}/fipsmodule.cnf"))
        program = os.path.join(folder, f"bin/{ARCH}/wvds_crypto_service")
        subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL, timeout=WATCHDOG)

    # Before each command of install.sh that changes something, a trap may end it; it is bash itself that runs the trap, from a
    # file that BASH_ENV names.
    ACTION = '"${@:2}"'
    CHANGES = r"^(mkdir|mv|rm|ln|install|sync|chmod|account|sed)\ |^\"\$\{@:2\}\"$|fipsinstall"

    def trap(self, action):
        path = os.path.join(self.folder, "trap")
        self.write(path, f"""set -o functrace
interrupted=0 changes='{self.CHANGES}'
before() {{ if [[ $BASHPID == $$ && $1 =~ $changes ]]; then {action}; fi; }}
trap 'before "$BASH_COMMAND"' DEBUG
""")  # fmt: skip
        return {"BASH_ENV": path}

    def points(self, *arguments, tree):
        """The changing commands of a whole run, in order, as (number, text); the last of a row of equal ones."""
        log = os.path.join(self.folder, "points")
        self.install(*arguments, tree=tree, environment=self.trap(f"printf '%s\\n' \"${{1%%$'\\n'*}}\" >>{log}"))
        lines = self.read(log).splitlines()
        found = []
        for number, (text, after) in enumerate(zip(lines, lines[1:] + [self.ACTION]), 1):
            # an action that is a function begins with what its first command finds
            if text == after == self.ACTION or text not in (self.ACTION, after):
                found.append((number, text))
        os.remove(log)
        return found

    def interrupt(self, number, *arguments, tree):
        """Ends install.sh by SIGKILL before its change `number`."""
        environment = {**clean_environment(), **self.trap(f"if ((++interrupted == {number})); then kill -KILL $$; fi")}
        done = subprocess.run(self.command(*arguments, tree=tree), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=WATCHDOG, env=environment)  # fmt: skip
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stdout)
