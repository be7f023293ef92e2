#!/usr/bin/env python3
"""Makes the test certificates of the OEM delivery: an ML-DSA-65 root, a service and a client certificate.

usage: make_test_certs.py [--openssl PROGRAM] FOLDER

FOLDER must be new or empty. Two runs write the same bytes: keys come from seeds that anybody can
compute, signatures are deterministic (FIPS 204, ML-DSA.Sign with rnd = 0), serial numbers and dates
are fixed. So the private keys are public knowledge, and everything here says so: the organisation
in each name, the names of the key files, the text above each key, and TEST-ONLY.sha256, by which
the installer refuses these as an identity in production.
"""

import argparse
import base64
import hashlib
import os
import subprocess
import sys
import tempfile

ORGANISATION = "WvdS TEST ONLY - NOT FOR PRODUCTION"
NOT_BEFORE = "20260101000000Z"
NOT_AFTER = "20460101000000Z"
# the serial numbers spell TEST, and a number
SERIAL = 0x5445535400
LIST = "TEST-ONLY.sha256"
DEFAULT_OPENSSL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "openssl", "bin", "openssl")

ROOT_EXTENSIONS = """basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""
LEAF_EXTENSIONS = """basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = {usage}
subjectAltName = {names}
"""
SERVICE = LEAF_EXTENSIONS.format(
    usage="serverAuth", names="DNS:localhost,DNS:service.test,IP:127.0.0.1,IP:::1"
)
CLIENT = LEAF_EXTENSIONS.format(usage="clientAuth", names="DNS:client.test")

# name, file of the certificate, common name, extensions; each one's serial number follows its place
CERTIFICATES = (
    ("root_ca", "root_ca", "WvdS TEST root CA", ROOT_EXTENSIONS),
    ("service", "service_cert", "WvdS TEST service", SERVICE),
    ("client", "client_cert", "WvdS TEST client", CLIENT),
)

KEY_TEXT = """TEST ONLY - NOT FOR PRODUCTION. Everybody has this private key: its seed is published.
seed = SHA-256("{text}")
     = {seed}
"""
LIST_TEXT = """# SHA-256 of what is for tests only and must never be an identity in production.
# certificate: of its DER form. public-key: of its SubjectPublicKeyInfo in DER.
# private-key: of its PKCS#8 form in DER, as it stands in the .pem file.
"""


def seed_text(name):
    return f"{ORGANISATION}: seed of the {name} key, version 1"


def seed_of(name):
    """32 bytes as hexadecimal digits, as FIPS 204 calls xi."""
    return hashlib.sha256(seed_text(name).encode()).hexdigest()


class Maker:
    def __init__(self, openssl, folder):
        self.program = openssl
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        """Runs openssl without anybody's configuration; its standard output."""
        environment = {**os.environ, "OPENSSL_CONF": os.devnull}
        done = subprocess.run([self.program, *arguments], capture_output=True, check=False, env=environment)
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip()
            raise OSError(f"{self.program} {arguments[0]} failed: {reason}")
        return done.stdout

    def write(self, name, content, mode=0o644):
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)

    def make_key(self, name):
        """Writes the key; the bytes of its PKCS#8 and SubjectPublicKeyInfo."""
        pem = self.openssl("genpkey", "-algorithm", "ML-DSA-65", "-pkeyopt", "hexseed:" + seed_of(name))
        text = KEY_TEXT.format(text=seed_text(name), seed=seed_of(name))
        key = name + "_key.TEST-ONLY.pem"
        self.write(key, text.encode() + pem, 0o600)
        private = self.openssl("pkey", "-in", self.path(key), "-outform", "DER")
        return private, self.openssl("pkey", "-in", self.path(key), "-pubout", "-outform", "DER")

    def signer(self, name, public_file):
        """The root signs itself, and the others."""
        root_key = self.path("root_ca_key.TEST-ONLY.pem")
        if name == "root_ca":
            return ["-key", root_key]
        return ["-CA", self.path("root_ca.pem"), "-CAkey", root_key, "-force_pubkey", public_file]

    def make_certificate(self, number, certificate, public):
        """Writes the certificate for the public key; its bytes."""
        name, file, common_name, extensions = certificate
        with tempfile.TemporaryDirectory() as folder:
            extension_file, public_file = os.path.join(folder, "extensions"), os.path.join(folder, "public")
            with open(extension_file, "w", encoding="ascii") as opened:
                opened.write(extensions)
            with open(public_file, "wb") as opened:
                opened.write(public)
            der = self.openssl(
                "x509", "-new", *self.signer(name, public_file), "-subj", f"/O={ORGANISATION}/CN={common_name}",
                "-set_serial", hex(SERIAL + number), "-not_before", NOT_BEFORE, "-not_after", NOT_AFTER,
                "-sigopt", "deterministic:1", "-extfile", extension_file, "-outform", "DER",
            )  # fmt: skip
        self.write(file + ".der", der)
        self.write(file + ".pem", pem_certificate(der))
        return der

    def make(self):
        lines = []
        for number, certificate in enumerate(CERTIFICATES, 1):
            name = certificate[0]
            private, public = self.make_key(name)
            der = self.make_certificate(number, certificate, public)
            for kind, content in (("certificate", der), ("public-key", public), ("private-key", private)):
                lines.append(f"{hashlib.sha256(content).hexdigest()} {kind} {name}\n")
        self.write(LIST, (LIST_TEXT + "".join(lines)).encode())


def pem_certificate(der):
    return b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n" % wrapped(base64.b64encode(der))


def wrapped(text):
    return b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64))


def make_folder(openssl, folder):
    """All of it or nothing: it is made beside the folder's place, then moved there."""
    if os.path.exists(folder) and os.listdir(folder):
        raise OSError(f"{folder} is not empty; name a new folder")
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as work:
        made = os.path.join(work, "certs")
        os.mkdir(made)
        Maker(openssl, made).make()
        os.rename(made, folder)


def main(arguments):
    parser = argparse.ArgumentParser(description="Makes the test certificates of the OEM delivery.")
    parser.add_argument("--openssl", default=DEFAULT_OPENSSL, metavar="PROGRAM", help="OpenSSL 3.5 or newer")
    parser.add_argument("folder", metavar="FOLDER", help="new or empty")
    options = parser.parse_args(arguments)
    try:
        make_folder(options.openssl, os.path.abspath(options.folder))
    except OSError as error:
        print(f"make_test_certs.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
