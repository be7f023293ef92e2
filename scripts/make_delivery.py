#!/usr/bin/env python3
"""Packs the OEM delivery from what is built. Called by ./dist, which builds it.

usage: make_delivery.py --out FOLDER --certs FOLDER --texts FOLDER --arch NAME BUILD OPENSSL PACKAGES [--arch ...]
                        [--l4re NAME TASKS LIBRARIES DEPS ...]

NAME is the architecture (aarch64, x86_64), BUILD the Linux build folder with delivery/ in it, OPENSSL the prefix built
against, PACKAGES a file with "package version" lines: what the build took from Debian. With --l4re the services, the C
library and the FIPS module of an architecture are those of L4Re: from TASKS, LIBRARIES and DEPS/lib.
Writes FOLDER/wvds-crypto-svc-VERSION-oem-delivery.tar.gz and prints its path. The same input gives the same bytes.
Exit status: 0 packed, 1 not, with the reason.
"""

import argparse
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import delivery_sbom  # noqa: E402  (it stands beside this file)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATH = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")


class Wrong(Exception):
    """What is wrong, and what to do about it."""


@dataclass
class Target:
    arch: str
    build: str
    openssl: str
    packages: str
    l4re: tuple[str, str, str] | None = None

    @property
    def kind(self):
        return "l4re" if self.l4re else "linux"

    def places(self):
        """What {names} in packaging/tree.txt stand for."""
        delivery = os.path.join(self.build, "delivery")
        own = {"arch": self.arch, "build": self.build, "openssl": self.openssl}
        if self.l4re:
            tasks, libraries, deps = self.l4re
            module = os.path.join(deps, "lib")
            return {**own, "tasks": tasks, "client": libraries, "module": module, "module_config": module}
        return {
            **own,
            "tasks": os.path.join(delivery, "bin"),
            "client": os.path.join(delivery, "lib"),
            "module": os.path.join(self.openssl, "lib/ossl-modules"),
            "module_config": os.path.join(self.openssl, "ssl"),
        }


@dataclass
class Entry:
    path: str
    mode: int
    how: str
    source: str
    target: Target | None


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def project_setting(pattern):
    found = re.search(pattern, read_text(os.path.join(ROOT, "CMakeLists.txt")))
    if not found:
        raise Wrong(f"CMakeLists.txt: no {pattern}")
    return found.group(1)


def version():
    return project_setting(r"project\(wvds_crypto_service VERSION ([0-9.]+)")


def release_time():
    """Of every file in the delivery: a builder's SOURCE_DATE_EPOCH, else the release's."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or project_setting(r"set\(WVDS_RELEASE_TIME ([0-9]+)\)"))


def tree_lines():
    for line in read_text(os.path.join(ROOT, "packaging/tree.txt")).splitlines():
        if line and not line.startswith("#"):
            path, mode, how, source = line.split()
            yield path, int(mode, 8), how, source


def entries(targets, places):
    """Every file of the delivery, in the order of packaging/tree.txt."""
    for path, mode, how, source in tree_lines():
        for target in targets if "{arch}" in path else [None]:
            names = {**places, **(target.places() if target else {})}
            yield Entry(path.format(**names), mode, how, source.format(**names), target)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(f"{' '.join(command)}: {done.stderr.strip() or 'exit status ' + str(done.returncode)}")
    return done.stdout


def tool(arch, name):
    """binutils of this machine know this machine's files only."""
    cross = f"{arch}-linux-gnu-{name}"
    return cross if shutil.which(cross) else name


def place_elf(entry, destination):
    """Without symbols, and with the delivery's libraries as the only place to look for libraries."""
    run(tool(entry.target.arch, "strip"), "-o", destination, entry.source)
    is_library = entry.path.startswith("lib/")
    run("patchelf", "--set-rpath", "$ORIGIN" if is_library else f"$ORIGIN/../../lib/{entry.target.arch}", destination)


def program_itself(source):
    """scripts/openssl.sh puts a shell script before a program that it built; the program stands in libexec/."""
    inner = source.replace("/bin/", "/libexec/")
    return inner if os.path.exists(inner) else source


def place(entry, stage):
    if not os.path.exists(entry.source):
        raise Wrong(f"{entry.path}: {entry.source} is missing")
    destination = os.path.join(stage, entry.path)
    if entry.how == "elf":
        entry.source = program_itself(entry.source)
        place_elf(entry, destination)
    else:
        shutil.copyfile(entry.source, destination)


def check_module(stage, target):
    """fipsmodule.cnf holds the checksum of just this module: with another one the FIPS provider does not start."""
    openssl_key = "f4556650ac31d35461610bac4ed81b1a181b2d8a43ea2854cbae22ca74560813"  # of the checksum, public
    folder = os.path.join(stage, "lib", target.arch)
    module = os.path.join(folder, "fips.so")
    stated = re.search(r"^module-mac = ([0-9A-F:]+)$", read_text(os.path.join(folder, "fipsmodule.cnf")), re.M)
    with open(module, "rb") as file:
        real = hmac.new(bytes.fromhex(openssl_key), file.read(), hashlib.sha256).digest()
    if not stated or bytes.fromhex(stated.group(1).replace(":", "")) != real:
        raise Wrong(f"lib/{target.arch}/fipsmodule.cnf does not belong to lib/{target.arch}/fips.so; build OpenSSL again")


def delivered(stage):
    """Paths of the files in the stage, sorted."""
    found = []
    for folder, _, files in os.walk(stage):
        found += [os.path.relpath(os.path.join(folder, name), stage) for name in files]
    return sorted(found)


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def glibc_needed(stage, target):
    """The highest version of glibc that a program or library of the architecture asks for."""
    needed = {(2, 0)}
    for path in delivered(stage):
        full = os.path.join(stage, path)
        if f"/{target.arch}/" in path and is_elf(full):
            text = run("readelf", "--version-info", "--wide", full)
            needed |= {(int(a), int(b)) for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", text)}
    return "{}.{}".format(*max(needed))


def check_elf(stage, target):
    """No program or library looks for others where the builder had them, or names the builder's folders."""
    for path in delivered(stage):
        full = os.path.join(stage, path)
        if f"/{target.arch}/" not in path or not is_elf(full):
            continue
        for rpath in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", run("readelf", "-dW", full)):
            if any(not part.startswith("$ORIGIN") for part in rpath.split(":")):
                raise Wrong(f"{path} looks for libraries in {rpath}")
        with open(full, "rb") as file:
            content = file.read()
        for folder in (ROOT, os.path.realpath(target.openssl), os.path.realpath(target.build)):
            if folder.encode() + b"/" in content:
                raise Wrong(f"{path} names the builder's folder {folder}")


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def soname(stage, target):
    found = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "-dW", f"{stage}/lib/{target.arch}/libl4re_crypto_service.so"))
    if not found:
        raise Wrong("libl4re_crypto_service.so has no SONAME")
    return found.group(1)


def manifest(stage, targets):
    lines = [
        "# WvdS Crypto Service: what this delivery consists of. To compare: sha256sum --check --quiet MANIFEST",
        "# The services are Linux programs, which need at least that version of glibc, or L4Re tasks:",
        f"# version {version()}",
    ]
    for target in targets:
        lines.append(f"# kind {target.arch} {target.kind}" + (f" glibc {glibc_needed(stage, target)}" if target.kind == "linux" else ""))
    lines += sorted({f"# soname {soname(stage, target)}" for target in targets if target.kind == "linux"})
    lines += [f"{sha256_of(os.path.join(stage, path))}  {path}" for path in delivered(stage) if path != "MANIFEST"]
    return "\n".join(lines) + "\n"


def write_made(stage, path, text):
    with open(os.path.join(stage, path), "w", encoding="utf-8") as file:
        file.write(text)


def fill(stage, targets, places):
    """Everything but the archive. Returns the entries."""
    listed = list(entries(targets, places))
    for entry in listed:
        if not PATH.fullmatch(entry.path):
            raise Wrong(f"packaging/tree.txt: {entry.path} has characters that install.sh does not take")
        os.makedirs(os.path.dirname(os.path.join(stage, entry.path)), exist_ok=True)
        if entry.how != "made":
            place(entry, stage)
    for target in targets:
        check_module(stage, target)
        check_elf(stage, target)
    files = {path: sha256_of(os.path.join(stage, path)) for path in delivered(stage)}
    write_made(stage, "sbom.spdx.json", delivery_sbom.document(stage, files, targets, version(), release_time()))
    write_made(stage, "MANIFEST", manifest(stage, targets))
    return listed


def set_modes(stage, listed):
    for entry in listed:
        os.chmod(os.path.join(stage, entry.path), entry.mode)
    for folder, _, _ in os.walk(stage):
        os.chmod(folder, 0o755)


def check_tree(stage, listed, archive):
    """What is in the archive is what packaging/tree.txt lists."""
    wanted = {entry.path for entry in listed}
    packed = {line for line in run("tar", "-tzf", archive).splitlines() if not line.endswith("/")}
    if packed != wanted:
        raise Wrong(f"packed and listed files differ: {' '.join(sorted(packed ^ wanted))}")


def pack(stage, archive):
    """The same files give the same bytes: sorted, one time, no owner, no name or time in gzip's header."""
    tops = sorted(os.listdir(stage))
    tar = subprocess.Popen(
        ["tar", "--format=ustar", "--sort=name", f"--mtime=@{release_time()}", "--owner=0", "--group=0", "--numeric-owner",
         "-C", stage, "-cf", "-", *tops], stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
    with open(archive, "wb") as file:
        gzip = subprocess.run(["gzip", "-n", "-9"], stdin=tar.stdout, stdout=file)
    if tar.wait() != 0 or gzip.returncode != 0:
        raise Wrong(f"{archive} could not be written")


def make(options):
    tasks = {words[0]: tuple(words[1:]) for words in options.l4re}
    targets = [Target(*words, tasks.get(words[0])) for words in options.arch]
    places = {"tree": ROOT, "certs": options.certs, "texts": options.texts}
    os.makedirs(options.out, exist_ok=True)
    archive = os.path.join(options.out, f"wvds-crypto-svc-{version()}-oem-delivery.tar.gz")
    with tempfile.TemporaryDirectory(dir=options.out, prefix=".packing.") as work:
        stage = os.path.join(work, "stage")
        os.mkdir(stage)
        listed = fill(stage, targets, places)
        set_modes(stage, listed)
        pack(stage, os.path.join(work, "archive"))
        check_tree(stage, listed, os.path.join(work, "archive"))
        os.replace(os.path.join(work, "archive"), archive)
    return archive


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--arch", nargs=4, action="append", required=True, metavar=("NAME", "BUILD", "OPENSSL", "PACKAGES"))
    parser.add_argument("--l4re", nargs=4, action="append", default=[], metavar=("NAME", "TASKS", "LIBRARIES", "DEPS"))
    parser.add_argument("--certs", required=True)
    parser.add_argument("--texts", required=True)
    try:
        print(make(parser.parse_args(arguments)))
    except (Wrong, delivery_sbom.Wrong, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
