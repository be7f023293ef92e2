#!/usr/bin/env python3
"""The OEM delivery, packed from what is built: the same bytes each time, just the files that packaging/tree.txt lists,
programs that run from the unpacked folder, and lists that are right.

Wants both builds to be there (./dist makes them). Does not compile anything.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import make_delivery  # noqa: E402  (found by the line above)

ARCHITECTURES = ("aarch64", "x86_64")
PROGRAMS = ("wvds_crypto_service", "wvds_est_service", "wvds")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def pack(folder, **options):
    done = run(os.path.join(ROOT, "dist"), "--pack-only", "--out", folder, **options)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


def sha256_lines(root):
    with open(os.path.join(root, "MANIFEST"), encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


class Unpacked(unittest.TestCase):
    """A delivery, packed once for all tests."""

    work = archive = root = None

    @classmethod
    def setUpClass(cls):
        if Unpacked.root:
            return
        Unpacked.work = tempfile.mkdtemp()
        unittest.addModuleCleanup(shutil.rmtree, Unpacked.work)
        Unpacked.archive = pack(os.path.join(Unpacked.work, "first"))
        Unpacked.root = os.path.join(Unpacked.work, "unpacked")
        os.mkdir(Unpacked.root)
        subprocess.run(["tar", "-xzf", Unpacked.archive, "-C", Unpacked.root], check=True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def manifest(self, word):
        with open(self.path("MANIFEST"), encoding="utf-8") as file:
            return re.findall(rf"^# {word} (.*)$", file.read(), re.M)


class Delivery(Unpacked):
    # the archive

    def test_packing_again_elsewhere_gives_the_same_bytes(self):
        elsewhere = os.path.join(self.work, "second", "deeper")
        surroundings = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "TMPDIR": self.work}
        again = pack(elsewhere, cwd="/", umask=0o077, env=surroundings)
        self.assertEqual(os.path.basename(again), os.path.basename(self.archive))
        with open(self.archive, "rb") as first, open(again, "rb") as second:
            self.assertEqual(first.read(), second.read())

    def test_it_is_named_by_the_version(self):
        self.assertEqual(os.path.basename(self.archive), f"wvds-crypto-svc-{make_delivery.version()}-oem-delivery.tar.gz")

    def test_entries_have_no_owner_one_time_and_the_listed_modes(self):
        listed = {path.format(arch=arch): mode for path, mode, _, _ in make_delivery.tree_lines() for arch in ARCHITECTURES}
        with tarfile.open(self.archive) as archive:
            members = archive.getmembers()
        self.assertEqual({(m.uid, m.gid, m.uname, m.gname) for m in members}, {(0, 0, "", "")})
        self.assertEqual({m.mtime for m in members}, {make_delivery.release_time()})
        self.assertEqual({m.name: m.mode for m in members if not m.isdir()}, listed)
        self.assertEqual({m.mode for m in members if m.isdir()}, {0o755})

    def test_there_are_only_files_and_folders_in_it(self):
        with tarfile.open(self.archive) as archive:
            self.assertEqual([m.name for m in archive if not (m.isfile() or m.isdir())], [])

    # MANIFEST

    def test_manifest_names_every_file_and_its_hash(self):
        named = {line.split("  ")[1] for line in sha256_lines(self.root)}
        self.assertEqual(named | {"MANIFEST"}, set(make_delivery.delivered(self.root)))
        checked = run("sha256sum", "--check", "--strict", "--quiet", input="\n".join(sha256_lines(self.root)) + "\n", cwd=self.root)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))

    def test_manifest_tells_version_kinds_and_library(self):
        self.assertEqual(self.manifest("version"), [make_delivery.version()])
        self.assertEqual(len(self.manifest("kind")), len(ARCHITECTURES))
        for arch in ARCHITECTURES:
            self.assertRegex("\n".join(self.manifest("kind")), rf"(?m)^{arch} linux glibc 2\.[0-9]+$")
        self.assertEqual(self.manifest("soname"), ["libl4re_crypto_service.so.1"])

    # programs and libraries

    def test_programs_are_of_their_architecture_and_stripped(self):
        machines = {"aarch64": "AArch64", "x86_64": "Advanced Micro Devices X86-64"}
        for arch, machine in machines.items():
            for path in make_delivery.delivered(self.root):
                if f"/{arch}/" not in path or not make_delivery.is_elf(self.path(path)):
                    continue
                self.assertIn(machine, run("readelf", "-hW", self.path(path)).stdout, path)
                self.assertNotIn(".debug_info", run("readelf", "-SW", self.path(path)).stdout, path)

    def test_programs_look_for_libraries_in_the_delivery_only(self):
        for arch in ARCHITECTURES:
            for program in PROGRAMS + ("openssl",):
                dynamic = run("readelf", "-dW", self.path("bin", arch, program)).stdout
                self.assertIn(f"[$ORIGIN/../../lib/{arch}]", dynamic, program)
                self.assertNotIn("libstdc++", dynamic, program)
            library = run("readelf", "-dW", self.path("lib", arch, "libl4re_crypto_service.so")).stdout
            self.assertNotIn("libstdc++", library)
            self.assertIn("libl4re_crypto_service.so.1", library)

    def programs_tell_their_versions(self, arch, *emulator):
        version = re.escape(make_delivery.version())
        with tempfile.TemporaryDirectory() as links:  # of the C library, which `wvds` uses; install.sh makes it
            os.symlink(self.path("lib", arch, "libl4re_crypto_service.so"), os.path.join(links, self.manifest("soname")[0]))
            where = [*emulator, "-E"] if emulator else ["env"]
            for program in PROGRAMS:
                said = run(*where, f"LD_LIBRARY_PATH={links}", self.path("bin", arch, program), "--version")
                wanted = rf"{program} {version}\nOpenSSL \d+\.\d+\.\d+ .*\nOpenSSL FIPS Provider \d+\.\d+\.\d+\n"
                self.assertRegex(said.stdout, rf"\A{wanted}\Z", said.stderr)

    def test_x86_64_programs_run_where_they_were_unpacked(self):
        self.programs_tell_their_versions("x86_64")

    def test_aarch64_programs_run_where_they_were_unpacked(self):
        self.programs_tell_their_versions("aarch64", "qemu-aarch64", "-L", os.path.join(ROOT, "build/sysroot-aarch64"))

    def test_openssl_runs_and_finds_the_module_intact(self):
        openssl, folder = self.path("bin/x86_64/openssl"), self.path("lib/x86_64")
        said = run(openssl, "fipsinstall", "-verify", "-module", f"{folder}/fips.so", "-in", f"{folder}/fipsmodule.cnf")
        self.assertEqual(said.returncode, 0, said.stderr)

    def test_library_is_what_a_c_program_links(self):
        with tempfile.TemporaryDirectory() as work:
            source, program = os.path.join(work, "hello.c"), os.path.join(work, "hello")
            with open(source, "w", encoding="utf-8") as file:
                file.write('#include <stdio.h>\n#include "wvds_crypto.h"\nint main(void) { puts(wvds_library_version()); }\n')
            for arch, compiler, emulator in (
                ("x86_64", "cc", []),
                ("aarch64", "aarch64-linux-gnu-gcc", ["qemu-aarch64", "-L", os.path.join(ROOT, "build/sysroot-aarch64")]),
            ):
                built = run(compiler, "-std=c11", f"-I{self.path('include')}", source, "-o", program,
                            f"-L{self.path('lib', arch)}", "-ll4re_crypto_service", f"-Wl,-rpath,{work}")
                self.assertEqual(built.returncode, 0, built.stderr)
                link = os.path.join(work, self.manifest("soname")[0])
                os.symlink(self.path("lib", arch, "libl4re_crypto_service.so"), link)
                self.assertEqual(run(*emulator, program).stdout, make_delivery.version() + "\n")
                os.remove(link)

    def test_example_configuration_is_right(self):
        with open(self.path("config.json"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("//", text)
        with tempfile.TemporaryDirectory() as work:
            config = os.path.join(work, "config.json")
            with open(config, "w", encoding="utf-8") as file:  # users that this machine has
                file.write(re.sub(r'"user": "[^"]*"', lambda _, users=iter(("root", "nobody")): f'"user": "{next(users)}"', text))
            said = run(self.path("bin/x86_64/wvds_crypto_service"), "--config", config, "--check-config")
            self.assertEqual((said.returncode, said.stdout), (0, "ok\n"), said.stderr)

    def test_nothing_in_it_names_the_builders_folders(self):
        for path in make_delivery.delivered(self.root):
            with open(self.path(path), "rb") as file:
                content = file.read()
            for folder in (ROOT, os.path.realpath(os.path.join(ROOT, "build/openssl"))):
                self.assertNotIn(folder.encode() + b"/", content, path)

    def test_test_keys_are_readable_by_their_owner_only(self):
        keys = [name for name in os.listdir(self.path("certs")) if "key" in name]
        self.assertEqual(len(keys), 3)
        for name in keys:
            self.assertIn("TEST-ONLY", name)
            self.assertEqual(stat.S_IMODE(os.stat(self.path("certs", name)).st_mode), 0o600, name)


class BillOfMaterials(Unpacked):
    def setUp(self):
        with open(self.path("sbom.spdx.json"), encoding="utf-8") as file:
            self.sbom = json.load(file)

    def test_it_has_the_fields_that_spdx_requires(self):
        self.assertEqual((self.sbom["spdxVersion"], self.sbom["dataLicense"]), ("SPDX-2.3", "CC0-1.0"))
        self.assertEqual(self.sbom["SPDXID"], "SPDXRef-DOCUMENT")
        self.assertRegex(self.sbom["documentNamespace"], r"^urn:uuid:[0-9a-f-]{36}$")
        self.assertTrue(self.sbom["name"])
        self.assertRegex(self.sbom["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(all(re.match(r"(Tool|Person|Organization): ", who) for who in self.sbom["creationInfo"]["creators"]))
        for package in self.sbom["packages"]:
            for field in ("name", "SPDXID", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"):
                self.assertTrue(package[field], (package["name"], field))
        for file in self.sbom["files"]:
            self.assertEqual([c["algorithm"] for c in file["checksums"]], ["SHA1", "SHA256"], file["fileName"])

    def test_every_identifier_is_valid_unique_and_known_where_it_is_used(self):
        identifiers = ["SPDXRef-DOCUMENT"] + [item["SPDXID"] for item in self.sbom["packages"] + self.sbom["files"]]
        self.assertEqual(len(set(identifiers)), len(identifiers))
        for identifier in identifiers:
            self.assertRegex(identifier, r"^SPDXRef-[A-Za-z0-9.-]+$")
        for relation in self.sbom["relationships"]:
            self.assertIn(relation["spdxElementId"], identifiers)
            self.assertIn(relation["relatedSpdxElement"], identifiers)
        self.assertIn("DESCRIBES", {relation["relationshipType"] for relation in self.sbom["relationships"]})

    def test_it_names_what_is_inside_with_version_and_licence(self):
        packages = {package["name"]: package for package in self.sbom["packages"]}
        for name in ("OpenSSL", "Boost", "nlohmann-json", "CLI11", "argon2", "libseccomp", "libstdc++", "glibc", "tpm2-tss", "p11-kit"):
            self.assertRegex(packages[name]["versionInfo"], r"^[0-9]", name)
            self.assertNotEqual(packages[name]["licenseDeclared"], "NOASSERTION", name)
        self.assertEqual(packages["wvds-crypto-svc"]["versionInfo"], make_delivery.version())

    def test_its_files_are_those_of_the_delivery(self):
        stated = {f["fileName"][2:]: f["checksums"][1]["checksumValue"] for f in self.sbom["files"]}
        manifest = {line.split("  ")[1]: line.split("  ")[0] for line in sha256_lines(self.root)}
        del manifest["sbom.spdx.json"]
        self.assertEqual(stated, manifest)


class Refusals(unittest.TestCase):
    """What must not be packed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def entry(self, path, source):
        return make_delivery.Entry(path, 0o644, "copy", source, None)

    def test_a_missing_source_is_named(self):
        wanted = "README_OEM.md: /nonexistent/README_OEM.md is missing"
        with self.assertRaisesRegex(make_delivery.Wrong, wanted):
            make_delivery.place(self.entry("README_OEM.md", "/nonexistent/README_OEM.md"), self.folder)

    def test_a_file_that_the_list_does_not_have_is_named(self):
        for name in ("listed", "stray"):
            make_delivery.write_made(self.folder, name, name)
        archive = os.path.join(self.folder, "a.tar.gz")
        subprocess.run(["tar", "-C", self.folder, "-czf", archive, "listed", "stray"], check=True)
        make_delivery.check_tree(self.folder, [self.entry("listed", ""), self.entry("stray", "")], archive)
        with self.assertRaisesRegex(make_delivery.Wrong, "differ: stray"):
            make_delivery.check_tree(self.folder, [self.entry("listed", "")], archive)
        with self.assertRaisesRegex(make_delivery.Wrong, "differ: more"):
            make_delivery.check_tree(self.folder, [self.entry(n, "") for n in ("listed", "stray", "more")], archive)

    def target(self):
        return make_delivery.Target("x86_64", "/nonexistent", "/nonexistent", "/nonexistent")

    def test_a_program_that_looks_for_libraries_elsewhere_is_refused(self):
        os.makedirs(os.path.join(self.folder, "bin/x86_64"))
        program = os.path.join(self.folder, "bin/x86_64/program")
        source = os.path.join(self.folder, "p.c")
        make_delivery.write_made(self.folder, "p.c", "int main(void) { return 0; }\n")
        subprocess.run(["cc", source, "-o", program, "-Wl,-rpath,/opt/elsewhere"], check=True)
        with self.assertRaisesRegex(make_delivery.Wrong, "looks for libraries in /opt/elsewhere"):
            make_delivery.check_elf(self.folder, self.target())

    def test_a_program_that_names_the_builders_folder_is_refused(self):
        os.makedirs(os.path.join(self.folder, "bin/x86_64"))
        program = os.path.join(self.folder, "bin/x86_64/program")
        make_delivery.write_made(self.folder, "p.c", f'const char *place = "{ROOT}/src/x.cc"; int main(void) {{ return !place; }}\n')
        subprocess.run(["cc", os.path.join(self.folder, "p.c"), "-o", program], check=True)
        with self.assertRaisesRegex(make_delivery.Wrong, "names the builder's folder"):
            make_delivery.check_elf(self.folder, self.target())

    def test_a_module_without_its_checksum_is_refused(self):
        os.makedirs(os.path.join(self.folder, "lib/x86_64"))
        prefix = os.path.join(ROOT, "build/openssl")
        for name, source in (("fips.so", "lib/ossl-modules/fips.so"), ("fipsmodule.cnf", "ssl/fipsmodule.cnf")):
            shutil.copy(os.path.join(prefix, source), os.path.join(self.folder, "lib/x86_64", name))
        make_delivery.check_module(self.folder, self.target())
        with open(os.path.join(self.folder, "lib/x86_64/fips.so"), "ab") as file:
            file.write(b"\0")
        with self.assertRaisesRegex(make_delivery.Wrong, "does not belong to"):
            make_delivery.check_module(self.folder, self.target())


if __name__ == "__main__":
    unittest.main()
