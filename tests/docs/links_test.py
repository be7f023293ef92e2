#!/usr/bin/env python3
"""Follows every link from one of the project's documents to another of its files."""

import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def without_code(text):
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors(text):
    """The anchors that a document's headings make."""
    found = set()
    for heading in re.findall(r"(?m)^#+ +(.*)$", without_code(text)):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.replace(" ", "-"))
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def problems(path):
    for target in LINK.findall(without_code(read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(ROOT, file)):
            yield f"{path}: {target} leads nowhere"
        elif anchor and file.endswith(".md") and anchor not in anchors(read(file)):
            yield f"{path}: {target}: there is no such heading"


def main():
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        check=True,
        capture_output=True,
    ).stdout.decode()
    documents = sorted({path for path in listed.split("\0") if path and os.path.isfile(os.path.join(ROOT, path))})
    found = [problem for path in documents for problem in problems(path)]
    print("\n".join(found + [f"{len(documents)} documents, {len(found)} problems"]))
    return 0 if documents and not found else 1


if __name__ == "__main__":
    sys.exit(main())
