"""wvds doctor: each test breaks one thing and looks for the finding and its cure."""

import json
import os
import resource
import shutil
import subprocess
import time
import unittest

from programs import BINARIES, OPENSSL, OPERATIONS, SERVICE, TOOL, WATCHDOG, ProgramTest, Service

STRANGER = 12345  # a user number that nobody has
LEVELS = ("ok", "warning", "problem", "not checked")


def as_stranger():
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)


class DoctorTest(ProgramTest):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.server = Service(self.path("service"))
        self.addCleanup(self.server.stop)

    def edit(self, change):
        """Changes the configuration."""
        with open(self.server.config, encoding="utf-8") as file:
            config = json.load(file)
        change(config)
        with open(self.server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def doctor(self, *arguments, exit_status=0, **settings):
        """The findings, (level, check, text with cure) each."""
        command = [TOOL, "doctor", "--config", self.server.config, *arguments]
        done = self.run_program(command, exit_status, **settings)
        findings = []
        for line in done.stdout.decode().splitlines():
            level = next(level for level in LEVELS if line.startswith(level + " "))
            findings.append((level, line[12:26].strip(), line[26:]))
        problems = sum(level == "problem" for level, _, _ in findings)
        self.assertEqual(problems > 0, exit_status == 1, findings)
        self.assertEqual(done.stderr.decode().count("\n"), int(exit_status == 1), done.stderr)
        return findings

    def assert_finds(self, findings, level, check, *words):
        """There is one such finding, with these words and, unless all is well, what helps."""
        found = [text for a_level, a_check, text in findings if (a_level, a_check) == (level, check)]
        self.assertEqual(len(found), 1, findings)
        for word in words:
            self.assertIn(word, found[0])
        if level in ("warning", "problem"):
            self.assertIn(" Cure: ", found[0])

    def assert_only_problem(self, findings, check, *words):
        self.assert_finds(findings, "problem", check, *words)
        self.assertEqual(sum(level == "problem" for level, _, _ in findings), 1, findings)

    def can_be_stranger(self):
        """Whether programs can run as another user here; the environment that they need is in self.strange."""
        if os.getuid() != 0:
            print("NOT RUN: only root can be another user")
            return False
        libraries = self.path("lib")
        os.mkdir(libraries)  # the ones in use may be in somebody's home folder
        shutil.copy(os.path.join(OPENSSL, "lib/libcrypto.so.3"), libraries)
        self.strange = {"env": dict(os.environ, LD_LIBRARY_PATH=libraries), "preexec_fn": as_stranger}
        if subprocess.run([TOOL, "--version"], stdout=subprocess.DEVNULL, check=False, **self.strange).returncode == 0:
            return True
        print("NOT RUN: another user can't reach the programs")
        return False

    def give_modules(self):
        """Puts the FIPS module where every user can read it."""
        for name in ("lib/ossl-modules/fips.so", "ssl/fipsmodule.cnf"):
            shutil.copy(os.path.join(OPENSSL, name), self.folder)
        self.edit(
            lambda config: config["fips"].update(modules_dir=self.folder, config=self.path("fipsmodule.cnf"))
        )  # fmt: skip


class Healthy(DoctorTest):
    def test_service_has_no_problem(self):
        self.server.start()
        findings = self.doctor()
        self.assertEqual({level for level, _, _ in findings} - {"ok", "not checked"}, set(), findings)
        for check in ("config", "socket", "client", "store", "key file", "disk", "fips module", "version", "fips", "memory",
                      "config age", "key use", "clock"):  # fmt: skip
            self.assert_finds(findings, "ok", check)

    def test_service_in_json(self):
        self.server.start()
        done = self.run_program([TOOL, "doctor", "--config", self.server.config, "--json"])
        result = json.loads(done.stdout)
        self.assertEqual(result["problems"], 0)
        self.assertIn("store", [finding["check"] for finding in result["findings"]])

    def test_installation_without_a_running_service_is_examined_all_the_same(self):
        findings = self.doctor(exit_status=1)
        self.assert_only_problem(findings, "socket", "does not run", "start it")
        self.assert_finds(findings, "ok", "config")
        self.assert_finds(findings, "ok", "store", "not there yet")
        self.assert_finds(findings, "ok", "fips module", "self-tests pass")
        self.assert_finds(findings, "not checked", "service")


class Configuration(DoctorTest):
    def test_that_is_missing(self):
        os.unlink(self.server.config)
        findings = self.doctor("--socket", self.server.socket, exit_status=1)
        self.assert_finds(findings, "problem", "config", self.server.config, "is not there", "--config")
        self.assert_finds(findings, "not checked", "store", "configuration")

    def test_that_is_wrong_is_told_in_the_loaders_words(self):
        self.edit(lambda config: config["clients"][0]["operations"].append("aes-encript"))
        findings = self.doctor(exit_status=1)
        self.assert_finds(findings, "problem", "config", "clients[0].operations", 'did you mean "aes-encrypt"?')

    def test_that_everybody_may_write(self):
        os.chmod(self.server.config, 0o666)
        self.assert_finds(self.doctor(exit_status=1), "problem", "config", "chmod o-w")

    def test_that_this_user_may_not_read_is_not_checked(self):
        if not self.can_be_stranger():
            return
        os.chmod(self.server.config, 0o600)
        self.server.start()
        findings = self.doctor("--socket", self.server.socket, exit_status=1, **self.strange)
        self.assert_finds(findings, "not checked", "config", "run as root")

    def test_that_the_services_user_may_not_read(self):
        if not self.can_be_stranger():
            return
        os.chmod(self.server.config, 0o640)
        findings = self.doctor("--user", str(STRANGER), exit_status=1)
        self.assert_finds([f for f in findings if f[0] == "problem" and f[1] == "config"], "problem", "config",
                          str(STRANGER), "chmod 640")  # fmt: skip

    def test_that_was_changed_after_the_start(self):
        self.server.start()
        later = time.time() + 3600
        os.utime(self.server.config, (later, later))
        self.assert_finds(self.doctor(), "warning", "config age", self.server.config, "SIGHUP")


class Store(DoctorTest):
    def setUp(self):
        super().setUp()
        self.server.start()
        self.store = os.path.join(self.server.folder, "store")
        self.key_file = os.path.join(self.server.folder, "key")

    def test_that_others_can_write(self):
        os.chmod(self.store, 0o770)
        self.assert_only_problem(self.doctor(exit_status=1), "store", "its group", "chmod 700 " + self.store)

    def test_of_another_user(self):
        if os.getuid() != 0:
            print("NOT RUN: only root can give a folder away")
            return
        os.chown(self.store, STRANGER, 0)
        self.assert_only_problem(self.doctor(exit_status=1), "store", f"user {STRANGER}", "chown 0")

    def test_without_a_folder_to_make_it_in(self):
        self.server.stop()
        self.edit(lambda config: config["store"].update(path=self.path("no/such/folder")))
        self.assert_finds(self.doctor(exit_status=1), "problem", "store", "install -d", self.path("no/such/folder"))

    def test_that_lost_its_headers(self):
        self.run_program([TOOL, "--socket", self.server.socket, "key", "generate", "AES-256-GCM"])
        for name in ("header-a", "header-b"):
            os.unlink(os.path.join(self.store, name))
        self.assert_only_problem(self.doctor(exit_status=1), "store", "header-a", "backup")

    def test_key_file_that_others_can_read(self):
        os.chmod(self.key_file, 0o644)
        self.assert_only_problem(self.doctor(exit_status=1), "key file", "everybody", "chmod 600 " + self.key_file)

    def test_key_file_that_is_missing(self):
        os.unlink(self.key_file)
        self.assert_only_problem(self.doctor(exit_status=1), "key file", self.key_file, "put it back")

    def test_key_file_that_was_cut(self):
        os.truncate(self.key_file, 31)
        self.assert_only_problem(self.doctor(exit_status=1), "key file", "31 bytes", "backup")

    def test_key_file_that_is_a_link(self):
        os.rename(self.key_file, self.key_file + ".real")
        os.symlink(self.key_file + ".real", self.key_file)
        self.assert_only_problem(self.doctor(exit_status=1), "key file", "symbolic link", "name the file itself")

    def test_folder_of_the_key_file_that_others_can_write(self):
        os.chmod(self.server.folder, 0o777)
        self.assert_only_problem(self.doctor(exit_status=1), "key file", "everybody can write this folder")

    def test_passphrase_file_that_is_missing(self):
        self.server.stop()
        self.edit(lambda config: config["store"].update(file={"passphrase_file": self.path("words")}))
        self.assert_finds(self.doctor(exit_status=1), "problem", "passphrase", "words is not there", "mode 600")

    def test_that_only_root_can_see_is_not_checked(self):
        if not self.can_be_stranger():
            return
        self.give_modules()
        findings = self.doctor(exit_status=1, **self.strange)
        self.assert_finds(findings, "not checked", "store", "run as root")
        self.assert_finds(findings, "not checked", "key file", "run as root")
        self.assert_only_problem(findings, "client", str(STRANGER))

    def test_on_a_disk_that_is_nearly_full(self):
        mounted = self.path("disk")
        os.mkdir(mounted, 0o700)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", mounted], check=False).returncode != 0:
            print("NOT RUN: no small disk can be mounted here")
            return
        self.addCleanup(subprocess.run, ["umount", "-l", mounted], check=True)
        self.server.stop()
        self.edit(lambda config: config["store"].update(path=os.path.join(mounted, "store")))
        self.assert_finds(self.doctor(exit_status=1), "problem", "disk", mounted, "KB free", "free space")


class Reaching(DoctorTest):
    def test_a_socket_that_nobody_listens_on(self):
        self.server.start()
        self.server.kill()
        self.assert_only_problem(self.doctor(exit_status=1), "socket", "nobody listens", "start it")

    def test_a_socket_whose_folder_is_missing(self):
        self.edit(lambda config: config["socket"].update(path=self.path("missing/s")))
        self.assert_only_problem(self.doctor(exit_status=1), "socket", self.path("missing"), "install -d")

    def test_a_socket_that_is_not_for_this_user(self):
        if not self.can_be_stranger():
            return
        self.give_modules()
        self.edit(lambda config: config["socket"].update(mode="0600"))
        self.server.start()
        findings = self.doctor(exit_status=1, **self.strange)
        self.assert_only_problem(findings, "socket", str(STRANGER), "socket's group")

    def test_a_file_that_is_no_socket(self):
        self.edit(lambda config: config["socket"].update(path=self.write("file", b"")))
        self.assert_finds(self.doctor(exit_status=1), "problem", "socket", self.path("file"), "nobody listens")

    def test_a_service_that_does_not_know_this_user(self):
        self.edit(lambda config: config["clients"][0].update(uid=STRANGER))
        self.server.start()
        findings = self.doctor(exit_status=1)
        self.assert_only_problem(findings, "client", f"user {os.getuid()}", "clients in the configuration")
        self.assert_finds(findings, "not checked", "service", "see socket and client")

    def test_a_service_without_room_for_a_session(self):
        self.edit(lambda config: config["clients"][0].update(limits={"sessions": 1}))
        self.edit(lambda config: config.update(rate_limit={"requests_per_second": 0}))
        self.server.start()
        tool = [TOOL, "--socket", self.server.socket]
        holder = subprocess.Popen([*tool, "bench", "--seconds", "600", "--operation", "ping"], stdout=subprocess.PIPE)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.assertTrue(holder.stdout.readline())  # so it has its session
        self.assert_only_problem(self.doctor(exit_status=1), "client", "too many sessions", "limits.sessions")

    def test_a_service_of_another_version_than_the_tool(self):
        library = "libl4re_crypto_service.so.1"
        with open(os.path.join(BINARIES, "src/client", library), "rb") as file:
            content = file.read()
        version = self.run_program([TOOL, "--version"]).stdout.decode().split()[1].encode()
        self.assertEqual(content.count(b"\0" + version + b"\0"), 1)
        self.write(library, content.replace(b"\0" + version + b"\0", b"\0" + b"9" * len(version) + b"\0"))
        self.server.start()
        findings = self.doctor(env=dict(os.environ, LD_LIBRARY_PATH=self.folder))
        self.assert_finds(findings, "warning", "version", version.decode(), "restart the service")

    def test_a_user_that_does_not_exist(self):
        self.server.start()
        self.assert_only_problem(self.doctor("--user", "nobody-has-this-name", exit_status=1), "user", "--user")


class Fips(DoctorTest):
    def break_module(self, mode):
        self.edit(lambda config: config["fips"].update(mode=mode, modules_dir=self.folder))

    def test_module_that_is_missing_where_it_is_required(self):
        self.break_module("required")
        findings = self.doctor(exit_status=1)
        self.assert_finds(findings, "problem", "fips module", "openssl fipsinstall", "does not start")

    def test_module_that_is_missing_where_it_is_preferred(self):
        self.break_module("preferred")
        self.server.start()
        findings = self.doctor()
        self.assert_finds(findings, "warning", "fips module", "openssl fipsinstall", "default provider")
        self.assert_finds(findings, "warning", "fips", "NOT ACTIVE")
        self.assert_finds(findings, "warning", "service says", "FIPS provider is unavailable")

    def test_module_that_its_configuration_was_not_written_for(self):
        config = self.path("fipsmodule.cnf")
        with open(os.path.join(OPENSSL, "ssl/fipsmodule.cnf"), encoding="ascii") as file:
            text = file.read()
        at = text.index("module-mac = ") + len("module-mac = ")
        with open(config, "w", encoding="ascii") as file:
            file.write(text[:at] + ("00" if text[at : at + 2] != "00" else "11") + text[at + 2 :])
        self.edit(lambda settings: settings["fips"].update(config=config))
        self.assert_finds(self.doctor(exit_status=1), "problem", "fips module", config, "fipsinstall")

    def test_module_that_this_user_may_not_read_is_not_checked(self):
        if not self.can_be_stranger():
            return
        self.give_modules()
        os.chmod(self.path("fips.so"), 0o600)
        findings = self.doctor(exit_status=1, **self.strange)
        self.assert_finds(findings, "not checked", "fips module", "run as root")

    def test_off_is_no_problem(self):
        self.edit(lambda config: config.update(fips="off"))
        self.server.start()
        findings = self.doctor()
        self.assert_finds(findings, "ok", "fips module", "not asked for")
        self.assert_finds(findings, "ok", "fips", "off")


class Engines(DoctorTest):
    def use(self, module):
        engine = {"module": module, "algorithms": ["ML-DSA-65"], "properties": "provider=quick"}
        self.edit(lambda config: config.update(fips="off", engines=[engine]))

    def test_that_are_missing(self):
        self.use(self.path("quick.so"))
        self.assert_finds(self.doctor(exit_status=1), "problem", "engine", "does not start", "install the module")

    def test_that_others_can_write(self):
        self.use(self.write("quick.so", b""))
        os.chmod(self.path("quick.so"), 0o666)
        self.assert_finds(self.doctor(exit_status=1), "problem", "engine", "everybody can write it", "chmod 755")
        os.chmod(self.path("quick.so"), 0o755)
        self.assert_finds(self.doctor(exit_status=1), "ok", "engine", self.path("quick.so"))


class Token(DoctorTest):
    def use(self, module):
        hsm = {"module": module, "token": "gateway", "pin_file": self.write("pin", b"1234")}
        os.chmod(hsm["pin_file"], 0o600)
        self.edit(lambda config: config["store"].update(protector="hsm", hsm=hsm))

    def test_module_that_is_missing(self):
        self.use(self.path("token.so"))
        self.assert_finds(self.doctor(exit_status=1), "problem", "token module", "does not start", "store.hsm.module")

    def test_module_that_others_can_write(self):
        self.use(self.write("token.so", b"no module: nothing is loaded"))
        os.chmod(self.path("token.so"), 0o666)
        self.assert_finds(self.doctor(exit_status=1), "problem", "token module", "everybody can write it", "chmod 755")
        os.chmod(self.path("token.so"), 0o755)
        findings = self.doctor(exit_status=1)
        self.assert_finds(findings, "ok", "token module", self.path("token.so"))
        self.assert_finds(findings, "ok", "PIN", "for the service's user only")


class LockedMemory(DoctorTest):
    def start_as_stranger(self, limit):
        """Runs the service as a user whom the limit binds."""

        def become():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
            as_stranger()

        self.give_modules()
        self.edit(lambda config: config["clients"][0].update(uid=os.getuid()))
        for name in (".", "key", "config.json"):
            os.chown(os.path.join(self.server.folder, name), STRANGER, STRANGER)
        with open(os.path.join(self.server.folder, "log"), "wb") as log:
            self.server.process = subprocess.Popen(
                [SERVICE, "--config", self.server.config], stdout=log, stderr=log, env=self.strange["env"], preexec_fn=become
            )
        self.run_program([TOOL, "--socket", self.server.socket, "status", "--wait", str(WATCHDOG)])

    def test_limit_that_is_too_small(self):
        if not self.can_be_stranger():
            return
        self.start_as_stranger(65536)
        findings = self.doctor()
        self.assert_finds(findings, "warning", "locked memory", "64 KB", "4 MB", "LimitMEMLOCK=")
        self.assert_finds(findings, "warning", "memory", "NOT LOCKED")

    def test_limit_that_is_large_enough_and_another_user_are_well(self):
        if not self.can_be_stranger():
            return
        self.start_as_stranger(8 << 20)
        findings = self.doctor()
        for check in ("locked memory", "memory", "store", "key file"):
            self.assert_finds(findings, "ok", check)

    def test_limit_of_a_service_that_is_down_is_not_checked(self):
        self.assert_finds(self.doctor(exit_status=1), "not checked", "locked memory", "start the service")


class Keys(DoctorTest):
    def use_up(self, encryptions, operations):
        self.edit(lambda config: config.update(keys={"use_limit": 100}, rate_limit={"requests_per_second": 0}))
        self.edit(lambda config: config["clients"][0].update(operations=operations))
        self.server.start()
        tool = [TOOL, "--socket", self.server.socket]
        self.run_program([*tool, "key", "generate", "AES-256-GCM", "--label", "k", "--lifetime", "volatile"])
        for _ in range(encryptions):
            self.run_program([*tool, "encrypt", "k"], input=b"data")

    def test_near_their_limit(self):
        self.use_up(80, OPERATIONS)
        self.assert_finds(self.doctor(), "warning", "key use", "80 of 100", "key rotate")

    def test_that_are_used_up(self):
        self.use_up(100, OPERATIONS)
        self.assert_only_problem(self.doctor(exit_status=1), "key use", "100 of 100", "key rotate")

    def test_of_others_are_not_checked_without_the_right_to_metrics(self):
        self.use_up(80, [word for word in OPERATIONS if word != "metrics"])
        findings = self.doctor()
        self.assert_finds(findings, "warning", "key use", "80 of 100")
        self.assert_finds(findings, "not checked", "other keys", "metrics")

    def test_and_state_that_this_user_may_not_ask_for_are_not_checked(self):
        self.edit(lambda config: config["clients"][0].update(operations=["random"]))
        self.server.start()
        findings = self.doctor()
        self.assert_finds(findings, "not checked", "service", '"status"')
        self.assert_finds(findings, "not checked", "key use", "key-list")


if __name__ == "__main__":
    unittest.main()
