"""inside.py JSON: runs servers in a root, a network and a process table of their own, and carries what comes to a socket
from outside in to them.

Started by peers.py through `unshare --net --mount --pid --fork`: as process 1, so that all ends with it. The network has
loopback only: a server that listens on all addresses is seen by nobody else. JSON: "root", "folder" (becomes /mnt),
"commands" (in the root), "environment", "listener" (the file descriptor of the socket outside), "ports" (that are waited for; the first is the one that the socket
leads to)."""

import fcntl
import json
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def furnish(root, folder):
    """What a program expects in a root. The mounts are seen by this process and its children only."""
    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", root + "/proc")
    for device in ("null", "urandom", "random"):
        mount("--bind", "/dev/" + device, f"{root}/dev/{device}")
    mount("--bind", folder, root + "/mnt")


def carry(source, sink):
    """Bytes one way until their end."""
    try:
        while block := source.recv(65536):
            sink.sendall(block)
    except OSError:
        pass
    for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def carry_both(outside, port):
    try:
        inside = socket.create_connection(("127.0.0.1", port))
    except OSError:
        outside.close()  # as if nobody listened
        return
    with outside, inside:
        back = threading.Thread(target=carry, args=(inside, outside))
        back.start()
        carry(outside, inside)
        back.join()


def accept(listener, port):
    while True:
        outside, _ = listener.accept()
        threading.Thread(target=carry_both, args=(outside, port), daemon=True).start()


def wait_until_it_listens(port, servers):
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        for server in servers:
            if server.poll() is not None:
                sys.exit(f"{server.args} ended with {server.returncode}")
        select.select([], [], [], 0.01)


def main():
    wanted = json.loads(sys.argv[1])
    listener = socket.socket(fileno=wanted["listener"])
    loopback_up()
    furnish(wanted["root"], wanted["folder"])
    servers = [
        subprocess.Popen(
            ["chroot", wanted["root"], *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **wanted["environment"]},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            cwd="/",
        )
        for command in wanted["commands"]
    ]
    for port in wanted["ports"]:
        wait_until_it_listens(port, servers)
    print("ready", flush=True)
    threading.Thread(target=accept, args=(listener, wanted["ports"][0]), daemon=True).start()
    while sys.stdin.buffer.read(1):  # until whoever started it is gone
        pass
    for server in servers:
        server.send_signal(signal.SIGKILL)


main()
