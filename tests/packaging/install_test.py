#!/usr/bin/env python3
"""install.sh in an empty system: what it installs, keeps, refuses and removes."""

import base64
import os
import re
import shutil
import subprocess
import unittest

from bed import ARCH, DELIVERY, WATCHDOG, InstallTest, clean_environment, snapshot

OPENSSL = os.path.join(DELIVERY, f"bin/{ARCH}/openssl")


class Install(InstallTest):
    def name_of(self, file, wanted):
        named = re.findall(r"^([a-z-]+):[^:]*:(\d+)", self.read(self.root, "etc", file), re.M)
        return next(name for name, number in named if int(number) == wanted)

    def mode_and_owner(self, path):
        about = os.stat(os.path.join(self.root, path))
        return oct(about.st_mode & 0o7777)[2:], self.name_of("passwd", about.st_uid), self.name_of("group", about.st_gid)

    def test_a_first_installation(self):
        said = self.install("--client", "gateway")
        self.assert_whole(self.installed_version())
        passed = re.findall(r"^  \d+ .* : Pass$", said, re.M)
        self.assertGreater(len(passed), 30, said)
        for path, wanted in {
            "etc/wvds": ("755", "root", "root"),
            "etc/wvds/config.json": ("640", "root", "wvds"),
            "etc/wvds/keys": ("700", "wvds", "wvds"),
            "etc/wvds/est": ("700", "wvds-est", "wvds"),
            "var/lib/wvds": ("700", "wvds", "wvds"),
            "var/lib/wvds-est": ("700", "wvds-est", "wvds"),
            f"usr/local/lib/wvds/current/bin/{ARCH}/wvds_crypto_service": ("755", "root", "root"),
            f"usr/local/lib/wvds/current/lib/{ARCH}/fips.so": ("644", "root", "root"),
            f"usr/local/lib/wvds/current/lib/{ARCH}/fipsmodule.cnf": ("644", "root", "root"),
        }.items():
            self.assertEqual(self.mode_and_owner(path), wanted, path)
        for path in ("bin/wvds", "include/wvds_crypto.h", "lib/libl4re_crypto_service.so", "lib/libl4re_crypto_service.so.1"):
            self.assertTrue(os.path.isfile(os.path.join(self.root, "usr/local", path)), path)
        config = self.read(self.root, "etc/wvds/config.json")
        self.assertIn('"user": "gateway"', config)
        self.assertIn(f'"modules_dir": "/usr/local/lib/wvds/current/lib/{ARCH}"', config)
        self.assertRegex(self.read(self.root, "etc/group"), r"(?m)^wvds:.*:gateway$")

    def installed_version(self):
        return os.path.basename(os.readlink(self.current())).rsplit("-", 1)[0]

    def test_no_test_key_is_installed(self):
        self.install()
        found = [name for _, _, files in os.walk(self.root) for name in files if "key" in name.lower()]
        self.assertEqual(found, [])

    def test_fipsmodule_cnf_is_made_on_this_machine(self):
        def other_machine(tree):
            self.write(os.path.join(tree, f"lib/{ARCH}/fipsmodule.cnf"), "[fips_sect]\nmodule-mac = 00\n")

        self.install(tree=self.delivery(change=other_machine))
        module = os.path.join(self.current(), f"lib/{ARCH}/fips.so")
        made = os.path.join(self.current(), f"lib/{ARCH}/fipsmodule.cnf")
        verify = [OPENSSL, "fipsinstall", "-verify", "-module", module, "-in", made]
        subprocess.run(verify, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WATCHDOG)

    def test_a_failed_self_test_leaves_the_former_version(self):
        def broken(tree):
            self.write(os.path.join(tree, f"bin/{ARCH}/openssl"), "#!/bin/sh\necho 'SHA2 : (KAT_Digest) : Fail'\nexit 1\n")

        self.install(tree=self.delivery("1", version="1.0"))
        said = self.install(tree=self.delivery("2", version="2.0", change=broken), code=1)
        self.assertIn("SHA2 : (KAT_Digest) : Fail", said)
        self.assertIn("does not pass its self-test", said)
        self.assert_whole("1.0")

    def test_repeated_it_changes_nothing(self):
        self.install()
        before = snapshot(self.root, with_times=True)
        self.install()
        self.assertEqual(before, snapshot(self.root, with_times=True))

    def test_a_dry_run_changes_nothing(self):
        runs = ((), ("--uninstall", "--purge-keys"))
        for prepare in (lambda: None, lambda: self.install(tree=self.delivery(version="1.0"))):
            prepare()
            before = snapshot(self.root, with_times=True)
            for arguments in runs:
                said = self.install("--dry-run", *arguments)
                self.assertEqual(before, snapshot(self.root, with_times=True))
        self.assertIn("would remove /", said)

    def test_a_dry_run_says_what_is_done_then(self):
        announced = re.findall(r"^would (.*)$", self.install("--dry-run"), re.M)
        self.assertGreater(len(announced), 15)
        done = self.install().splitlines()
        self.assertEqual([line for line in announced if line not in done], [])

    def test_a_changed_mode_is_given_back(self):
        self.install()
        keys = os.path.join(self.root, "etc/wvds/keys")
        os.chmod(keys, 0o777)
        self.install()
        self.assertEqual(self.mode_and_owner("etc/wvds/keys")[0], "700")

    def test_a_damaged_installation_is_mended(self):
        self.install()
        self.write(os.path.join(self.current(), f"lib/{ARCH}/libcrypto.so.3"), "not a library")
        self.install()
        self.assert_whole(self.installed_version().removesuffix(".mended"))

    def test_a_copy_that_went_wrong_is_not_put_in_force(self):
        self.install(tree=self.delivery("1", version="1.0"))
        path = os.path.join(self.folder, "other")
        self.write(os.path.join(path, "install"), '#!/bin/sh\n/usr/bin/install "$@"\ncase $* in *libssl*) echo >>"$5" ;; esac\n')
        os.chmod(os.path.join(path, "install"), 0o755)
        said = self.install(tree=self.delivery("2", version="2.0"), code=1, environment={"PATH": f"{path}:/usr/bin:/bin"})
        self.assertIn("is not what was delivered", said)
        self.assert_whole("1.0")

    def test_a_damaged_fipsmodule_cnf_is_made_anew(self):
        self.install()
        path = f"lib/{ARCH}/fipsmodule.cnf"
        right = self.read(self.current(), path)
        self.write(os.path.join(self.current(), path), right.replace("module-mac = ", "module-mac = 00:"))
        self.install()
        self.assertEqual(self.read(self.current(), path), right)

    def put_key(self):
        path = os.path.join(self.root, "etc/wvds/keys/store.key")
        self.write(path, b"k" * 32, "wb")
        return path

    def test_an_upgrade(self):
        print("NOTE: upgraded from a delivery with another version only; there is no release before this one")
        self.install(tree=self.delivery("1", version="1.0"))
        key = self.put_key()
        config = self.read(self.root, "etc/wvds/config.json") + "// mine\n"
        self.write(os.path.join(self.root, "etc/wvds/config.json"), config)
        self.install(tree=self.delivery("2", version="2.0"))
        self.assert_whole("2.0")
        self.assertEqual(self.read(self.root, "etc/wvds/config.json"), config)
        self.assertEqual(self.read(key), "k" * 32)
        self.assertFalse(os.path.exists(os.path.join(self.root, "etc/wvds/config.json.new")))
        versions = sorted(name[:3] for name in os.listdir(os.path.dirname(self.current())) if name != "current")
        self.assertEqual(versions, ["1.0", "2.0"])
        self.install(tree=self.delivery("3", version="3.0"))
        versions = sorted(name[:3] for name in os.listdir(os.path.dirname(self.current())) if name != "current")
        self.assertEqual(versions, ["2.0", "3.0"])

    def test_the_former_version_installs_itself_again(self):
        self.install(tree=self.delivery("1", version="1.0"))
        former = os.path.realpath(self.current())
        self.install(tree=self.delivery("2", version="2.0"))
        self.install(tree=former)
        self.assert_whole("1.0")

    def test_a_new_example_comes_beside_config_json(self):
        def other_example(tree):
            self.write(os.path.join(tree, "config.json"), "// new in this version\n", "a")

        self.install(tree=self.delivery("1", version="1.0"))
        before = self.read(self.root, "etc/wvds/config.json")
        said = self.install(tree=self.delivery("2", version="2.0", change=other_example))
        self.assertEqual(self.read(self.root, "etc/wvds/config.json"), before)
        self.assertEqual(self.read(self.root, "etc/wvds/config.json.new"), before + "// new in this version\n")
        self.assertIn(f"write {self.root}/etc/wvds/config.json.new", said)

    def test_a_config_that_is_there_is_kept(self):
        self.write(os.path.join(self.root, "etc/wvds/config.json"), "{} // mine\n")
        said = self.install()
        self.assertEqual(self.read(self.root, "etc/wvds/config.json"), "{} // mine\n")
        self.assertIn("keep " + self.root + "/etc/wvds/config.json", said)

    def test_est_is_enabled_by_its_section(self):
        wants = os.path.join(self.root, "etc/systemd/system/multi-user.target.wants/wvds-est.service")
        self.assertIn("skipped: wvds-est.service", self.install())
        self.assertFalse(os.path.lexists(wants))
        path = os.path.join(self.root, "etc/wvds/config.json")
        self.write(path, re.sub(r"(?m)^.*(begin|end) of est.*\n", "", self.read(path)))
        self.install()
        self.assertTrue(os.path.exists(wants))

    def test_removal_leaves_keys_and_config(self):
        before = snapshot(self.root)
        self.install()
        key = self.put_key()
        said = self.install("--uninstall")
        self.assertIn("kept: the keys", said)
        self.assertEqual(self.read(key), "k" * 32)
        left = [path for path in snapshot(self.root) if not os.path.isdir(os.path.join(self.root, path)) and path not in before]
        self.assertEqual(sorted(left), ["etc/wvds/config.json", "etc/wvds/keys/store.key"])
        self.install("--uninstall")  # again, when there is nothing
        self.install()
        self.assertEqual(self.read(key), "k" * 32)

    def test_removal_of_the_keys_too(self):
        before = {path: what for path, what in snapshot(self.root).items() if not path.startswith("usr")}
        self.install("--user", "vault")
        self.put_key()
        self.install("--uninstall", "--purge-keys")
        left = snapshot(self.root).items()
        self.assertEqual({path: what for path, what in left if not os.path.isdir(os.path.join(self.root, path)) or path == "etc"}, before)

    def test_another_prefix_and_user_are_remembered(self):
        self.install("--prefix", "/opt/crypto", "--user", "vault")
        unit = self.read(self.root, "etc/systemd/system/wvds-crypto.service")
        self.assertIn("\nUser=vault\n", unit)
        self.assertIn("\nExecStart=/opt/crypto/lib/wvds/current/bin/", unit)
        self.assertIn('"user": "vault-est"', self.read(self.root, "etc/wvds/config.json"))
        self.assertIn("/opt/crypto/lib/wvds/current/lib/", self.read(self.root, "etc/wvds/config.json"))
        before = snapshot(self.root, with_times=True)
        self.install()
        self.assertEqual(before, snapshot(self.root, with_times=True))
        self.refuse("runs as vault", "--user", "other")
        self.refuse("installed under /opt/crypto", "--prefix", "/usr/local")
        self.install("--uninstall")
        self.assertFalse(os.path.exists(os.path.join(self.root, "opt/crypto/lib/wvds")))

    def test_a_file_of_somebody_else_is_not_replaced(self):
        self.write(os.path.join(self.root, "usr/local/include/wvds_crypto.h"), "mine")
        self.refuse("is in the way")

    def test_a_damaged_delivery_is_refused(self):
        for path in (f"bin/{ARCH}/wvds_crypto_service", f"lib/{ARCH}/fips.so", "include/wvds_crypto.h", "config.json", "install.sh"):
            with self.subTest(path=path):
                tree = self.delivery(path.replace("/", "-"))
                self.write(os.path.join(tree, path), "\n", "a")
                self.refuse(f"the delivery is damaged ({path}: FAILED)", tree=tree)
        tree = self.delivery("missing")
        os.remove(os.path.join(tree, f"lib/{ARCH}/libssl.so.3"))
        self.refuse("the delivery is damaged", tree=tree)

    def test_a_manifest_that_leaves_its_folder_is_refused(self):
        tree = self.delivery()
        self.write(os.path.join(tree, "MANIFEST"), f"{'0' * 64}  bin/{ARCH}/../../../../../etc/passwd\n", "a")
        self.refuse("a line that does not belong there", tree=tree)
        os.remove(os.path.join(tree, "MANIFEST"))
        self.refuse("MANIFEST is missing", tree=tree)

    def test_a_machine_that_does_not_fit_is_refused(self):
        def kind(text):
            tree = self.delivery(text.split()[0] + text[-1], version="1.0")
            manifest = self.read(tree, "MANIFEST")
            self.write(os.path.join(tree, "MANIFEST"), re.sub(rf"# kind {ARCH} .*", f"# kind {ARCH} {text}", manifest))
            return tree

        self.refuse("need 99.1 or newer", tree=kind("linux glibc 99.1"))
        self.refuse("are L4Re tasks", tree=kind("l4re"))
        other = os.path.join(self.folder, "other")
        for program, says, wanted in (("uname", "echo riscv64", "(riscv64)"), ("getconf", "exit 1", "no GNU C library")):
            self.write(os.path.join(other, program), f"#!/bin/sh\n{says}\n")
            os.chmod(os.path.join(other, program), 0o755)
            self.refuse(wanted, environment={"PATH": f"{other}:/usr/bin:/bin"})
            os.remove(os.path.join(other, program))

    def test_only_root_installs(self):
        command = ["setpriv", "--reuid", "65534", "--clear-groups", *self.command()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WATCHDOG, env=clean_environment())
        self.assertEqual((done.returncode, "only root can" in done.stderr), (1, True), done.stderr)

    def test_wrong_command_lines(self):
        prefixes = [["--prefix", prefix] for prefix in ("relative", "/a/../b", "/tmp/here")]
        for arguments in (["--what"], ["--prefix"], ["--purge-keys"], *prefixes, ["--user", "Root of all"], ["--root", self.folder]):
            with self.subTest(arguments=arguments):
                self.refuse("install.sh --help", *arguments, code=2)
        self.refuse("there is no user nobody-here", "--client", "nobody-here")
        self.assertIn("--dry-run", self.install("--help"))

    def test_two_at_once_are_refused(self):
        self.install()
        lock = ["flock", os.path.join(self.root, "etc"), *self.command("--uninstall")]
        done = subprocess.run(lock, capture_output=True, text=True, timeout=WATCHDOG, env=clean_environment())
        self.assertEqual((done.returncode, "another install.sh" in done.stderr), (1, True), done.stderr)


class TestCertificates(InstallTest):
    """Whoever has the delivery has their keys."""

    def setUp(self):
        super().setUp()
        self.identity = os.path.join(self.root, "etc/identity.pem")
        self.config = os.path.join(self.root, "etc/wvds/config.json")
        self.write(self.config, '{ "est": { "credential": { "certificate_file": "/etc/identity.pem" } } }\n')
        self.certs = os.path.join(DELIVERY, "certs")

    def openssl(self, *arguments):
        done = subprocess.run([OPENSSL, *arguments], check=True, capture_output=True, timeout=WATCHDOG, env={"OPENSSL_CONF": "/dev/null"})
        return done.stdout

    def own(self):
        return self.openssl("req", "-x509", "-newkey", "ML-DSA-65", "-noenc", "-subj", "/CN=mine", "-keyout", "/dev/null")

    def test_each_is_refused(self):
        for name in sorted(os.listdir(self.certs)):
            if name.endswith((".pem", ".der")):
                with self.subTest(name=name):
                    shutil.copy(os.path.join(self.certs, name), self.identity)
                    self.refuse("names /etc/identity.pem, a test certificate or key")

    def test_one_in_a_bundle_is_refused(self):
        with open(os.path.join(self.certs, "root_ca.pem"), "rb") as file:
            self.write(self.identity, self.own() + file.read().replace(b"\n", b"\r\n"), "wb")
        self.refuse("a test certificate or key")

    def test_a_certificate_issued_under_their_root_is_refused(self):
        csr = os.path.join(self.folder, "csr")
        self.openssl("req", "-new", "-newkey", "ML-DSA-65", "-noenc", "-subj", "/CN=new", "-keyout", "/dev/null", "-out", csr)
        self.openssl("x509", "-req", "-in", csr, "-CA", f"{self.certs}/root_ca.pem", "-CAkey", f"{self.certs}/root_ca_key.TEST-ONLY.pem",
                     "-out", self.identity)  # fmt: skip
        self.refuse("a test certificate or key")

    def test_their_keys_in_another_form_are_refused(self):
        key = f"{self.certs}/client_key.TEST-ONLY.pem"
        self.openssl("pkey", "-in", key, "-outform", "DER", "-out", self.identity, "-provparam", "ml-dsa.output_formats=priv-only")
        self.refuse("a test certificate or key")
        self.openssl("req", "-x509", "-key", key, "-subj", "/CN=mine", "-out", self.identity)
        self.refuse("a test certificate or key")

    def test_the_fingerprint_of_one_is_refused(self):
        digest = self.openssl("x509", "-in", f"{self.certs}/root_ca.pem", "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1]
        for text in (digest, digest.replace(":", "").lower()):
            self.write(self.config, f'{{ "est": {{ "trust": {{ "fingerprints": [ "{text}" ] }} }} }}\n')
            self.refuse("the fingerprint of a test certificate")

    def test_ones_own_is_taken(self):
        self.write(self.identity, self.own(), "wb")
        self.install()
        shutil.rmtree(os.path.dirname(self.current()))
        self.write(self.identity, base64.b64decode(b"".join(self.own().splitlines()[1:-1])), "wb")
        self.install()


if __name__ == "__main__":
    unittest.main()
