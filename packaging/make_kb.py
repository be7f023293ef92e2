#!/usr/bin/env python3
"""Makes the integrators' knowledge base from packaging/WvdS_KB_OEM.md.in, the documents that it includes, and the library's own
status texts, so that nothing is written twice.

usage: packaging/make_kb.py [OUTPUT]      (standard output without OUTPUT)

A line "@INCLUDE docs/x.md@" takes that document in as a chapter; links between included documents become links inside the
page, links to others become plain text. Exit status: 0 made, 1 a source is not as expected.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADING = re.compile(r"^(#+) +(.*)$")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
INCLUDE = re.compile(r"^@INCLUDE (\S+)@$")


class Wrong(Exception):
    pass


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def slug(heading):
    """The anchor that a heading makes, before repeated ones are numbered."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def outside_code(lines):
    """(line, whether it is text and not code) of each line."""
    inside = False
    for line in lines:
        fence = line.startswith("```")
        yield line, not inside and not fence
        inside ^= fence


def chapters():
    """(source path or None, lines) of each part of the page, in order; headings of included documents one level lower."""
    own = []
    for line in read("packaging/WvdS_KB_OEM.md.in").splitlines():
        found = INCLUDE.match(line)
        if not found:
            own.append(line)
            continue
        yield None, own
        own = []
        path = found.group(1)
        yield path, [
            "#" + text if is_text and HEADING.match(text) else text
            for text, is_text in outside_code(read(path).splitlines())
        ]
    yield None, own


def anchors_of(parts):
    """{(source, anchor in the source): anchor in the page}; the document itself has the anchor ''."""
    seen, anchors = {}, {}
    for source, lines in parts:
        local = {}
        for line, is_text in outside_code(lines):
            found = HEADING.match(line) if is_text else None
            if not found:
                continue
            base = slug(found.group(2))
            number = seen.get(base, 0)
            seen[base] = number + 1
            final = f"{base}-{number}" if number else base
            again = local.get(base, 0)
            local[base] = again + 1
            anchors.setdefault((source, ""), final)
            anchors[(source, f"{base}-{again}" if again else base)] = final
    return anchors


def relinked(line, source, anchors):
    def replace(found):
        text, target = found.groups()
        if re.match(r"[a-z]+:", target):
            return found.group(0)
        name, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(source), name)) if name else source
        if (path, anchor) in anchors:
            return f"[{text}](#{anchors[(path, anchor)]})"
        if any(path == known for known, _ in anchors):
            raise Wrong(f"{source}: {target}: there is no such heading")
        shown = text.strip("`")
        return shown if shown.endswith(os.path.basename(path)) else f"{text} (the project's {path})"

    return LINK.sub(replace, PICTURE.sub("", line))


def statuses():
    """The table of statuses: value from the header, text from the library's source."""
    values = re.findall(r"^  WVDS_([A-Z_]+) = (0x[0-9A-F]{2}),?(?: |$)", read("include/wvds_crypto.h").split("} wvds_status;")[0], re.M)
    cases = re.findall(r'case WVDS_([A-Z_]+):\s*return((?:\s*"[^"]*")+);', read("src/client/status_api.cc"))
    texts = {name: "".join(re.findall(r'"([^"]*)"', text)) for name, text in cases}
    missing = [name for name, _ in values if name not in texts]
    if not values or missing:
        raise Wrong(f"src/client/status_api.cc: no text found for {', '.join(missing) or 'anything'}")
    rows = [f"| `{value}` | {name} | {texts[name]} |" for name, value in values]
    return "\n".join(["| value | status WVDS_... | what happened, and what helps |", "|---|---|---|", *rows])


def contents(parts, anchors):
    rows = []
    for source, lines in parts:
        for line, is_text in outside_code(lines):
            found = HEADING.match(line) if is_text else None
            if found and len(found.group(1)) == 2:
                anchor = anchors[(source, slug(found.group(2)))]
                rows.append(f"- [{found.group(2)}](#{anchor})")
    return "\n".join(rows)


def version():
    found = re.search(r"^project\(wvds_crypto_service VERSION ([0-9.]+)", read("CMakeLists.txt"), re.M)
    if not found:
        raise Wrong("CMakeLists.txt: no version found")
    return found.group(1)


def knowledge_base():
    parts = list(chapters())
    anchors = anchors_of(parts)
    page = "\n".join(
        relinked(line, source, anchors) if source and is_text else line
        for source, lines in parts
        for line, is_text in outside_code(lines)
    )
    for mark, text in (("VERSION", version()), ("CONTENTS", contents(parts, anchors)), ("STATUSES", statuses())):
        page = page.replace(f"@{mark}@", text)
    return page + "\n"


def main():
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1].startswith("-")):
        print("usage: packaging/make_kb.py [OUTPUT]", file=sys.stderr)
        return 2
    try:
        page = knowledge_base()
    except (Wrong, OSError) as error:
        print(f"make_kb: {error}", file=sys.stderr)
        return 1
    if len(sys.argv) == 1:
        sys.stdout.write(page)
        return 0
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
