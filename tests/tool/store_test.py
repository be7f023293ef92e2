"""wvds store: what is done to a store while its service is stopped."""

import json
import os
import shutil
import subprocess
import time
import unittest

from json_test import documented, members
from programs import SERVICE, TOOL, WATCHDOG, ProgramTest, Service

PASSPHRASE = b"correct horse battery\n"
STRANGER = 12345  # a user number that nobody has


class StoreTest(ProgramTest):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.server = Service(self.path("service"))
        self.addCleanup(self.server.stop)

    def secret(self, name, content):
        path = self.write(name, content)
        os.chmod(path, 0o600)
        return path

    def edit(self, change, server=None):
        """Changes the configuration."""
        server = server or self.server
        with open(server.config, encoding="utf-8") as file:
            config = json.load(file)
        change(config)
        with open(server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def protect_by(self, settings, server=None):
        self.edit(lambda config: config["store"].update(protector="file", file=settings), server)

    def set_fips(self, mode):
        self.edit(lambda config: config["fips"].update(mode=mode))

    def store(self, *arguments, exit_status=0, server=None, **settings):
        """Standard output of a store command."""
        command = [TOOL, "store", *arguments, "--config", (server or self.server).config]
        return self.run_program(command, exit_status, **settings).stdout.decode()

    def refused(self, *arguments, exit_status=1, **settings):
        """Standard error of a store command that must fail: one line."""
        command = [TOOL, "store", *arguments, "--config", settings.pop("server", self.server).config]
        text = self.run_program(command, exit_status, **settings).stderr.decode()
        self.assertTrue(text.startswith("wvds: ") and text.count("\n") == 1, text)
        return text

    def tool(self, *arguments, exit_status=0, server=None, **settings):
        command = [TOOL, "--socket", (server or self.server).socket, *arguments]
        return self.run_program(command, exit_status, **settings).stdout

    def fill(self):
        """A store with two keys, and something encrypted; the service is stopped afterwards."""
        self.server.start()
        self.tool("key", "generate", "AES-256-GCM", "--label", "data")
        self.tool("key", "generate", "ML-DSA-44", "--label", "signer")
        self.sealed = self.tool("encrypt", "data", input=b"notes")
        self.server.stop()

    def assert_keys_are_there(self, server=None):
        server = server or self.server
        server.start()
        self.assertEqual(self.tool("decrypt", input=self.sealed, server=server), b"notes")
        self.tool("sign", "signer", input=b"notes", server=server)
        server.stop()

    def store_path(self, name="", server=None):
        return os.path.join((server or self.server).folder, "store", name)

    def content_at_rest(self):
        """What a running service does not write by itself, as it does the index, some time after its start."""
        return {name: content for name, content in self.content().items() if not name.startswith("index-")}

    def content(self, server=None):
        """Every file of the store; the audit log has a folder of its own."""
        folder = self.store_path(server=server)
        out = {}
        for name in os.listdir(folder):
            if os.path.isdir(os.path.join(folder, name)):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                out[name] = file.read()
        return out

    def damage(self, name):
        with open(self.store_path(name), "r+b") as file:
            file.seek(60)
            byte = file.read(1)[0]
            file.seek(60)
            file.write(bytes([byte ^ 1]))

    def service_refuses(self):
        """Why the service does not start."""
        done = self.run_program([SERVICE, "--config", self.server.config], 1)
        return done.stderr.decode()


class Access(StoreTest):
    COMMANDS = (
        ("verify",),
        ("migrate", "--to", "file"),
        ("passphrase", "--new-file", "new"),
        ("backup", "--out", "out", "--passphrase-file", "archive"),
    )

    def test_is_refused_while_the_service_runs(self):
        self.protect_by({"passphrase_file": self.secret("passphrase", PASSPHRASE)})
        self.fill()
        self.server.start()
        before = self.content_at_rest()
        for command in self.COMMANDS:
            self.assertIn("another service uses this folder", self.refused(*command, cwd=self.folder))
        self.assertEqual(self.content_at_rest(), before)

    def test_needs_a_store(self):
        for command in self.COMMANDS:
            self.assertIn(self.store_path().rstrip("/"), self.refused(*command))
        self.assertFalse(os.path.exists(self.store_path()))
        os.mkdir(self.store_path(), 0o700)
        self.assertIn("there is no store in", self.refused("verify"))
        self.assertEqual(os.listdir(self.store_path()), [])

    def test_names_what_is_wrong_with_the_configuration(self):
        self.edit(lambda config: config.update(stroe={}))
        self.assertIn("stroe", self.refused("verify"))

    def test_is_for_the_services_user(self):
        if os.getuid() != 0:
            self.skipTest("NOT RUN: needs root")
        self.fill()
        os.chown(self.store_path(), STRANGER, -1)
        for command in self.COMMANDS:
            self.assertIn(f"belongs to user {STRANGER}: run this as that user", self.refused(*command))


class Verify(StoreTest):
    def test_finds_a_whole_store_well_and_changes_nothing(self):
        self.fill()
        before = self.content()
        text = self.store("verify")
        self.assertRegex(text, r"(?m)^records +2, with 2 good key versions$")
        self.assertRegex(text, r"(?m)^result +all is well$")
        os.unlink(self.store_path("header-b"))
        self.store("verify", exit_status=1)
        self.assertFalse(os.path.exists(self.store_path("header-b")))
        shutil.copy(self.store_path("header-a"), self.store_path("header-b"))
        self.assertEqual(self.content(), before)

    def test_names_each_bad_file(self):
        self.fill()
        self.damage("k-00000001")
        os.unlink(self.store_path("index-b"))
        text = self.store("verify", exit_status=1)
        self.assertRegex(text, r"(?m)^k-00000001 +damaged")
        self.assertRegex(text, r"(?m)^index-b +missing$")
        self.assertRegex(text, r"(?m)^result +2 faults$")
        self.assertIn("has 2 faults", self.refused("verify"))
        found = json.loads(self.store("verify", "--json", exit_status=1))
        self.assertEqual([fault["name"] for fault in found["faults"]], ["index-b", "k-00000001"])
        self.assertEqual((found["records"], found["good_versions"], found["all_is_well"]), (2, 1, False))
        self.assertEqual(members(found), documented("store-verify"))

    def test_finds_a_damaged_key_while_the_service_goes_on_with_the_others(self):
        self.fill()
        self.damage("k-00000001")
        self.server.start()
        self.tool("decrypt", input=self.sealed, exit_status=1)
        self.tool("sign", "signer", input=b"notes")
        self.assertIn(b"k-00000001", self.tool("status"))
        self.server.stop()
        self.store("verify", exit_status=1)


class Migrate(StoreTest):
    def test_to_another_key_file(self):
        self.fill()
        text = self.store("migrate", "--to", "file", "--new-key-file", self.path("other"))
        self.assertIn(f'"key_file": "{self.path("other")}"', text)
        self.assertEqual(os.stat(self.path("other")).st_mode & 0o777, 0o600)
        self.assertIn("not the key file", self.service_refuses())
        self.protect_by({"key_file": self.path("other")})
        self.assert_keys_are_there()
        self.store("verify")

    def test_from_a_key_file_to_a_passphrase_and_back(self):
        self.fill()
        passphrase = self.secret("passphrase", PASSPHRASE)
        for _ in range(2):  # once more does no harm
            self.store("migrate", "--to", "file", "--new-passphrase-file", passphrase)
        self.protect_by({"passphrase_file": passphrase})
        self.assert_keys_are_there()
        self.store("migrate", "--to", "file", "--new-key-file", self.path("other"))
        self.protect_by({"key_file": self.path("other")})
        self.assert_keys_are_there()

    def test_of_a_passphrase_into_fips(self):
        """What Argon2id opens is refused where FIPS is required; the message names the way out."""
        self.set_fips("off")
        self.protect_by({"passphrase_file": self.secret("passphrase", PASSPHRASE)})
        self.fill()
        self.set_fips("required")
        self.assertIn("wvds store migrate --to file", self.service_refuses())
        self.assertIn("start the service again", self.store("migrate", "--to", "file"))
        self.assert_keys_are_there()

    def test_without_a_section_for_it_is_refused(self):
        self.fill()
        before = self.content()
        self.assertIn("no section store.tpm", self.refused("migrate", "--to", "tpm"))
        self.assertIn("absolute path", self.refused("migrate", "--to", "file", "--new-key-file", "k", exit_status=2))
        self.assertIn("--to file", self.refused("migrate", "--to", "tpm", "--new-key-file", "/k", exit_status=2))
        self.assertEqual(self.content(), before)


class Passphrase(StoreTest):
    def setUp(self):
        super().setUp()
        self.file = self.secret("passphrase", PASSPHRASE)
        self.protect_by({"passphrase_file": self.file})

    def test_is_changed_in_the_store_and_in_its_file(self):
        self.fill()
        new = self.secret("new", b"another battery horse\n")
        self.store("passphrase", "--new-file", new)
        self.assertEqual(self.read("passphrase"), b"another battery horse")
        self.assert_keys_are_there()
        self.store("verify")
        self.secret("passphrase", PASSPHRASE)
        self.assertIn("the passphrase is wrong", self.service_refuses())

    def test_that_is_no_good_changes_nothing(self):
        self.fill()
        before = self.content()
        self.assertIn("at least 12 characters", self.refused("passphrase", "--new-file", self.secret("new", b"short\n")))
        self.assertIn("missing", self.refused("passphrase", "--new-file", self.path("nothing")))
        open_to_all = self.write("open", b"another battery horse\n")
        os.chmod(open_to_all, 0o644)
        self.assertIn("can read", self.refused("passphrase", "--new-file", open_to_all))
        self.assertEqual(self.content(), before)
        self.assertEqual(self.read("passphrase"), PASSPHRASE)
        self.assertFalse(self.exists("passphrase.next"))

    def test_of_a_store_without_one_is_refused(self):
        self.protect_by({"key_file": os.path.join(self.server.folder, "key")})
        self.fill()
        new = self.secret("new", b"another battery horse\n")
        self.assertIn("--new-passphrase-file", self.refused("passphrase", "--new-file", new))


class Credentials(StoreTest):
    """What the service manager hands over."""

    def with_credentials(self):
        return dict(os.environ, CREDENTIALS_DIRECTORY=self.folder)

    def test_are_read_from_their_folder(self):
        self.secret("handed-over", os.urandom(32))
        self.fill()
        self.store("migrate", "--to", "file", "--new-key-file", self.path("handed-over"))
        self.protect_by({"key_credential": "handed-over"})
        self.assertIn("LoadCredential=", self.refused("verify"))
        self.store("verify", env=self.with_credentials())
        os.environ["CREDENTIALS_DIRECTORY"] = self.folder
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY", None)
        self.assert_keys_are_there()

    def test_are_never_made(self):
        self.protect_by({"key_credential": "handed-over"})
        done = self.run_program([SERVICE, "--config", self.server.config], 1, env=self.with_credentials())
        self.assertIn("handed over", done.stderr.decode())
        self.assertFalse(self.exists("handed-over"))
        self.secret("handed-over", b"too short")
        done = self.run_program([SERVICE, "--config", self.server.config], 1, env=self.with_credentials())
        self.assertIn("exactly 32 bytes", done.stderr.decode())

    def test_with_a_passphrase_are_changed_by_migration(self):
        self.secret("handed-over", PASSPHRASE)
        self.protect_by({"passphrase_credential": "handed-over"})
        new = self.secret("new", b"another battery horse\n")
        os.environ["CREDENTIALS_DIRECTORY"] = self.folder
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY", None)
        self.fill()
        self.assertIn("is a credential", self.refused("passphrase", "--new-file", new))
        self.store("migrate", "--to", "file", "--new-passphrase-file", new)
        shutil.copy(new, self.path("handed-over"))
        self.assert_keys_are_there()


class Backup(StoreTest):
    def setUp(self):
        super().setUp()
        self.passphrase = self.secret("archive-passphrase", b"a passphrase for archives\n")
        self.other = Service(self.path("other"))
        self.addCleanup(self.other.stop)

    def backup(self):
        return self.store("backup", "--out", self.path("archive"), "--passphrase-file", self.passphrase)

    def restore(self, exit_status=0, **settings):
        return self.store("restore", "--from", self.path("archive"), "--passphrase-file", self.passphrase,
                          server=self.other, exit_status=exit_status, **settings)  # fmt: skip

    def refused_restore(self, archive="archive", passphrase=None):
        text = self.refused("restore", "--from", self.path(archive), "--passphrase-file", passphrase or self.passphrase,
                            server=self.other)  # fmt: skip
        self.assertIn("nothing was restored", text)
        return text

    def test_brings_every_key_to_another_machine(self):
        self.fill()
        before = self.content()
        self.assertIn("2 records", self.backup())
        self.assertEqual(self.content(), before)
        self.assertEqual(os.stat(self.path("archive")).st_mode & 0o777, 0o600)
        text = self.restore()
        self.assertIn("Restored 2 records", text)
        self.assertIn("wvds key rotate", text)
        self.assert_keys_are_there(self.other)
        self.store("verify", server=self.other)

    def test_gives_no_number_twice_and_no_further_use_before_a_rotation(self):
        self.fill()
        self.backup()
        self.restore()
        self.other.start()
        done = self.run_program([TOOL, "--socket", self.other.socket, "encrypt", "data"], 1, input=b"notes")
        self.assertIn("rotate", done.stderr.decode())
        self.tool("key", "rotate", "data", server=self.other)
        sealed = self.tool("encrypt", "data", input=b"more notes", server=self.other)
        self.assertEqual(self.tool("decrypt", input=sealed, server=self.other), b"more notes")
        self.assertEqual(self.tool("decrypt", input=self.sealed, server=self.other), b"notes")
        number = int(self.tool("key", "generate", "AES-256-GCM", server=self.other))
        self.assertGreaterEqual(number, 65536)

    def test_begins_an_audit_log_of_its_own(self):
        self.fill()
        self.backup()
        self.restore()
        self.other.start()
        self.assertNotIn(b"audit log", b"\n".join(
            line for line in self.tool("status", server=self.other).splitlines() if b"changed" in line))  # fmt: skip
        self.assertFalse([name for name in os.listdir(os.path.join(self.store_path(server=self.other), "audit"))
                          if "damaged" in name])  # fmt: skip

    def test_goes_on_by_itself_with_automatic_rotation(self):
        self.fill()
        self.backup()
        self.edit(lambda config: config.update(keys={"rotate_at_percent": 90}), self.other)
        self.restore()
        self.other.start()
        deadline = time.monotonic() + WATCHDOG
        while time.monotonic() < deadline:
            done = subprocess.run([TOOL, "--socket", self.other.socket, "encrypt", "data"], input=b"notes", timeout=WATCHDOG,
                                  capture_output=True, check=False)  # fmt: skip
            if done.returncode == 0:
                break
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_is_refused_with_another_passphrase_or_when_it_was_changed(self):
        self.fill()
        self.backup()
        wrong = self.secret("wrong", b"not the passphrase at all\n")
        self.assertIn("the passphrase is wrong", self.refused_restore(passphrase=wrong))
        archive = self.read("archive")
        self.write("cut", archive[:-1])
        self.assertIn("damaged", self.refused_restore("cut"))
        self.write("changed", archive[:100] + bytes([archive[100] ^ 1]) + archive[101:])
        self.assertIn("damaged", self.refused_restore("changed"))
        shutil.copy(self.store_path("k-00000001"), self.path("record"))
        self.assertIn("a key record", self.refused_restore("record"))
        self.assertEqual(os.listdir(self.store_path(server=self.other)), [])

    def test_is_not_restored_over_a_store(self):
        self.fill()
        self.backup()
        self.other.start()
        self.tool("key", "generate", "AES-256-GCM", server=self.other)
        self.assertIn("another service uses", self.refused("restore", "--from", self.path("archive"), "--passphrase-file",
                                                           self.passphrase, server=self.other))  # fmt: skip
        self.other.stop()
        before = self.content(self.other)
        self.assertIn("already", self.refused_restore())
        self.assertEqual(self.content(self.other), before)

    def test_does_not_overwrite_an_archive_unasked(self):
        self.fill()
        self.backup()
        before = self.read("archive")
        self.assertIn("archive", self.refused("backup", "--out", self.path("archive"), "--passphrase-file", self.passphrase))
        self.assertEqual(self.read("archive"), before)
        self.store("backup", "--out", self.path("archive"), "--passphrase-file", self.passphrase, "--force")
        self.assertNotEqual(self.read("archive"), before)

    def test_names_what_is_damaged_and_keeps_it(self):
        self.fill()
        self.damage("k-00000002")
        command = [TOOL, "store", "backup", "--out", self.path("archive"), "--passphrase-file", self.passphrase,
                   "--config", self.server.config]  # fmt: skip
        self.assertIn("k-00000002", self.run_program(command).stderr.decode())
        command = [TOOL, "store", "restore", "--from", self.path("archive"), "--passphrase-file", self.passphrase,
                   "--config", self.other.config]  # fmt: skip
        self.assertIn("k-00000002", self.run_program(command).stderr.decode())
        self.other.start()
        self.assertEqual(self.tool("decrypt", input=self.sealed, server=self.other), b"notes")


class ReadOnlyDisk(StoreTest):
    def test_leaves_every_key_usable_that_needs_no_writing(self):
        """The service in a mount namespace where the store's folder can't be written."""
        enter = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
        remount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/probe" 2>/dev/null && exec "$@"'
        self.fill()
        mounted = enter + ["sh", "-c", remount, self.store_path().rstrip("/")]
        if subprocess.run(mounted + ["true"], stderr=subprocess.DEVNULL, timeout=WATCHDOG, check=False).returncode != 0:
            self.skipTest("NOT RUN: no mount namespace to be had")
        before = self.content()
        if os.getuid() != 0:
            self.edit(lambda config: config["clients"][0].update(uid=0))  # what this user is in there
        self.server.prefix = mounted
        self.server.start()
        self.assertEqual(self.tool("decrypt", input=self.sealed), b"notes")
        self.tool("sign", "signer", input=b"notes")
        self.tool("key", "generate", "AES-256-GCM", exit_status=1)
        self.tool("key", "delete", "data", exit_status=1)
        self.assertIn(b"can't be reserved", self.tool("status"))
        self.assertEqual(self.tool("decrypt", input=self.sealed), b"notes")
        self.server.stop()
        self.assertEqual(self.content(), before)
        self.assertIn("Read-only file system", self.server.log())


if __name__ == "__main__":
    unittest.main()
