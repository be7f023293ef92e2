"""EST servers that this project did not write, in a root of their own (make_root.sh)."""

import json
import os
import select
import socket
import subprocess
import sys
import time

from est_client import openssl
from test_ca import BINARIES, WATCHDOG, TestCa, die_with_parent

ROOT = os.path.join(BINARIES, "tests/est/peer_root")
HERE = os.path.dirname(os.path.abspath(__file__))


def missing():
    """Why the peers can't run here, or nothing."""
    if os.path.exists(os.path.join(ROOT, "root/usr/bin/estserver")):
        return ""
    try:
        with open(os.path.join(ROOT, "reason"), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "no root was made (make_root.sh)"


class Peer:
    """Servers in the root, in a network of their own that has loopback only. `port` on 127.0.0.1 leads to them; bytes
    are carried as they are, so TLS ends where the peer ends it. `folder` is /mnt inside."""

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700)
        self.folder = folder
        self.process = None
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content)
        return self.path(name)

    def run(self, commands, ports, environment=None):
        wanted = {
            "root": os.path.join(ROOT, "root"), "folder": self.folder, "commands": commands, "ports": ports,
            "environment": environment or {}, "listener": self.listener.fileno(),
        }  # fmt: skip
        identity = [] if os.geteuid() == 0 else ["--map-auto", "--map-root-user"]
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    "unshare", *identity, "--net", "--mount", "--pid", "--fork", "--kill-child",
                    sys.executable, "-B", os.path.join(HERE, "inside.py"), json.dumps(wanted),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[self.listener.fileno()],
                preexec_fn=die_with_parent,
            )  # fmt: skip
        readable, _, _ = select.select([self.process.stdout], [], [], WATCHDOG)
        if not readable or self.process.stdout.readline() != b"ready\n":
            raise AssertionError("the peer did not start:\n" + self.log())

    def stop(self):
        """Ends it; connections are refused then. It can be started again, at the same port."""
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(WATCHDOG)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(WATCHDOG)
            self.process.stdout.close()
            self.process = None

    def close(self):
        self.stop()
        self.listener.close()

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()


class EstServer(Peer):
    """libest's demo server, which issues from a CA on ECDSA P-256 (or RSA) for requests of RSA, ECDSA and ML-DSA.

    root.pem is its CA. Credentials: estuser, estpwd. Options: "-h" Digest, "-m SECONDS" the first POST of a key is answered
    with 202 (60 to 172,800 seconds, else 3,600), "-t" demands the link to the TLS session, "-o" a client certificate
    instead of HTTP authentication, "-n" no HTTP authentication at all.

    Its ways, as peers_test.py holds them:
    - TLS 1.2 at most; hence no ML-DSA in TLS. An ML-DSA certificate that it issued can't renew itself here.
    - Answers of operations are HTTP/1.0 with a Status header and Content-Length, and the connection ends; errors are
      HTTP/1.1 with text. A 202 has no Content-Length.
    - Base64 in lines of 64, with Content-Transfer-Encoding; /cacerts without smime-type.
    - Its own CSR attributes (without EST_CSR_ATTR and -t) end with a zero byte behind the base64. With -t it adds
      challengePassword to them. Short ones (one OBJECT IDENTIFIER) make it answer 500.
    - 401 without Authorization has a challenge; 401 after a wrong password has none; a request without a right link
      gets 401 too, with "Proof of Possession Mismatch".
    - The Digest challenge names no algorithm, which means MD5.
    - A client certificate counts beside HTTP authentication, not in its place, unless -o was given.
    - Bodies over 8,192 bytes get 413 (a request for ML-DSA-87 has 9,900 in base64). Labels get 404, as in Debian's build.
    - Names of the request are taken over by the CA configuration here (copy_extensions).
    - Server-side keys are RSA-4096, as multipart/mixed.
    """

    PORT = 8085
    CREDENTIAL = ("estuser", "estpwd")

    CONFIG = """
[ca]
default_ca = ca_default
[ca_default]
dir = /mnt
database = $dir/index.txt
new_certs_dir = $dir/issued
certificate = $dir/root.pem
serial = $dir/serial
private_key = $dir/root.key
default_days = 30
default_md = sha256
policy = policy
email_in_dn = no
name_opt = ca_default
cert_opt = ca_default
copy_extensions = copy
x509_extensions = device
unique_subject = no
[policy]
commonName = supplied
serialNumber = optional
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

    def __init__(self, folder, options=(), csrattrs=None, algorithm=("EC", "-pkeyopt", "ec_paramgen_curve:P-256")):
        super().__init__(folder)
        self.options = options
        self.csrattrs = csrattrs
        self.root = self.path("root.pem")
        self.write("ca.cnf", self.CONFIG)
        self.write("index.txt", "")
        self.write("serial", "1000\n")
        os.mkdir(self.path("issued"))
        self.make_ca(algorithm)

    def make_ca(self, algorithm):
        name = "[req]\nprompt = no\ndistinguished_name = name\n[name]\nCN = "
        for who in ("root", "server"):
            openssl("genpkey", "-algorithm", *algorithm, "-out", self.path(who + ".key"))
        usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("req", "-x509", "-config", self.write("root.cnf", name + "estserver CA\n"), "-key", self.path("root.key"),
                "-days", "30", *usage, "-out", self.root)  # fmt: skip
        openssl("req", "-x509", "-config", self.write("server.cnf", name + "localhost\n"), "-key", self.path("server.key"),
                "-days", "30", "-CA", self.root, "-CAkey", self.path("root.key"),
                "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", self.path("server.pem"))  # fmt: skip

    def command(self):
        return ["estserver", "-p", str(self.PORT), "-c", "/mnt/server.pem", "-k", "/mnt/server.key", "-r", "estrealm",
                *self.options]  # fmt: skip

    def environment(self):
        return {
            "EST_TRUSTED_CERTS": "/mnt/root.pem", "EST_CACERTS_RESP": "/mnt/root.pem",
            "EST_OPENSSL_CACONFIG": "/mnt/ca.cnf", **({"EST_CSR_ATTR": self.csrattrs} if self.csrattrs else {}),
        }  # fmt: skip

    def start(self):
        self.run([self.command()], [self.PORT], self.environment())


NGINX = """
daemon off;
user root;
pid /mnt/nginx.pid;
error_log /dev/stderr info;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path /mnt/body;
  proxy_temp_path /mnt/proxy;
  fastcgi_temp_path /mnt/fastcgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_protocols {protocols};
    ssl_ecdh_curve X25519MLKEM768:SecP256r1MLKEM768:X25519:prime256v1;
    ssl_certificate /mnt/front.pem;
    ssl_certificate_key /mnt/front.pem;
    ssl_client_certificate /mnt/clients.pem;
    ssl_verify_client optional;
    ssl_verify_depth 3;
    location / {{
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-SSL-Protocol $ssl_protocol;
      proxy_set_header X-SSL-Curve $ssl_curve;
      proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
      proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
{upstream}
    }}
  }}
}}
"""


class Nginx(Peer):
    """nginx with OpenSSL 3.6: ends TLS before a server that knows less of it, with certificates that `front`, a TestCa,
    made (ML-DSA-65). `root` is whom its clients trust. A request that is linked to the TLS session can't be checked
    behind it."""

    PORT = 8443

    def __init__(self, folder, front, protocols="TLSv1.3"):
        super().__init__(folder)
        self.front = front
        self.root = front.root
        self.protocols = protocols

    def run_before(self, upstream, commands=(), ports=(), environment=None):
        self.write("nginx.conf", NGINX.format(port=self.PORT, protocols=self.protocols, upstream=upstream))
        for source, name in (("server.pem", "front.pem"), ("root.pem", "clients.pem")):
            with open(os.path.join(self.front.folder, source), encoding="utf-8") as file:
                self.write(name, file.read())
        nginx = ["nginx", "-p", "/mnt", "-c", "/mnt/nginx.conf", "-e", "/dev/stderr"]
        self.run([*commands, nginx], [self.PORT, *ports], environment)


class NginxBeforeTestCa(Nginx):
    """The test CA `ca` behind nginx, over HTTP on a Unix socket; which client certificate nginx saw stands in headers."""

    def __init__(self, folder, algorithm="ML-DSA-65", settings=None, protocols="TLSv1.3"):
        self.ca = TestCa(folder + "-ca", algorithm, http_socket=folder + "/ca.socket", settings=settings)
        super().__init__(folder, self.ca, protocols)

    def start(self):
        self.ca.start()
        self.run_before("      proxy_pass http://unix:/mnt/ca.socket;")

    def stop(self):
        super().stop()
        self.ca.stop()


class NginxBeforeEstServer(Nginx):
    """estserver behind nginx: TLS 1.3, a hybrid group and an ML-DSA-65 certificate (of the test CA `front`) before a
    server that has TLS 1.2 at most. `issuer` is the path of estserver's CA, who issues. Authentication is by HTTP: a client
    certificate ends at nginx."""

    def __init__(self, folder, options=(), csrattrs=None):
        self.estserver = EstServer(folder + "-estserver", options, csrattrs)
        self.estserver.listener.close()
        self.issuer = self.estserver.root
        super().__init__(folder, TestCa(folder + "-front"))

    def start(self):
        self.front.start()
        subprocess.run(["cp", "-r", self.estserver.folder + "/.", self.folder], check=True)
        upstream = f"""
      proxy_pass https://127.0.0.1:{self.estserver.PORT};
      proxy_ssl_protocols TLSv1.2;
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_ssl_trusted_certificate /mnt/root.pem;"""
        self.run_before(upstream, [self.estserver.command()], [self.estserver.PORT], self.estserver.environment())

    def stop(self):
        super().stop()
        self.front.stop()
