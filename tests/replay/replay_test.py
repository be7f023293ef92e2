"""Power cuts on paper: l4re/replay_log.py over a record that is made here, without L4Re and QEMU."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

L4RE = pathlib.Path(__file__).resolve().parents[2] / "l4re"
PROGRAMS = pathlib.Path(os.environ["WVDS_REPLAY_PROGRAMS"])
sys.path.insert(0, str(L4RE))

import disk_image  # noqa: E402  (it is beside the scripts)

WRONG = 3
SUPER, ENTRY = 512, 512


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.key, cls.record, cls.before = (str(cls.folder / name) for name in ("key", "record", "before.img"))
        pathlib.Path(cls.key).write_bytes(os.urandom(32))
        os.chmod(cls.key, 0o600)
        disk_image.make(cls.before, [("store", 1), ("marks", 1)])
        image = pathlib.Path(cls.before).read_bytes()
        first, sectors = disk_image.partition(image, "store")
        marks, _ = disk_image.partition(image, "marks")
        subprocess.run([PROGRAMS / "wvds_replay_record", cls.record, cls.key, str(first), str(sectors), str(marks)],
                       check=True)

    def replay(self, *more, record=None, cuts=150):
        return subprocess.run([sys.executable, "-B", L4RE / "replay_log.py", "--before", self.before, "--checker",
                               PROGRAMS / "wvds_replay_check", "--key", self.key, "--cuts", str(cuts), *more,
                               record or self.record], capture_output=True, text=True, check=False)

    def changed(self, name, change):
        record = bytearray(pathlib.Path(self.record).read_bytes())
        change(record)
        path = self.folder / name
        path.write_bytes(record)
        return str(path)

    def test_every_disk_is_right(self):
        done = self.replay()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(": 0 disks were wrong", done.stdout)

    def test_a_missing_flush_is_noticed(self):
        done = self.replay("--without-flush")
        self.assertEqual(done.returncode, WRONG, done.stdout + done.stderr)

    def test_a_key_that_was_acknowledged_too_early_is_noticed(self):
        # The first key's line moves to the first entry, before anything of the store was written.
        def move(record):
            at = record.index(b"key 1 1 ")
            mark = bytes(record[at - ENTRY:at + 512])
            del record[at - ENTRY:at + 512]
            record[SUPER:SUPER] = mark
        done = self.replay(record=self.changed("early", move))
        self.assertEqual(done.returncode, WRONG, done.stdout + done.stderr)

    def test_another_key_than_the_acknowledged_one_is_noticed(self):
        def change(record):
            at = record.index(b"key 1 2 ") + len("key 1 2 ")
            record[at] ^= 1
        done = self.replay(record=self.changed("another", change))
        self.assertEqual(done.returncode, WRONG, done.stdout + done.stderr)

    def test_what_is_no_record_is_refused(self):
        for name, change in (("magic", lambda record: record.__setitem__(0, 0)),
                             ("short", lambda record: record.__delitem__(slice(-10, None)))):
            done = self.replay(record=self.changed(name, change))
            self.assertNotIn(done.returncode, (0, WRONG), done.stdout)


if __name__ == "__main__":
    unittest.main()
