#!/usr/bin/env python3
"""install.sh is killed before each thing that it changes: what was installed works, and the next run completes it."""

import os
import shutil
import unittest

from bed import ARCH, InstallTest, snapshot

OPENSSL = """#!/bin/sh
echo 'SHA2 : (KAT_Digest) : Pass'
case $2 in
  -verify) exec grep -q . "$6" ;;           # fipsinstall -verify -module FILE -in FILE
  -module) echo 'module-mac = 00' >"$5" ;;  # fipsinstall -module FILE -out FILE
esac
echo 'INSTALL PASSED'
"""


class Interrupted(InstallTest):
    def light(self, name, version):
        """A delivery whose programs do nothing, since install.sh is run more than a hundred times."""

        def lighten(tree):
            for folder in ("bin", "lib"):
                for file in os.listdir(os.path.join(tree, folder, ARCH)):
                    self.write(os.path.join(tree, folder, ARCH, file), OPENSSL if file == "openssl" else "#!/bin/sh\n")

        return self.delivery(name, version, lighten)

    def restore(self, saved):
        shutil.rmtree(self.root)
        shutil.copytree(saved, self.root, symlinks=True, copy_function=self.copy)
        # copytree keeps neither owners nor the times of folders
        for folder, folders, files in os.walk(saved):
            for name in folders + files:
                path = os.path.join(folder, name)
                about = os.lstat(path)
                restored = os.path.join(self.root, os.path.relpath(path, saved))
                os.chown(restored, about.st_uid, about.st_gid, follow_symlinks=False)

    @staticmethod
    def copy(source, to, follow_symlinks=True):
        os.link(source, to, follow_symlinks=False)  # install.sh replaces files, it never writes into one

    def save(self, name):
        saved = os.path.join(self.folder, name)
        shutil.move(self.root, saved)
        os.makedirs(self.root)
        self.restore(saved)
        return saved

    def interrupt_everywhere(self, saved, *arguments, tree, check):
        """From the state `saved`: one run that is let be, then one for each point at which it is killed and run again."""
        points = self.points(*arguments, tree=tree)
        whole = snapshot(self.root)
        for number, text in points:
            with self.subTest(before=text, number=number):
                self.restore(saved)
                self.interrupt(number, *arguments, tree=tree)
                check()
                self.install(*arguments, tree=tree)
                self.assertEqual(whole, snapshot(self.root))
        return [text for _, text in points]

    def test_a_first_installation(self):
        saved = self.save("saved")
        points = self.interrupt_everywhere(saved, tree=self.light("1", "1.0"), check=lambda: None)
        self.assertTrue(any(text.startswith("mv -T") for text in points), points)
        self.assertGreater(len(points), 40)

    def test_an_upgrade(self):
        before, after = self.light("1", "1.0"), self.light("2", "2.0")
        self.install(tree=before)
        unit = os.path.join(self.root, "etc/systemd/system/wvds-crypto.service")  # so that there is something to do after the switch
        self.write(unit, "# another version's\n", "a")
        saved = self.save("saved")

        def check():
            version = "2.0" if os.readlink(self.current()).startswith("2.0") else "1.0"
            self.assert_whole(version)
            seen.add(version)

        seen = set()
        self.interrupt_everywhere(saved, tree=after, check=check)
        self.assertEqual(seen, {"1.0", "2.0"})

    def test_a_removal(self):
        tree = self.light("1", "1.0")
        self.install(tree=tree)
        for arguments in (["--uninstall"], ["--uninstall", "--purge-keys"]):
            with self.subTest(arguments=arguments):
                saved = self.save("saved" + str(len(arguments)))
                self.interrupt_everywhere(saved, *arguments, tree=tree, check=lambda: None)
                self.restore(saved)


if __name__ == "__main__":
    unittest.main()
