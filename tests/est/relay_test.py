"""est_service without a network of its own: a client relays; and a network that spoils what it carries."""

import os
import random
import signal
import socket
import subprocess
import threading
import unittest

from gateway import GatewayTest
from test_ca import BINARIES, WATCHDOG, die_with_parent

EST_RELAY = os.path.join(BINARIES, "examples/est_relay")
RELAY_RIGHT = "est-relay"


class Relay(GatewayTest):
    """The example examples/est_relay carries the bytes."""

    def relayed(self, ca, **settings):
        gateway = self.gateway(ca, start=False, transport="relay", **settings)
        gateway.config["clients"][0]["operations"].append(RELAY_RIGHT)
        gateway.start()
        return gateway

    def relay(self, gateway):
        silent = subprocess.DEVNULL
        process = subprocess.Popen(
            [EST_RELAY, gateway.socket], stdout=silent, stderr=silent, preexec_fn=die_with_parent
        )
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        process.wait(WATCHDOG)

    def test_carries_an_enrolment_and_a_renewal(self):
        ca = self.ca()
        gateway = self.relayed(ca)
        self.relay(gateway)
        first = gateway.wait_for_certificate()
        self.verify(ca.root, first)
        gateway.renew()
        gateway.wait_for_certificate(other_than=first)
        self.assertEqual(ca.requests("simplereenroll")[0]["authenticated"], "certificate")

    def test_that_is_not_there_is_a_named_failure_and_one_that_comes_later_is_used(self):
        ca = self.ca()
        gateway = self.relayed(ca, timeout_s=1, retry={"first_s": 1, "longest_s": 1})
        trust = gateway.wait_for_trust(lambda trust: trust["failures"] > 0)
        self.assertEqual(trust["last_failure"]["name"], "connect-failed")
        self.assertIn("relay", trust["last_failure"]["detail"])
        gateway.config["est"]["timeout_s"] = 60
        gateway.restart_est()
        self.relay(gateway)
        self.verify(ca.root, gateway.wait_for_certificate())

    def test_that_dies_leaves_the_certificate_in_use_and_the_next_one_goes_on(self):
        ca = self.ca()
        gateway = self.relayed(ca, timeout_s=10, retry={"first_s": 1, "longest_s": 1})
        relay = self.relay(gateway)
        first = gateway.wait_for_certificate()
        ca.rule("simplereenroll", 1, fault="stall")
        gateway.renew()
        ca.wait_for(lambda _: ca.requests("simplereenroll"))
        relay.kill()
        failed = gateway.wait_for_failure(after=first)
        self.assertEqual(failed["current"]["chain"], first["current"]["chain"])
        # the second: it tried the password too, and nobody relayed
        self.assertIn(failed["last_failure"]["name"], ("connection-lost", "connect-failed"))
        self.relay(gateway)
        gateway.wait_for_certificate(other_than=first)


class BadNetwork:
    """A TCP proxy that spoils the first `spoiled` connections, and carries the rest in pieces of any size."""

    def __init__(self, port, spoiled, seed):
        self.target = port
        self.spoiled = spoiled
        self.random = random.Random(seed)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(WATCHDOG)
        for end in self.connections:
            end.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.connections += [client, server]
            way = self.random.choice(["cut", "flip", "drop", "swap"]) if self.spoiled > 0 else ""
            self.spoiled -= 1
            at = self.random.randrange(0, 9000)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(source, sink, way, at), daemon=True).start()

    def carry(self, source, sink, way, at):
        carried, held = 0, b""
        try:
            while data := source.recv(self.random.randint(1, 4096)):
                if way and carried <= at < carried + len(data):
                    if way == "cut":
                        break
                    data = self.spoil(data, way, at - carried)
                    if way == "swap":
                        held, data = data, b""
                elif held:
                    data, held = data + held, b""
                carried += len(data) + len(held)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def spoil(data, way, at):
        if way == "flip":
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        return data[:at] + data[at + 1 :] if way == "drop" else data


class Network(GatewayTest):
    def test_that_cuts_drops_flips_and_swaps_bytes_delays_the_certificate_and_no_more(self):
        for seed in range(2):
            with self.subTest(seed=seed):
                ca = self.ca(name=f"ca{seed}")
                network = BadNetwork(ca.port, 4, seed)
                self.addCleanup(network.stop)
                gateway = self.gateway(
                    ca,
                    name=f"g{seed}",
                    server=f"https://localhost:{network.port}",
                    timeout_s=3,
                    retry={"first_s": 1, "longest_s": 1},
                )
                self.verify(ca.root, gateway.wait_for_certificate())


if __name__ == "__main__":
    unittest.main(verbosity=2)
