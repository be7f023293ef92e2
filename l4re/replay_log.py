"""Cuts the power, on paper, while a key store was being written, and opens the disks that might be left.

The record of the writes is one that QEMU's block driver blklogwrites made; its format is that of Linux's dm-log-writes.
One partition of the disk, "store", holds the key store. To another, "marks", the store's client wrote a line as soon as
the service had acknowledged a change, so the record tells for each instant what had been acknowledged by then.

A power cut at an entry keeps what was written before the last flush before it. Of the writes since then, the one under
way included, each sector may be old or new, in any order, and one may hold anything. The store on such a disk must
open, and hold what was acknowledged before the cut: exactly that, or that and the next change.

Exit status: 0 every disk was right, 3 at least one was not.
"""

import argparse
import collections
import os
import random
import struct
import subprocess
import sys
import tempfile

import disk_image

SECTOR = 512
MAGIC = 0x6A736677736872
VERSION = 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
EXIT_WRONG = 3

# One thing that happened to the disk; offset and size of the content are bytes. `lasts`: durable without a flush.
Entry = collections.namedtuple("Entry", "is_flush offset content lasts")


def entries_of(path):
    """The entries of a record. An entry takes one sector of the record's sector size, and its data follow."""
    with open(path, "rb") as file:
        record = file.read()
    magic, version, count, size = struct.unpack_from("<QQQI", record)
    if magic != MAGIC or version != VERSION or size % SECTOR != 0 or size == 0:
        raise ValueError(f"{path}: no record of writes")
    entries = []
    at = size
    for _ in range(count):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", record, at)
        if flags & (DISCARD | MARK):
            raise ValueError(f"{path}: holds what no key store does")
        at += size
        content = record[at:at + sectors * size]
        if len(content) != sectors * size:
            raise ValueError(f"{path}: ends in the middle of an entry")
        at += len(content)
        # A write with FLUSH is flushed before, not after
        if flags & FLUSH:
            entries.append(Entry(True, 0, b"", False))
        if content:
            entries.append(Entry(False, sector * size, content, bool(flags & FUA)))
    return entries


class Area:
    """A partition of the disk, by bytes."""

    def __init__(self, image, name):
        first, sectors = disk_image.partition(image, name)
        self.start, self.end = first * SECTOR, (first + sectors) * SECTOR

    def holds(self, entry):
        return not entry.is_flush and self.start <= entry.offset < self.end


class Ledger:
    """What the service acknowledged, in its order."""

    def __init__(self, entries, marks):
        self.places = []
        self.states = [{}]
        self.ids = []
        for place, entry in enumerate(entries):
            if marks.holds(entry):
                self._add(place, entry.content.rstrip(b"\0").decode())

    def _add(self, place, line):
        what, key, rest = (line + " ").split(" ", 2)
        state = dict(self.states[-1])
        if what == "key":
            state[int(key)] = rest.strip()
        elif what == "gone":
            del state[int(key)]
        else:
            raise ValueError(f"no mark: {line}")
        self.places.append(place)
        self.states.append(state)
        self.ids.append(int(key))

    def acknowledged_at(self, place):
        """How many changes were acknowledged when entry `place` was being written."""
        return sum(1 for mark in self.places if mark <= place)


def flushes_before(entries, place):
    return [number for number in range(place) if entries[number].is_flush]


def apply(image, area, offset, content):
    """Writes what of the content lies in the area; the image is the area's."""
    start, end = max(offset, area.start), min(offset + len(content), area.end)
    if start < end:
        image[start - area.start:end - area.start] = content[start - offset:end - offset]


def sectors_of(entry):
    return [(entry.offset + at, entry.content[at:at + SECTOR]) for at in range(0, len(entry.content), SECTOR)]


def chosen(pending, draw):
    """Which sectors of the pending writes reach the disk, and in which order."""
    how = draw.choice(("nothing", "everything", "whole writes", "sectors", "sectors and garbage"))
    if how == "nothing":
        return []
    if how == "everything":
        return [one for entry in pending for one in sectors_of(entry)]
    if how == "whole writes":
        kept = [entry for entry in pending if draw.random() < 0.5]
        draw.shuffle(kept)
        return [one for entry in kept for one in sectors_of(entry)]
    kept = [one for entry in pending for one in sectors_of(entry) if draw.random() < 0.5]
    draw.shuffle(kept)
    if how == "sectors and garbage" and kept:
        offset, content = draw.choice(kept)
        kept.append((offset, draw.randbytes(len(content))))
    return kept


class Disks:
    """The disks that may be left by power cuts, asked for in ascending order of their places."""

    def __init__(self, before, area, entries):
        self.area, self.entries = area, entries
        self.durable = bytearray(before[area.start:area.end])
        self.done = 0

    def after_cut(self, place, draw, without_flush):
        """One disk after the power went while entry `place` was under way."""
        flushes = flushes_before(self.entries, place)
        if without_flush and flushes:
            flushes.pop()
        barrier = flushes[-1] if flushes else 0
        for entry in self.entries[self.done:barrier]:
            apply(self.durable, self.area, entry.offset, entry.content)
        self.done = max(self.done, barrier)
        disk = bytearray(self.durable)
        pending = []
        for number in range(barrier, min(place + 1, len(self.entries))):
            entry = self.entries[number]
            if entry.lasts and number < place:
                apply(disk, self.area, entry.offset, entry.content)
            elif self.area.holds(entry):
                pending.append(entry)
        for offset, content in chosen(pending, draw):
            apply(disk, self.area, offset, content)
        return disk


class Checker:
    def __init__(self, program, key, folder):
        self.program, self.key, self.image = program, key, os.path.join(folder, "store.img")

    def problem(self, disk, ledger, acknowledged):
        """What is wrong with the store on this disk, or ""."""
        with open(self.image, "wb") as file:
            file.write(disk)
        run = subprocess.run([self.program, self.image, self.key], capture_output=True, text=True, check=False)
        if run.returncode == 1:
            return run.stderr.strip()
        run.check_returncode()
        return self._difference(run.stdout.splitlines(), ledger, acknowledged)

    @staticmethod
    def _difference(lines, ledger, acknowledged):
        held, following = {}, 0
        for line in lines:
            what, key, rest = (line + " ").split(" ", 2)
            if what == "key":
                held[int(key)] = rest.strip()
            elif what == "next":
                following = int(key)
        if held not in ledger.states[acknowledged:acknowledged + 2]:
            return f"it holds {held} where {ledger.states[acknowledged]} was acknowledged"
        if following == 0 or following in ledger.ids[:acknowledged]:
            return f"it would give away the id {following} again"
        return ""


def parse(arguments):
    parser = argparse.ArgumentParser(description="opens the disks that power cuts might leave")
    parser.add_argument("--before", required=True, help="image of the disk when the first record began")
    parser.add_argument("--checker", required=True, help="the program wvds_replay_check")
    parser.add_argument("--key", required=True, help="the store's key file")
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-flush", action="store_true", help="as if the last flush before each cut were missing")
    parser.add_argument("records", nargs="+", help="one after the other, of the same disk")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    with open(options.before, "rb") as file:
        before = file.read()
    entries = [entry for record in options.records for entry in entries_of(record)]
    ledger = Ledger(entries, Area(before, "marks"))
    if not ledger.places:
        raise ValueError("the record shows nothing acknowledged")
    draw = random.Random(options.seed)
    disks = Disks(before, Area(before, "store"), entries)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(options.checker, options.key, folder)
        for place in sorted(draw.randrange(len(entries) + 1) for _ in range(options.cuts)):
            disk = disks.after_cut(place, draw, options.without_flush)
            problem = checker.problem(disk, ledger, ledger.acknowledged_at(place))
            if problem and wrong == 0:
                print(f"power cut at entry {place} of {len(entries)}: {problem}")
            wrong += problem != ""
    flushes = sum(entry.is_flush for entry in entries)
    print(f"{options.cuts} power cuts in {len(entries)} entries ({flushes} flushes, {len(ledger.places)} changes"
          f" acknowledged){', one flush missing' if options.without_flush else ''}: {wrong} disks were wrong")
    return EXIT_WRONG if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
