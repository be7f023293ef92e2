#!/usr/bin/env python3
"""Looks for mistakes in the product's code without running it.

usage: static_analysis.py tidy [--long] BUILD FOLDER
       static_analysis.py cppcheck [PROJECT FOLDER]

tidy runs clang-tidy with .clang-tidy over what the build folder's compile_commands.json compiles, but not over tests and
fuzz targets: without --long only over the code that keeps keys or reads what others wrote (NARROW below), which is two
minutes on two processors. Where a build compiles several files together, it looks at them together. cppcheck runs over all
of the product's files. Any finding is an error; .clang-tidy and SUPPRESSED say what is left out and why. Exit status 77:
the tool is not installed.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PRODUCT = ("src", "tools", "examples")
NO_PRODUCT = re.compile(r"_test\.cc|_fuzz|/testing/|_testing\.dir")
NARROW = re.compile(r"src/(base|platform|protocol|channel|crypto|keystore|access)/|wvds_service_lib\.dir|wvds_audit\.dir")
FINDING = re.compile(r"^[^ ].*:\d+:\d+: (warning|error): ")
# cppcheck's findings that are none, as its --suppress takes them. It is of 2022 and does not know all of C++23.
SUPPRESSED = (
    "readdirCalled",  # glibc's readdir is safe for a stream of one thread
    "getpwuidCalled",  # the tool has one thread
    "getgrgidCalled",  # likewise
    "returnStdMoveLocal",  # into a Result, which is another type
    "passedByValue",  # taken over by a move
    "syntaxError:src/service/op_table.cc",  # a lambda as initializer
    "cppcheckError:tools/wvds/times.cc",  # a year as literal
    "unknownMacro:src/est/certs_only.cc",  # OpenSSL's templates
    "nullPointer:src/channel/linux/endpoint.cc",  # accept4 takes null
    "nullPointerRedundantCheck:src/keystore/nonce_window.cc",  # grow() makes the table or fails
    "identicalConditionAfterEarlyExit:src/keystore/hsm/token_inside.cc",  # a Result tells why there is no value
    "resourceLeak:src/keystore/hsm/linux/module_loader.cc",  # a PKCS#11 module is never unloaded
    "resourceLeak:examples/common/linux/host.c",  # a lock, held as long as the program runs
    "accessMoved:tools/wvds/store/store_access.cc",  # one branch or the other
)


def translation_units(folder, is_long):
    """Files of the product's own code that the build compiles."""
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
        files = [os.path.join(entry["directory"], entry["file"]) for entry in json.load(file)]
    chosen = [f for f in files if not NO_PRODUCT.search(f)]
    return chosen if is_long else [f for f in chosen if NARROW.search(f)]


def look_at(tool, folder, file):
    """Findings of one file, and what went wrong when it could not be looked at."""
    done = subprocess.run(
        [tool, "-p", folder, "--config-file", os.path.join(ROOT, ".clang-tidy"), "--quiet", file],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 and not FINDING.search(done.stdout):
        return [f"{file}: {tool} ended with {done.returncode}: {done.stderr.strip()}"]
    return [part for part in re.split(r"(?m)^(?=[^ ].*:\d+:\d+: (?:warning|error): )", done.stdout) if FINDING.match(part)]


def tidy(arguments):
    tool = shutil.which("clang-tidy-19")
    if not tool:
        print("NOT RUN: clang-tidy-19 is not installed")
        return 77
    folder = os.path.abspath(arguments[-1])
    files = translation_units(folder, "--long" in arguments)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [part for found in pool.map(lambda f: look_at(tool, folder, f), files) for part in found]
    findings = sorted(set(parts))  # one in a header shows with each file
    print("".join(findings) + f"{len(files)} translation units, {len(findings)} findings")
    return 0 if files and not findings else 1


def product_files(root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", *PRODUCT], check=True, capture_output=True, text=True
    )
    return sorted(f for f in listed.stdout.splitlines() if f.endswith((".cc", ".c")) and "/l4re/" not in f and not NO_PRODUCT.search("/" + f)
                  and os.path.isfile(os.path.join(root, f)))


def cppcheck(arguments):
    tool = shutil.which("cppcheck")
    if not tool:
        print("NOT RUN: cppcheck is not installed")
        return 77
    root = os.path.abspath(arguments[0] if arguments else ROOT)
    files = product_files(root)
    done = subprocess.run(
        [tool, "--enable=warning,performance,portability", "--std=c++20", "--language=c++", "--library=posix,gnu", "-q", "--error-exitcode=1",
         "-j", str(os.cpu_count()), "--inline-suppr", "-I", "src", "-I", "include", "-I", ".", *[f"--suppress={s}" for s in SUPPRESSED], *files],
        cwd=root,
    ) if files else None
    print(f"{len(files)} files")
    return done.returncode if done else 1


def main(arguments):
    commands = {"tidy": tidy, "cppcheck": cppcheck}
    if not arguments or arguments[0] not in commands or (arguments[0] == "tidy" and len(arguments) < 2):
        print(__doc__, file=sys.stderr)
        return 2
    return commands[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
