"""Makes an empty disk image with a GUID partition table: disk_image.py FILE NAME:MEGABYTES...

The layout is that of the UEFI specification, version 2.10, section 5.3. Drivers find a partition by its name.
"""

import struct
import sys
import uuid
import zlib

SECTOR = 512
MEGABYTE = (1 << 20) // SECTOR
TABLE_ENTRIES = 128
ENTRY_SIZE = 128
TABLE_SECTORS = TABLE_ENTRIES * ENTRY_SIZE // SECTOR
LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def partitions_of(wanted):
    """The partitions as (name, first sector, last sector), from the second megabyte on."""
    result = []
    first = MEGABYTE
    for name, megabytes in wanted:
        result.append((name, first, first + megabytes * MEGABYTE - 1))
        first += megabytes * MEGABYTE
    return result, first + MEGABYTE


def entry(name, first, last):
    return struct.pack("<16s16sQQQ72s", LINUX_DATA.bytes_le, uuid.uuid4().bytes_le, first, last, 0,
                       name.encode("utf-16-le"))


def header(table, disk, sectors, own, other, table_at):
    def pack(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, own, other, 2 + TABLE_SECTORS,
                           sectors - 2 - TABLE_SECTORS, disk.bytes_le, table_at, TABLE_ENTRIES, ENTRY_SIZE,
                           zlib.crc32(table))

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def protective_mbr(sectors):
    one = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    return bytes(446) + one + bytes(48) + b"\x55\xaa"


def make(path, wanted):
    partitions, sectors = partitions_of(wanted)
    table = b"".join(entry(*one) for one in partitions).ljust(TABLE_ENTRIES * ENTRY_SIZE, b"\0")
    disk = uuid.uuid4()
    last = sectors - 1
    with open(path, "wb") as file:
        file.truncate(sectors * SECTOR)
        file.write(protective_mbr(sectors) + header(table, disk, sectors, 1, last, 2) + table)
        file.seek((last - TABLE_SECTORS) * SECTOR)
        file.write(table + header(table, disk, sectors, last, 1, last - TABLE_SECTORS))


def partition(image, name):
    """The first sector and the number of sectors of a partition of the image, a bytes-like object."""
    at, = struct.unpack_from("<Q", image, SECTOR + 72)
    for place in range(at * SECTOR, at * SECTOR + TABLE_ENTRIES * ENTRY_SIZE, ENTRY_SIZE):
        _, _, first, last, _, label = struct.unpack_from("<16s16sQQQ72s", image, place)
        if label.decode("utf-16-le").rstrip("\0") == name:
            return first, last - first + 1
    raise ValueError(f"no partition {name}")


def main(arguments):
    if len(arguments) < 2:
        sys.exit("usage: disk_image.py FILE NAME:MEGABYTES...")
    make(arguments[0], [(name, int(size)) for name, size in (one.split(":") for one in arguments[1:])])


if __name__ == "__main__":
    main(sys.argv[1:])
