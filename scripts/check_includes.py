#!/usr/bin/env python3
"""Holds who may include whom.

usage: check_includes.py [PROJECT FOLDER]

Four rules, each with the reason it exists:
1. A module under src/ includes only the modules below it (MAY_INCLUDE), so that every layer can
   be read, tested and ported without the ones above it.
2. OpenSSL's headers are included by few modules, EVP only by src/crypto and the OpenSSL provider,
   so that keys have one owner.
3. Operating-system headers stay in linux/ and l4re/ folders, and nothing outside such a folder
   includes one of its headers, so that everything else runs on both systems.
4. What stands for an OEM's own code, and the public header, sees only the public header.
Tests, fuzz targets and benchmarks follow rule 1 in their module; rules 2 and 3 are about code
that is delivered.
"""

import os
import re
import sys

# module -> modules it may include besides itself. Whatever a module may include, it may also
# include what that one is allowed to (see closure below).
MAY_INCLUDE = {
    "base": [],
    "platform": ["base"],
    "protocol": ["base"],
    "channel": ["platform"],
    "client": ["protocol", "channel"],
    "crypto": ["base"],
    "keystore": ["crypto", "platform"],
    "config": ["base"],
    "access": ["channel", "protocol", "config"],
    "service": ["access", "crypto", "keystore"],
    "est": ["crypto"],
    "est_service": ["access", "est", "client", "config", "channel", "protocol", "platform", "ossl_provider"],
    "ossl_provider": ["client", "crypto"],
}

# Single headers of other modules that a module may include, and why
ALSO = {
    # its records on raw sectors, in the one form that is tested against power cuts
    "est_service": ["keystore/block_medium.h"],
}

# Which OpenSSL headers a module may include: a regular expression on the name after openssl/.
OPENSSL_ALLOWED = {
    "crypto": r".*",
    "est": r"(asn1|asn1t|err|objects|pkcs7|cms|types|x509|x509v3|x509_vfy|stack|safestack|bio|pem|conf)\.h",
    "est_service": r"(err|ssl|tls1|types|x509|x509v3|x509_vfy|bio|pem|provider|store)\.h",
    # EVP only for public keys and hashes, which the program's own providers do
    "ossl_provider": r"(core|core_dispatch|core_names|core_object|crypto|err|evp|params|provider|store)\.h",
}

LINUX_HEADER = re.compile(
    r"(sys|linux|asm|arpa|net|netinet)/.*|(unistd|fcntl|signal|poll|pthread|sched|pwd|grp|dirent|"
    r"dlfcn|netdb|spawn|syslog|termios|ucontext|execinfo|mqueue|semaphore|aio|seccomp)\.h|csignal|"
    r"filesystem|random"
)
L4_HEADER = re.compile(r"l4/.*|pthread-l4\.h")
BOTH_SYSTEMS = ("pthread.h",)  # L4Re's C library has threads too
SYSTEM_FOLDERS = ("linux", "l4re")
SOURCE = re.compile(r".*\.(h|cc|c)$")
TEST_LIKE = re.compile(r".*_(test|fuzz|bench)\.(cc|c|h)$|.*/testing/.*")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)
# Programs that stand for a customer's, and what they may include of this project
CUSTOMER_FOLDERS = ("examples/oem_gateway", "examples/backend", "examples/est_relay", "examples/sign_any_size")


def closure():
    """MAY_INCLUDE with everything reachable, each module itself included."""

    def reach(module, seen):
        for below in MAY_INCLUDE[module]:
            if below not in seen:
                seen.add(below)
                reach(below, seen)
        return seen

    return {module: reach(module, {module}) for module in MAY_INCLUDE}


ALLOWED = closure()


def includes(text):
    """(line number, bracket, name) of each include directive."""
    for found in INCLUDE.finditer(text):
        yield text.count("\n", 0, found.start(2)) + 1, found.group(1), found.group(2)


def module_of(path):
    """The src/ module of a path relative to the project, or None."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def system_of(path):
    """linux, l4re or None: the system a path belongs to."""
    for part in path.split("/")[:-1]:
        if part in SYSTEM_FOLDERS:
            return part
    return None


def module_problem(path, name):
    """Rule 1, and that a quoted name is one from src/."""
    module, other = module_of(path), name.split("/")[0]
    if "/" not in name:
        return None if name == "wvds_crypto.h" else f'"{name}": write the path from src/ on'
    if other not in ALLOWED:
        return f'"{name}": {other} is no module'
    if other not in ALLOWED[module] and name not in ALSO.get(module, []):
        return f'"{name}": {module} may not include {other}'
    return None


def openssl_problem(path, name):
    """Rule 2."""
    if not name.startswith("openssl/"):
        return None
    allowed = OPENSSL_ALLOWED.get(module_of(path))
    if allowed and re.fullmatch(allowed, name[len("openssl/") :]):
        return None
    return f"<{name}>: {module_of(path)} may not include this OpenSSL header"


def system_problem(path, name):
    """Rule 3."""
    system = system_of(path)
    if name in BOTH_SYSTEMS and system is not None:
        return None
    if LINUX_HEADER.fullmatch(name) and system != "linux":
        return f"<{name}>: only linux/ folders may include it"
    if L4_HEADER.fullmatch(name) and system != "l4re":
        return f"<{name}>: only l4re/ folders may include it"
    other = system_of(name)
    if other and other != system:
        return f'"{name}": only {other}/ folders may include it'
    return None


def source_problems(path, text):
    """Problems of one file under src/, as (line, message)."""
    for line, bracket, name in includes(text):
        found = [module_problem(path, name)] if bracket == '"' else []
        if not TEST_LIKE.match(path):
            found += [openssl_problem(path, name), system_problem(path, name)]
        for problem in found:
            if problem:
                yield line, problem


def customer_problems(path, text, project_files):
    """Rule 4: quoted names are wvds_crypto.h or files of the program's own folder."""
    own = path.rsplit("/", 1)[0]
    for line, bracket, name in includes(text):
        if name == "wvds_crypto.h" or (bracket == "<" and f"src/{name}" not in project_files):
            continue
        if bracket == '"' and f"{own}/{name}" in project_files:
            continue
        if bracket == '"' and name.startswith("examples/") and name in project_files:
            continue
        yield line, f"{name}: a customer's program sees only wvds_crypto.h"


def public_header_problems(text):
    """Rule 4 for the public header: it must stand alone."""
    for line, _, name in includes(text):
        if name not in ("stddef.h", "stdint.h", "stdbool.h"):
            yield line, f"{name}: the public header includes only stddef.h, stdint.h, stdbool.h"


def check(files):
    """files: {path relative to the project: text}. Returns messages."""
    messages = []
    for path, text in sorted(files.items()):
        if module_of(path):
            if module_of(path) not in ALLOWED:
                messages.append(f"{path}:1: {module_of(path)} is no known module: add it to MAY_INCLUDE")
                continue
            found = source_problems(path, text)
        elif path.startswith("include/"):
            found = public_header_problems(text)
        elif path.startswith(CUSTOMER_FOLDERS):
            found = customer_problems(path, text, files)
        else:
            continue
        messages += [f"{path}:{line}: {problem}" for line, problem in found]
    return messages


def project_files(root):
    files = {}
    for top in ("src", "include", "examples"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                full = os.path.join(folder, name)
                if SOURCE.match(name):
                    with open(full, encoding="utf-8") as file:
                        files[os.path.relpath(full, root)] = file.read()
    return files


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")
    files = project_files(os.path.abspath(root))
    messages = check(files)
    print("\n".join(messages + [f"{len(files)} files, {len(messages)} problems"]))
    if not files:
        print("no source file found")
    return 0 if files and not messages else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
