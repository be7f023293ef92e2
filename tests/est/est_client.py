"""EST by hand, with openssl's programs and Python only: to see that the peers behave before the product meets them."""

import base64
import hashlib
import os
import re
import select
import ssl
import socket
import subprocess
import tempfile
import time

from test_ca import OPENSSL, WATCHDOG

PROGRAM = os.path.join(OPENSSL, "bin/openssl")
CONFIG = """[req]
prompt = no
string_mask = utf8only
distinguished_name = name
attributes = attributes
[name]
CN = {name}
[attributes]
"""


def openssl(*arguments, data=b""):
    """Runs openssl; its standard output."""
    done = subprocess.run([PROGRAM, *arguments], input=data, capture_output=True, timeout=WATCHDOG, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


class Answer:
    """An HTTP answer: status, headers (lower case, the last of each name), body without its framing."""

    def __init__(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}).*", lines[0])
        if not match:
            raise AssertionError(f"no HTTP answer: {data[:200]!r}")
        self.version = match[1]
        self.status = int(match[2])
        self.all_headers = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
        self.headers = {name.lower(): value for name, value in self.all_headers}
        self.raw = body
        self.body = self.unchunked(body) if self.headers.get("transfer-encoding") == "chunked" else body

    @staticmethod
    def unchunked(data):
        body = b""
        while True:
            size, _, data = data.partition(b"\r\n")
            if int(size, 16) == 0:
                return body
            body += data[: int(size, 16)]
            data = data[int(size, 16) + 2 :]

    def der(self):
        return base64.b64decode(self.body)

    def certificates(self):
        """The certificates of a certs-only answer, in PEM."""
        text = openssl("pkcs7", "-inform", "DER", "-print_certs", data=self.der()).decode()
        return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.DOTALL)


def message(operation, body=None, label=None, headers=(), prefix="/.well-known/est"):
    """A request: POST where there is a body (DER of a request for a certificate)."""
    target = prefix + (f"/{label}" if label else "") + "/" + operation
    lines = [f"{'GET' if body is None else 'POST'} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    data = b""
    if body is not None:
        data = base64.encodebytes(body)
        lines += ["Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64", f"Content-Length: {len(data)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + data


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def digest(challenge, method, target, user, password, digest_name):
    """RFC 7616 section 3.4, with qop=auth."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))

    def hashed(text):
        return hashlib.new(digest_name, text.encode()).hexdigest()

    secret = hashed(f"{user}:{given['realm']}:{password}")
    asked = hashed(f"{method}:{target}")
    response = hashed(f"{secret}:{given['nonce']}:00000001:0a4f113b:auth:{asked}")
    algorithm = f", algorithm={given['algorithm']}" if "algorithm" in given else ""
    opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
    return (
        f'Authorization: Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{target}", '
        f'response="{response}", qop=auth, nc=00000001, cnonce="0a4f113b"{algorithm}{opaque}'
    )


class Session:
    """One TLS connection by `openssl s_client`, which knows ML-DSA. `binding` is the tls-exporter (RFC 9266), where it is
    asked for."""

    def __init__(self, port, root, certificate=None, key=None, options=("-tls1_3",), with_binding=False):
        self.errors = tempfile.TemporaryFile()
        exported = ["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32", "-ign_eof", "-nocommands"]
        self.process = subprocess.Popen(
            [
                PROGRAM, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-CAfile", root,
                "-verify_return_error", "-verify_hostname", "localhost", *options,
                *(exported if with_binding else ["-quiet"]), *(["-cert", certificate, "-key", key] if certificate else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )  # fmt: skip
        self.output = b""
        self.binding = b""
        if with_binding:
            self.read_until(rb"Keying material: ([0-9A-F]+)\n")
            self.binding = bytes.fromhex(re.search(rb"Keying material: ([0-9A-F]+)\n", self.output)[1].decode())

    def send(self, request):
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what s_client says tells why

    def read_until(self, pattern):
        """Reads until the pattern was read, or the end."""
        deadline = time.monotonic() + WATCHDOG
        while not pattern or not re.search(pattern, self.output):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                self.close()
                raise AssertionError(f"nothing more came after {self.output!r}")
            block = os.read(self.process.stdout.fileno(), 65536)
            if not block:
                return
            self.output += block

    def ask(self, request):
        self.send(request)
        self.read_until(None)
        reason = self.close()
        # s_client tells of session tickets in the middle of the data
        data = re.sub(rb"(?s)---\nPost-Handshake New Session Ticket arrived:.*?---\nread R BLOCK\n", b"", self.output)
        begin = data.find(b"HTTP/1.")
        if begin < 0:
            raise ConnectionError(reason)
        return Answer(data[begin:].removesuffix(b"closed\n"))

    def close(self):
        """What s_client had to say."""
        self.process.kill()
        self.process.wait(WATCHDOG)
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        with self.errors as errors:
            errors.seek(0)
            return errors.read().decode("latin-1")


def ask(port, root, request, **settings):
    """One request on a connection of its own."""
    return Session(port, root, **settings).ask(request)


class PythonSession:
    """One TLS 1.2 connection by Python's own TLS, which knows tls-unique (RFC 5929)."""

    def __init__(self, port, root):
        context = ssl.create_default_context(cafile=root)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        plain = socket.create_connection(("127.0.0.1", port), WATCHDOG)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.binding = self.socket.get_channel_binding("tls-unique")

    def ask(self, request):
        with self.socket:
            self.socket.sendall(request)
            data = b""
            while block := self.socket.recv(65536):
                data += block
        return Answer(data)


class Device:
    """A key and what is asked for it. `folder` gets NAME.key."""

    def __init__(self, folder, name, algorithm="ML-DSA-65", names="DNS:device.example"):
        self.folder = folder
        self.name = name
        self.names = names
        self.key = os.path.join(folder, name + ".key")
        self.certificate = os.path.join(folder, name + ".pem")
        chosen = ["EC", "-pkeyopt", "ec_paramgen_curve:" + algorithm] if algorithm.startswith("P-") else [algorithm]
        openssl("genpkey", "-algorithm", *chosen, "-out", self.key)

    def request(self, binding=None, subject=None, names=None):
        """A PKCS#10 request in DER; `binding` is linked to it as RFC 7030 section 3.5 says."""
        config = os.path.join(self.folder, self.name + ".cnf")
        text = CONFIG.format(name=subject or self.name)
        if binding is not None:
            text += "challengePassword = " + base64.b64encode(binding).decode() + "\n"
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        return openssl(
            "req", "-new", "-config", config, "-key", self.key, "-outform", "DER",
            "-addext", "subjectAltName=" + (names or self.names),
        )  # fmt: skip

    def public(self):
        return openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")

    def keep(self, pem):
        with open(self.certificate, "w", encoding="utf-8") as file:
            file.write(pem)


def der(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


ML_DSA_65 = bytes.fromhex("300b0609608648016503040312")


def possession_request(kem, signer, with_certificate=True):
    """A request for an ML-KEM key, signed by another key, of ML-DSA-65, that has a certificate (RFC 9883)."""
    certificate = openssl("x509", "-in", signer.certificate, "-outform", "DER")
    info = openssl("asn1parse", "-in", signer.certificate).decode()
    # TBSCertificate: version, serialNumber, signature, issuer ... at depth 2
    fields = [
        (int(offset), int(header) + int(length))
        for offset, depth, header, length in re.findall(r"^ *(\d+):d=(\d) +hl=(\d+) +l= *(\d+)", info, re.MULTILINE)
        if depth == "2"
    ]
    part = [certificate[offset : offset + size] for offset, size in fields]
    statement = der(0x30, der(0x30, part[3], part[1]), certificate if with_certificate else b"")
    attribute = der(0x30, bytes.fromhex("060a2b0601040181ac600201"), der(0x31, statement))
    extensions = der(0x30, bytes.fromhex("06092a864886f70d01090e"), der(0x31, der(0x30, alternative_names(signer.names))))
    request_info = der(0x30, b"\x02\x01\x00", part[5], kem.public(), der(0xA0, attribute, extensions))
    path = os.path.join(kem.folder, "info")
    with open(path, "wb") as file:
        file.write(request_info)
    signature = openssl("pkeyutl", "-sign", "-inkey", signer.key, "-rawin", "-in", path)
    return der(0x30, request_info, ML_DSA_65, der(0x03, b"\0", signature))


def alternative_names(names):
    """subjectAltName with one DNS name."""
    name = names.removeprefix("DNS:").encode()
    return der(0x30, bytes.fromhex("0603551d11"), der(0x04, der(0x30, der(0x82, name))))
