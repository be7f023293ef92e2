#!/usr/bin/env python3
"""Compares the C library's binary interface with the baseline in abi/, which programs in the field were built with.

usage: scripts/abi.py --check LIBRARY     exit status 0 equal, 1 different (and how), 2 it could not be found out
       scripts/abi.py --update LIBRARY    makes what LIBRARY has the baseline; look at the difference before you commit it

LIBRARY is built with debug information. abi/libl4re_crypto_service.abi has functions, types and layouts, as libabigail
(package abigail-tools) describes them; abi/wvds_crypto.constants has the header's values, which no library shows. An
addition is a difference, too: with --update it becomes part of what later versions must keep. Anything else that differs
needs another SOVERSION and another name in exports.map.
"""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = os.path.join(ROOT, "include/wvds_crypto.h")
BASELINE = os.path.join(ROOT, "abi")
FUNCTIONS = "libl4re_crypto_service.abi"
CONSTANTS = "wvds_crypto.constants"
# nothing of where and when the library was built
DESCRIBE = (
    "abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names --type-id-style hash "
    "--drop-private-types --exported-interfaces-only"
).split()
SOURCE_PATH = re.compile(r"(<abi-instr [^>]*) path='[^']*/(src/[^']*|[^'/]*)'")


class Unknown(Exception):
    """Why nothing can be said."""


def run(*command, accepted=(0,)):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unknown(f"{command[0]} is missing: run scripts/packages.sh check") from error
    if done.returncode not in accepted:
        raise Unknown(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def functions_of(library, headers):
    """libabigail's description of what the library exports, with the types of the public header."""
    text = run(*DESCRIBE, "--headers-dir", headers, library).stdout
    if "<elf-symbol " not in text or "<function-decl " not in text:
        raise Unknown(f"{library}: no functions with debug information in it")
    return SOURCE_PATH.sub(r"\1 path='\2'", text)


def names_of(header_text):
    """Names of the header's values: macros without arguments that have a value, and enumerators."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", header_text, flags=re.S).replace("\\\n", " ")
    macros = re.findall(r"^#define (WVDS_\w+)[ \t]+[^\s_]", code, re.M)
    enumerators = re.findall(r"\b(WVDS_\w+)\s*(?:=[^,}]+)?[,}]", " ".join(re.findall(r"enum\s*\w*\s*\{[^}]*\}", code)))
    return sorted(set(macros) | set(enumerators))


def formulas_of(header_text):
    """Macros with arguments, as they are written but for white space."""
    code = re.sub(r"/\*.*?\*/", "", header_text, flags=re.S).replace("\\\n", " ")
    found = re.findall(r"^#define (WVDS_\w+\([^)]*\)) ([^\n]*)", code, re.M)
    return [f"{name} {' '.join(body.split())}" for name, body in sorted(found)]


def constants_of(header):
    """One line a value, as a C compiler sees it."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    names = names_of(text)
    prints = "".join(f'  printf("{name} %llu\\n", (unsigned long long)({name}));\n' for name in names)
    with tempfile.TemporaryDirectory() as work:
        source, program = os.path.join(work, "values.c"), os.path.join(work, "values")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f'#include <stdio.h>\n#include "{header}"\nint main(void) {{\n{prints}  return 0;\n}}\n')
        run("cc", "-std=c11", source, "-o", program)
        return "\n".join([*run(program).stdout.splitlines(), *formulas_of(text)]) + "\n"


def describe(library, header, folder):
    """Writes both descriptions into the folder."""
    for name, text in (
        (FUNCTIONS, functions_of(library, os.path.dirname(header))),
        (CONSTANTS, constants_of(header)),
    ):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def differences(old, new):
    """What differs between the descriptions in two folders, as lines; none if nothing does."""
    compared = run("abidiff", os.path.join(old, FUNCTIONS), os.path.join(new, FUNCTIONS), accepted=(0, 4, 12))
    found = compared.stdout.splitlines() if compared.returncode else []
    before, after = read_lines(os.path.join(old, CONSTANTS)), read_lines(os.path.join(new, CONSTANTS))
    found += [f"the header no longer has: {line}" for line in before if line not in after]
    found += [f"the header has in addition: {line}" for line in after if line not in before]
    return found


def check(library, header=HEADER, baseline=BASELINE):
    with tempfile.TemporaryDirectory() as work:
        describe(library, header, work)
        return differences(baseline, work)


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("--check", "--update"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if arguments[0] == "--update":
            os.makedirs(BASELINE, exist_ok=True)
            describe(arguments[1], HEADER, BASELINE)
            return 0
        found = check(arguments[1])
    except (Unknown, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if found:
        print("\n".join(found))
        print("The binary interface differs from the baseline in abi/ (see the head of scripts/abi.py).")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
