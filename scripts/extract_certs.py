#!/usr/bin/env python3
"""Takes certificates out of what a CA, an EST server or a TLS server hands out, and checks their chain.

Reads PEM bundles, DER, PKCS#12 and PKCS#7 (PEM, DER, or the bare base64 body that EST sends), or asks
a TLS server. Prints each certificate, checks the chain with `openssl verify`, and with --out writes
each as NAME.pem and NAME.der, named by its role:

  root_ca, intermediate_ca   CA certificates; self-signed or not
  service_cert, client_cert  by extended key usage: TLS server or TLS client alone; what a TLS server
                             sends first is its service_cert
  leaf                       every other one
  service_key.pem, ...       with --keys: the private key of each, not encrypted, mode 0600

Several of one role are numbered from _1, intermediate CAs from the leaf upwards. A self-signed root
found in the input is trusted for the check: compare its fingerprint, or name what you trust (--ca).

Needs Python 3.8 and an openssl program of OpenSSL 3.5 or newer, which knows ML-DSA: the one named
with --openssl, else the delivery's (bin/MACHINE/openssl or bin/openssl beside this script's folder),
else the one in PATH. Passwords never stand on a command line.

exit status: 0 all is right; 1 the chain is not right, or something could not be read or written;
2 wrong usage: wrong options, no fit openssl, files that exist already
"""

import argparse
import base64
import binascii
import getpass
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile

SIZE_LIMIT = 16 << 20
COUNT_LIMIT = 100
WATCHDOG = 60  # seconds for an openssl that works on files
NAME_OPTIONS = ("-nameopt", "RFC2253,-esc_msb")
KEY_ONLY = "no_header,no_version,no_serial,no_signame,no_validity,no_subject,no_issuer,no_extensions,no_sigdump,no_aux"
BLOCK = re.compile(rb"^-----BEGIN ([A-Z0-9 #]+)-----[ \r]*$(.*?)^-----END \1-----", re.DOTALL | re.MULTILINE)
NAMES = {"server": "service_cert", "client": "client_cert"}
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
HINTS = {
    "7": "the certificate found under its issuer's name did not sign it, or it was changed",
    "9": "it is not valid yet, or this machine's clock is wrong",
    "10": "get a new one, or set this machine's clock if it is wrong",
    "19": "no certificate named with --ca is its root",
    "20": "name its issuer's file too, or with --ca",
    "62": "the server has no certificate for that name",
}


def blocks(text):
    """(label, block, body) of each PEM block."""
    return [(match[1].decode(), match[0] + b"\n", match[2]) for match in BLOCK.finditer(text)]


def certificate_blocks(text):
    return [block for label, block, _ in blocks(text) if label in CERTIFICATE_LABELS]


class Failed(Exception):
    status = 1


class WrongUse(Failed):
    status = 2


def printable(text):
    """Names come from strangers: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


class OpenSsl:
    def __init__(self, program):
        self.program = program

    def run(self, *arguments, data=b"", password=None, timeout=WATCHDOG):
        """(exit status, output, error output). Nobody but the user can read the environment."""
        environment = dict(os.environb)
        if password is not None:
            environment[b"EXTRACT_CERTS_PASSWORD"] = password
            arguments += ("-passin", "env:EXTRACT_CERTS_PASSWORD")
        command = [self.program, *arguments]
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=timeout, env=environment)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def must(self, what, *arguments, **more):
        code, output, error = self.run(*arguments, **more)
        if code != 0:
            raise Failed(f"{what} ({reason(error)})")
        return output


def reason(error):
    """What openssl gives as the reason, out of all that it writes."""
    found = re.search(r"^[^:]*:error:[^:]*:[^:]*:[^:]*:([^:\n]*)", error, re.MULTILINE)
    return printable(found[1] if found else (error.strip() or "openssl gives no reason").split("\n")[0])


def find_openssl(named):
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bin")
    near = [os.path.join(beside, os.uname().machine, "openssl"), os.path.join(beside, "openssl")]
    places = [named] if named else [*near, "openssl"]
    program = next(filter(None, map(shutil.which, places)), None)
    needed = "OpenSSL 3.5 or newer is needed; name one with --openssl"
    if program is None:
        raise WrongUse(f"no openssl program at {', '.join(places)}: {needed}")
    openssl = OpenSsl(program)
    if b"ML-DSA-65" not in openssl.run("list", "-signature-algorithms")[1]:
        version = printable(openssl.run("version")[1].decode(errors="replace").strip())
        raise WrongUse(f"{program} is {version or 'no OpenSSL'}, which can't do ML-DSA: {needed}")
    return openssl


class Password:
    """Looked for once, and only when something needs it."""

    def __init__(self, file, variable):
        self.file, self.variable, self.value = file, variable, None

    def get(self, what):
        if self.value is None and self.file:
            with open(self.file, "rb") as file:
                self.value = file.read(4096).split(b"\n")[0].rstrip(b"\r")
        elif self.value is None and self.variable:
            self.value = os.environb[os.fsencode(self.variable)]
        elif self.value is None and sys.stdin.isatty():
            self.value = getpass.getpass(f"Password of {printable(what)}: ").encode()
        elif self.value is None:
            raise Failed(f"{what}: needs a password: give it with --password-file or --password-env")
        return self.value


class Certificate:
    def __init__(self, openssl, der):
        self.der, self.role, self.name, self.sha256 = der, "", "", hashlib.sha256(der).hexdigest()

        def ask(*what):
            show = ("x509", "-inform", "DER", "-noout", *what)
            return openssl.must("a certificate is damaged", *show, data=der).decode(errors="replace")

        head = ask("-subject", "-issuer", "-serial", "-dates", "-dateopt", "iso_8601", *NAME_OPTIONS)
        fields = dict(line.split("=", 1) for line in head.split("\n") if "=" in line)
        self.subject, self.issuer = printable(fields["subject"]), printable(fields["issuer"])
        self.serial, self.not_before, self.not_after = fields["serial"], fields["notBefore"], fields["notAfter"]
        self.key_type = key_type(ask("-text", "-certopt", KEY_ONLY))
        self.extensions = ask("-ext", "basicConstraints,extendedKeyUsage,subjectKeyIdentifier,authorityKeyIdentifier")

    def extension(self, name, pattern):
        found = re.search(name + r":[^\n]*\n\s+(?:keyid:)?" + pattern, self.extensions)
        return found and found[1]

    def issued(self, other):
        """By name and key identifier, as X.509 finds issuers; the signature is for openssl to check."""
        own = self.extension("Subject Key Identifier", "([0-9A-F:]+)")
        wanted = other.extension("Authority Key Identifier", "([0-9A-F:]{5,})")
        same_name = " ".join(self.subject.split()).casefold() == " ".join(other.issuer.split()).casefold()
        return same_name and (own is None or wanted is None or own == wanted)

    def usage_role(self):
        usage = self.extension("Extended Key Usage", "(.*)") or ""
        found = [role for role in ("Server", "Client") if f"TLS Web {role} Authentication" in usage]
        return found[0].lower() if len(found) == 1 else "leaf"

    def public_key(self, openssl):
        return openssl.run("x509", "-noout", "-pubkey", data=self.pem())[1]

    def pem(self):
        return ssl.DER_cert_to_PEM_cert(self.der).encode()


def key_type(text):
    def field(pattern, otherwise):
        found = re.search(pattern, text)
        return printable(found[1]) if found else otherwise

    name = field(r"Public Key Algorithm: (.*)", "unknown")
    if name == "id-ecPublicKey":
        return "ECDSA " + field(r"NIST CURVE: (.*)", field(r"ASN1 OID: (.*)", "with explicit parameters"))
    if name in ("rsaEncryption", "rsassaPss"):
        return ("RSA " if name == "rsaEncryption" else "RSA-PSS ") + field(r"Public-Key: \((\d+) bit", "?")
    return name


class Reader:
    """Collects certificates (DER) and private keys (as found, with what they are called in messages)."""

    def __init__(self, openssl, password):
        self.openssl, self.password = openssl, password
        self.certificates, self.keys, self.form = [], [], ""

    def add(self, what, found, if_none):
        if not found and if_none:
            raise Failed(f"{what}: {if_none}")
        for certificate in found:
            message = f"{what}: no certificate, or a damaged one"
            der = self.openssl.must(message, "x509", "-outform", "DER", data=certificate)
            self.certificates += [der] if der not in self.certificates else []
        if len(self.certificates) > COUNT_LIMIT:
            raise Failed(f"{what}: more than {COUNT_LIMIT} certificates")

    def file(self, path):
        what = "standard input" if path == "-" else path
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            data = file.read(SIZE_LIMIT + 1).lstrip(b"\xef\xbb\xbf\r\n\t ")
        if len(data) > SIZE_LIMIT or not data:
            raise Failed(f"{what}: " + ("larger than 16 MB; this can't be certificates" if data else "the file is empty"))
        read = self.pem if b"-----BEGIN " in data else self.der if data[:1] == b"\x30" else self.base64
        read(what, data)

    def base64(self, what, data):
        """EST's bodies are base64 with line ends and nothing else (RFC 7030, section 4; RFC 8951)."""
        try:
            der = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error:
            der = b""
        if der[:1] != b"\x30":
            raise Failed(f"{what}: neither PEM nor DER nor base64 of certificates, PKCS#7 or PKCS#12")
        self.der(what, der)

    def pem(self, what, data):
        found, certificates = blocks(data), certificate_blocks(data)
        if len(found) != data.count(b"-----BEGIN "):
            raise Failed(f"{what}: a PEM block has no END line of its own; the file is cut off or damaged")
        keys = [(what, block) for label, block, _ in found if label.endswith("PRIVATE KEY")]
        messages = [body for label, _, body in found if label in ("PKCS7", "CMS", "PKCS #7 SIGNED DATA")]
        if not certificates + keys + messages:
            raise Failed(f"{what}: holds no certificate, but: {', '.join(label for label, _, _ in found)}")
        self.form = "PEM" if certificates else ""
        self.keys += keys
        self.add(what, certificates, "")
        for body in messages:
            self.base64(what, body)

    def der(self, what, data):
        """openssl tells the outer structure, and that is enough to know what it is."""
        code, output, _ = self.openssl.run("asn1parse", "-inform", "DER", data=data)
        pattern = r"^ *\d+:d=([01]) .*?(?:prim|cons): (.*?) *(?::(.*))?$"
        lines = re.findall(pattern, output.decode(errors="replace"), re.MULTILINE)
        if code != 0 or [depth for depth, _, _ in lines].count("0") != 1:
            raise Failed(f"{what}: the DER is cut off or damaged, or something follows it")
        inner = [(kind, value) for depth, kind, value in lines if depth == "1"] + [("", "")] * 2
        if inner[0][0] == "OBJECT":
            self.pkcs7(what, data)
        elif inner[0] == ("INTEGER", "03"):
            self.pkcs12(what, data)
        elif inner[0][0] == "INTEGER" or inner[1][0].startswith("OCTET STRING"):
            self.keys.append((what, data))
        else:
            self.add(what, [data], "")

    def pkcs7(self, what, data):
        output = self.openssl.must(f"{what}: unreadable PKCS#7", "pkcs7", "-inform", "DER", "-print_certs", data=data)
        self.add(what, certificate_blocks(output), "the PKCS#7 holds no certificates")

    def pkcs12(self, what, data):
        """An empty password is tried first, so that nobody is asked without need."""
        password = b""
        code, output, error, extra = self.open_pkcs12(data, password)
        if code != 0:
            password = self.password.get(what)
            code, output, error, extra = self.open_pkcs12(data, password)
        if code != 0 and "invalid password" in error:
            raise Failed(f"{what}: the password is wrong, or the file was changed")
        if code != 0:
            why = "its algorithm is too old for this openssl; export it with AES-256" if extra else "is it damaged?"
            raise Failed(f"{what}: the PKCS#12 can't be read: {why} ({reason(error)})")
        show_keys = ("pkcs12", "-nocerts", "-noenc", *extra)
        self.add(what, certificate_blocks(output), "the PKCS#12 holds no certificates")
        keys = self.openssl.must(f"{what}: a key can't be read", *show_keys, data=data, password=password)
        self.keys += [(what, block) for _, block, _ in blocks(keys)]

    def open_pkcs12(self, data, password):
        for extra in ((), ("-legacy",)):
            code, output, error = self.openssl.run("pkcs12", "-nokeys", *extra, data=data, password=password)
            if "unsupported" not in error:
                break
        return code, output, error, extra

    def server(self, address, name, timeout):
        command = ("s_client", "-connect", address, "-showcerts", *(("-servername", name) if name else ()))
        try:
            _, output, error = self.openssl.run(*command, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{address}: no answer within {timeout} s") from None
        self.form = "TLS server"
        self.add(address, certificate_blocks(output), f"no certificate came from there ({reason(error)})")

    def open_key(self, what, key):
        """The key as PKCS#8 and its public key, both PEM."""
        encrypted = b"ENCRYPTED" in key or self.openssl.run("pkey", "-noout", data=key, password=b"")[0] != 0
        password = self.password.get(what) if encrypted else b""
        message = f"{what}: the private key can't be read; is {'the password wrong' if encrypted else 'it damaged'}?"
        opened = self.openssl.must(message, "pkey", data=key, password=password)
        return opened, self.openssl.must(message, "pkey", "-pubout", data=opened)


class Chain:
    """Who issued whom, what is wrong, and what each certificate is called."""

    def __init__(self, openssl, certificates, anchors, form, host):
        self.openssl, self.form, self.host = openssl, form, host
        self.given, self.anchors = certificates, anchors
        self.problems, self.notes = [], []
        issuers = [one for one in certificates if any(one.issued(other) for other in certificates if other is not one)]
        ends = [one for one in certificates if one not in issuers] or certificates[:1]
        self.paths = [self.path(end) for end in ends]
        self.certificates = list(dict.fromkeys([one for path in self.paths for one in path] + certificates))
        self.name_all(issuers)

    def path(self, one):
        found = []
        while one is not None:
            found.append(one)
            others = (other for other in self.given if other not in found and other.issued(one))
            one = None if one.issued(one) else next(others, None)
        return found

    def name_all(self, issuers):
        for one in self.certificates:
            if one in issuers or one.extension("Basic Constraints", "(CA:TRUE)"):
                one.role = "root_ca" if one.issued(one) else "intermediate_ca"
            else:
                one.role = "server" if self.form == "TLS server" and one is self.given[0] else one.usage_role()
        for role in {one.role for one in self.certificates}:
            same = [one for one in self.certificates if one.role == role]
            for number, one in enumerate(same, 1):
                one.name = NAMES.get(role, role) + (f"_{number}" if len(same) > 1 else "")

    def check_shape(self):
        """Roots alone are no chains. Whoever sends a chain sends the leaf, then each one's issuer (RFC 8446, 4.4.2)."""
        tops = {path[-1].issuer: path[0].subject for path in self.paths if path[0].role != "root_ca"}
        if len(tops) > 1 and not self.anchors:
            self.problems.append(f"{len(tops)} chains unrelated to each other: {'; '.join(tops.values())}")
        matters = self.form in ("PEM", "TLS server") and len(self.paths) == 1 and len(self.paths[0]) == len(self.given)
        if matters and self.paths[0] != self.given:
            self.problems.append("wrong order: it should be " + ", ".join(one.name for one in self.paths[0]))

    def check_signatures(self):
        roots = self.anchors or [one for one in self.given if one.issued(one)]
        if roots and not self.anchors:
            self.notes.append("the root is taken from the input: compare its fingerprint, or name it with --ca")
        more = ["-no-CAfile", "-no-CApath", "-no-CAstore"] + (["-partial_chain"] if self.anchors else [])
        with tempfile.TemporaryDirectory() as folder:
            for number, one in enumerate(self.given + self.anchors):
                one.path = os.path.join(folder, str(number))
                with open(one.path, "wb") as file:
                    file.write(one.pem())
            more += [word for one in self.given if one not in roots for word in ("-untrusted", one.path)]
            for one in self.certificates:
                # of roots with the same name and no identifier of their issuer's key, openssl looks at the first
                nearest = sorted(roots, key=lambda root: root is not one)
                trusted = [word for root in nearest for word in ("-trusted", root.path)]
                host = ["-verify_hostname", self.host] if self.host and one is self.given[0] else []
                self.verify(one, *more, *trusted, *host)

    def verify(self, one, *more):
        """What is wrong with an issuer is told once, although each certificate below it shows it."""
        code, output, error = self.openssl.run("verify", "-check_ss_sig", *NAME_OPTIONS, *more, one.path)
        pattern = r"^(.*)\nerror (\d+) at \d+ depth lookup: (.*)$"
        found = re.findall(pattern, output.decode(errors="replace") + error, re.MULTILINE)
        for name, number, text in found or [(one.subject, "", reason(error))] * (code != 0):
            number, text = ("20", "its issuer was not found") if number in ("2", "20", "21") else (number, text)
            problem = printable(f"{name}: {text}") + (f"; {HINTS[number]}" if number in HINTS else "")
            if problem not in self.problems:
                self.problems.append(problem)


def open_keys(reader, chain):
    """Files of the private keys, each named by its certificate."""
    files = {}
    for what, key in reader.keys:
        opened, public = reader.open_key(what, key)
        owners = [one for one in chain.certificates if one.public_key(reader.openssl) == public]
        if not owners:
            raise Failed(f"{what}: a private key belongs to none of the certificates")
        files[owners[0].name.replace("_cert", "") + "_key.pem"] = opened
    return files


def write_files(folder, files, force):
    there = [name for name in files if os.path.lexists(os.path.join(folder, name))]
    if there and not force:
        raise WrongUse(f"{folder} has already {', '.join(there)}; --force overwrites")
    os.makedirs(folder, exist_ok=True)
    for name in there:
        os.unlink(os.path.join(folder, name))
    for name, content in files.items():
        # a key's file can be read by its owner alone, from the first byte on
        mode = 0o600 if name.endswith("_key.pem") else 0o644
        descriptor = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def show(report):
    for one in report["certificates"]:
        print(f"{one['name']}  ({one['role']})")
        print(f"  subject      {one['subject']}\n  issuer       {one['issuer']}\n  serial       {one['serial']}")
        print(f"  key          {one['key_type']}\n  valid        {one['not_before']} to {one['not_after']}")
        print(f"  fingerprint  SHA-256 {one['sha256']}")
    for text in report["written"] + [f"note: {note}" for note in report["notes"]]:
        print(text)
    if report["certificates"]:
        print("chain: " + ("right" if report["chain_right"] else "NOT RIGHT"), flush=True)
    for text in report["problems"]:
        print(f"extract_certs.py: {text}", file=sys.stderr)


def arguments_of(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="what to read; - is standard input")
    add("--connect", metavar="HOST:PORT", help="ask this TLS server")
    add("--servername", metavar="NAME", help="name to ask the server for (SNI); its certificate must have it")
    add("--timeout", type=int, default=15, metavar="SECONDS", help="for the server's answer (15)")
    add("--ca", metavar="FILE", help="certificates to trust, instead of roots that are found in the input")
    add("--out", metavar="FOLDER", help="write the certificates there; without it, nothing is written")
    add("--force", action="store_true", help="overwrite files")
    add("--unchecked", action="store_true", help="write also when the chain is not right")
    add("--keys", action="store_true", help="write private keys too")
    add("--password-file", metavar="FILE", help="its first line is the password")
    add("--password-env", metavar="NAME", help="name of the environment variable with the password")
    add("--json", action="store_true", help="print JSON")
    add("--openssl", metavar="PROGRAM", help="OpenSSL 3.5 or newer")
    options = parser.parse_args(words)
    address = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}"
    wrong = {
        "name files, or a server with --connect": bool(options.files) == bool(options.connect),
        "--connect takes HOST:PORT or [IPv6]:PORT": options.connect and not re.fullmatch(address, options.connect),
        "--servername goes with --connect": options.servername and not options.connect,
        "--keys goes with --out": options.keys and not options.out,
        "--password-file or --password-env, not both": options.password_file and options.password_env,
        "no such environment variable": options.password_env and options.password_env not in os.environ,
    }
    for message in [message for message, holds in wrong.items() if holds]:
        parser.error(message)
    return options


def work(options, report):
    """Fills the report."""
    openssl = find_openssl(options.openssl)
    reader = Reader(openssl, Password(options.password_file, options.password_env))
    anchors = Reader(openssl, reader.password)
    for path in options.files:
        reader.file(path)
    if options.connect:
        reader.server(options.connect, options.servername, options.timeout)
    if options.ca:
        anchors.file(options.ca)
    for one in (reader, anchors) if options.ca else (reader,):
        if not one.certificates:
            raise Failed(f"{one.keys[0][0]}: holds a private key and no certificate")
    certificates, trusted = ([Certificate(openssl, der) for der in one.certificates] for one in (reader, anchors))
    chain = Chain(openssl, certificates, trusted, reader.form if len(options.files) < 2 else "", options.servername)
    chain.check_shape()
    chain.check_signatures()
    names = ("name", "role", "subject", "issuer", "serial", "key_type", "not_before", "not_after", "sha256")
    report["certificates"] = [{name: getattr(one, name) for name in names} for one in chain.certificates]
    report.update(problems=chain.problems, notes=chain.notes, chain_right=not chain.problems)
    if reader.keys and not options.keys:
        report["notes"].append("private keys were left alone; --keys writes them")
    if not options.out or (chain.problems and not options.unchecked):
        report["notes"].append("nothing was written; " + ("--unchecked" if options.out else "--out FOLDER") + " writes")
        return
    files = open_keys(reader, chain) if options.keys else {}
    for one in chain.certificates:
        files.update({one.name + ".pem": one.pem(), one.name + ".der": one.der})
    write_files(options.out, files, options.force)
    report["written"] = [os.path.join(options.out, name) for name in sorted(files)]


def main(words):
    options = arguments_of(words)
    sys.stdout.reconfigure(errors="backslashreplace")
    report = {"ok": False, "chain_right": False, "certificates": [], "written": [], "notes": [], "problems": []}
    try:
        work(options, report)
        code = 1 if report["problems"] else 0
    except (Failed, OSError, ValueError, subprocess.TimeoutExpired, EOFError) as error:
        code = getattr(error, "status", 1)
        known = isinstance(error, OSError) and error.filename
        report["problems"].append(printable(f"{error.filename}: {error.strerror}" if known else str(error)))
    report["ok"] = code == 0
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        show(report)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
