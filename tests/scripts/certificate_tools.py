"""Certificates, and TLS by openssl's own programs, for the tests of the certificate tools."""

import ctypes
import os
import select
import signal
import subprocess
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRIPTS = os.path.join(ROOT, "scripts")
OPENSSL = os.path.join(ROOT, "build", "openssl", "bin", "openssl")
WATCHDOG = 60  # seconds; nothing takes so long unless it hangs
PR_SET_PDEATHSIG = 1
ALGORITHMS = {
    "ML-DSA-65": ("-algorithm", "ML-DSA-65"),
    "P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "RSA": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ED25519": ("-algorithm", "ED25519"),
}
CA = "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
LEAF = "basicConstraints=critical,CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
SERVER = LEAF + "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:server.test\n"
CLIENT = LEAF + "extendedKeyUsage=clientAuth\n"


def openssl(*arguments, data=b""):
    """Runs openssl; its standard output."""
    done = subprocess.run([OPENSSL, *arguments], input=data, capture_output=True, timeout=WATCHDOG, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


class Pki:
    """Keys and certificates in a folder: NAME.key, NAME.pem, NAME.der."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, issuer=None, extensions=CA, algorithm="ML-DSA-65", subject=None, dates=("20250101", "20491231")):
        """A certificate; without an issuer it is self-signed."""
        openssl("genpkey", *ALGORITHMS[algorithm], "-out", self.path(name + ".key"))
        request = write(self.path(name + ".extensions"), extensions.encode())
        if issuer is None:
            signer = ["-key", self.path(name + ".key")]
        else:
            public = write(self.path(name + ".pub"), openssl("pkey", "-in", self.path(name + ".key"), "-pubout"))
            signer = ["-CA", self.path(issuer + ".pem"), "-CAkey", self.path(issuer + ".key"), "-force_pubkey", public]
        openssl(
            "x509", "-new", *signer, "-subj", subject or f"/O=Test/CN={name}", "-extfile", request,
            "-not_before", dates[0] + "000000Z", "-not_after", dates[1] + "000000Z", "-out", self.path(name + ".pem"),
        )  # fmt: skip
        openssl("x509", "-in", self.path(name + ".pem"), "-outform", "DER", "-out", self.path(name + ".der"))

    def bundle(self, file, *names):
        return write(self.path(file), b"".join(read(self.path(name + ".pem")) for name in names))

    def pkcs7(self, file, *names, form="DER"):
        named = [word for name in names for word in ("-certfile", self.path(name + ".pem"))]
        return write(self.path(file), openssl("crl2pkcs7", "-nocrl", *named, "-outform", form))

    def pkcs12(self, file, name, others, password, *more):
        chain = self.bundle(file + ".chain", *others)
        openssl(
            "pkcs12", "-export", "-in", self.path(name + ".pem"), "-inkey", self.path(name + ".key"), "-certfile", chain,
            "-out", self.path(file), "-passout", "pass:" + password, *more,
        )  # fmt: skip
        return self.path(file)


class TlsServer:
    """openssl s_server on loopback; `port` is where it listens. Use it in a with statement."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        def die_with_parent():
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        # its standard input stays open: at the end of it, s_server ends connections
        self.process = subprocess.Popen(
            [OPENSSL, "s_server", "-accept", "127.0.0.1:0", *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        try:
            accept = self.line_with(b"ACCEPT ")
            self.port = int(accept.rsplit(b":", 1)[1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(WATCHDOG)
        self.process.stdin.close()
        self.process.stdout.close()

    def line_with(self, wanted):
        """Waits for the next line of its output that begins so."""
        deadline, seen, line = time.monotonic() + WATCHDOG, b"", b""
        while not (line.startswith(wanted) and line.endswith(b"\n")):
            line = b"" if line.endswith(b"\n") else line
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            byte = os.read(self.process.stdout.fileno(), 1) if readable else b""
            if not byte:
                raise AssertionError(f"the server did not write {wanted}: {seen.decode(errors='replace')}")
            line, seen = line + byte, seen + byte
        return line.rstrip(b"\n")
