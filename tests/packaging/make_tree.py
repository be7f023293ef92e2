#!/usr/bin/env python3
"""Makes a delivery for this machine's processor out of a build folder, for the tests of install.sh.

usage: make_tree.py FOLDER      with WVDS_BINARY_DIR and WVDS_OPENSSL set

The delivery itself is made by ./dist, which builds for two processors; the tests take that one when WVDS_DELIVERY names
the folder that it was unpacked in.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCH = platform.machine()


def program_itself(path):
    """scripts/openssl.sh puts a shell script before a program that it built; the program stands in libexec/."""
    inner = path.replace("/bin/", "/libexec/")
    return inner if os.path.exists(inner) else path


def place(tree, path, source, rpath=None):
    to = os.path.join(tree, path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    if rpath is None:
        shutil.copy(source, to)
        return
    subprocess.run(["strip", "-o", to, source], check=True)
    subprocess.run(["patchelf", "--set-rpath", rpath, to], check=True)


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


def make(tree):
    build, openssl = os.environ["WVDS_BINARY_DIR"], os.environ["WVDS_OPENSSL"]
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    programs = {
        "wvds_crypto_service": f"{build}/src/service/wvds_crypto_service",
        "wvds_est_service": f"{build}/src/est_service/wvds_est_service",
        "wvds": f"{build}/tools/wvds/wvds",
        "openssl": program_itself(f"{openssl}/bin/openssl"),
    }
    for name, source in programs.items():
        place(tree, f"bin/{ARCH}/{name}", source, f"$ORIGIN/../../lib/{ARCH}")
    for source in (f"{build}/src/client/libl4re_crypto_service.so", f"{openssl}/lib/libcrypto.so.3", f"{openssl}/lib/libssl.so.3"):
        place(tree, f"lib/{ARCH}/{os.path.basename(source)}", os.path.realpath(source), "$ORIGIN")
    place(tree, f"lib/{ARCH}/fips.so", f"{openssl}/lib/ossl-modules/fips.so")
    place(tree, f"lib/{ARCH}/fipsmodule.cnf", f"{openssl}/ssl/fipsmodule.cnf")
    place(tree, "include/wvds_crypto.h", f"{SOURCE}/include/wvds_crypto.h")
    for path in ("scripts/extract_certs.py", "packaging/install.sh", "packaging/config.json"):
        place(tree, path.removeprefix("packaging/"), f"{SOURCE}/{path}")
    maker = [sys.executable, f"{SOURCE}/scripts/make_test_certs.py", "--openssl", f"{openssl}/bin/openssl", f"{tree}/certs"]
    subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
    write_manifest(tree)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--remove":
        shutil.rmtree(sys.argv[2], ignore_errors=True)
    elif len(sys.argv) == 2:
        make(sys.argv[1])
    else:
        sys.exit(f"error: {__doc__}")
