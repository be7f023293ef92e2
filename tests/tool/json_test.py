"""What wvds prints with --json, held against what the man pages say of it."""

import json
import os
import re
import unittest

from programs import BINARIES, TOOL
from tool_test import ToolTest


def documented(page):
    """The members that the page of a command lists."""
    with open(os.path.join(BINARIES, "man", f"wvds-{page}.1"), encoding="utf-8") as file:
        text = file.read()
    section = text.split('.SH "JSON OUTPUT"\n')[1].split("\n.SH ")[0]
    return {name.replace("\\-", "-") for name in re.findall(r"^\.TP\n\\fB(.*)\\fR$", section, re.MULTILINE)}


LEAVES = ("metrics.operations[].by_status",)  # an object whose members are names of statuses


def members(value, path=""):
    """All members of an object, as the pages write them."""
    if isinstance(value, dict) and path not in LEAVES:
        return {name for key, inner in value.items() for name in members(inner, f"{path}.{key}" if path else key)}
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return {name for inner in value for name in members(inner, path + "[]")}
    return {path}


class Json(ToolTest):
    def json(self, *arguments, exit_status=0):
        """The object that a command prints: one line, and nothing else."""
        text = self.tool(*arguments, "--json", exit_status=exit_status).decode()
        self.assertEqual(text.count("\n"), 1, text)
        return json.loads(text)

    def assert_documented(self, page, value, without=()):
        self.assertEqual(members(value) | set(without), documented(page))

    def test_of_status(self):
        self.generate("AES-256-GCM", "--label", "k")
        self.server.stop()
        self.set_use_limit(16)
        self.server.start()
        for _ in range(12):
            self.tool("encrypt", "k", input=b"data")
        status = self.json("status")
        self.assertEqual((status["fips_mode"], status["fips_state"]), ("required", "active"))
        self.assertEqual(status["persistent_keys"], 1)
        self.assertIn("AES_ENCRYPT", status["operations"])
        self.assertEqual(status["metrics"]["most_used_keys"][0]["use_limit"], 16)
        encryptions = [line for line in status["metrics"]["operations"] if line["operation"] == "AES_ENCRYPT"]
        self.assertEqual(encryptions[0]["by_status"], {"SUCCESS": 12})
        self.assert_documented("status", status, without={"metrics"})

    def test_of_status_without_the_right_to_metrics(self):
        self.server.stop()
        with open(self.server.config, encoding="utf-8") as file:
            config = json.load(file)
        config["clients"][0]["operations"].remove("metrics")
        with open(self.server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.server.start()
        self.assertIsNone(self.json("status")["metrics"])
        self.assertNotIn("since start", self.tool("status").decode())

    def set_use_limit(self, limit):
        with open(self.server.config, encoding="utf-8") as file:
            config = json.load(file)
        config["keys"] = {"use_limit": limit}
        with open(self.server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def test_of_capabilities(self):
        offer = self.json("capabilities")
        self.assertEqual(offer["requests_per_second"], 1000)
        self.assertIn("AES-256-GCM", [algorithm["algorithm"] for algorithm in offer["algorithms"]])
        self.assert_documented("capabilities", offer)

    def test_of_keys_that_are_made(self):
        made = self.json("key", "generate", "AES-256-GCM", "--label", "k")
        self.assert_documented("key-generate", made)
        self.assertEqual(made["key"], self.json("key", "info", "k")["key"])
        imported = self.json("key", "import", "AES-256-GCM", self.write("material", bytes(32)), "--format", "raw")
        self.assert_documented("key-import", imported)
        rotated = self.json("key", "rotate", "k")
        self.assertEqual(rotated, {"key": made["key"], "version": 2})
        self.assert_documented("key-rotate", rotated)

    def test_of_keys_that_are_shown(self):
        number = int(self.generate("AES-256-GCM", "--label", 'with "quotes"'))
        listed = self.json("key", "list")
        self.assertEqual([key["label"] for key in listed["keys"]], ['with "quotes"'])
        self.assert_documented("key-list", listed)
        info = self.json("key", "info", str(number))
        self.assertEqual((info["key"], info["replay_window"], info["is_inside_fips"]), (number, False, True))
        self.assert_documented("key-info", info)
        self.tool("key", "delete", str(number))
        self.assertEqual(self.json("key", "list"), {"keys": []})

    def test_of_a_signature(self):
        self.generate("ML-DSA-65", "--label", "signer")
        self.tool("sign", "signer", "-o", self.path("signature"), input=b"message")
        self.write("message", b"message")
        self.assertEqual(self.json("verify", self.path("signature"), self.path("message"), "--key", "signer"), {"valid": True})

    def test_of_the_doctor(self):
        done = self.run_program([TOOL, "doctor", "--config", self.server.config, "--json"])
        self.assert_documented("doctor", json.loads(done.stdout))

    def test_says_the_same_as_the_text(self):
        """Every number and word of the text is in the object too, so that no script has to read the text."""
        self.generate("AES-256-GCM", "--label", "k")
        text = self.tool("key", "info", "k").decode()
        for word in ("AES-256-GCM", "persistent", "encrypt"):
            self.assertIn(word, text)
            self.assertIn(word, json.dumps(self.json("key", "info", "k")))

    def test_leaves_errors_where_they_were(self):
        text = self.complaint("key", "info", "nothing", "--json")
        self.assertIn('"nothing"', text)
        done = self.run_program([TOOL, "--socket", self.server.socket, "key", "info", "nothing", "--json"], 1)
        self.assertEqual(done.stdout, b"")

    def test_is_not_for_commands_that_give_bytes(self):
        self.generate("ML-DSA-65", "--label", "signer")
        for arguments in (["random", "16"], ["key", "public", "signer"], ["sign", "signer"], ["encrypt", "signer"]):
            self.assertIn('"--json" is no option', self.complaint(*arguments, "--json", exit_status=2, input=b""))


class Bench(ToolTest):
    def bench(self, *arguments, exit_status=0):
        command = [TOOL, "--socket", self.server.socket, "bench", "--seconds", "0.02", *arguments]
        return self.run_program(command, exit_status)

    def set_client(self, **values):
        self.server.stop()
        with open(self.server.config, encoding="utf-8") as file:
            config = json.load(file)
        config["clients"][0].update(values)
        with open(self.server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.server.start()

    def test_measures_every_operation(self):
        self.set_client(rate_limit={"requests_per_second": 0})
        result = json.loads(self.bench("--json").stdout)
        self.assertEqual(members(result), documented("bench"))
        runs = {(run["operation"], run["bytes"], run["mode"]): run for run in result["results"]}
        self.assertEqual([run["problem"] for run in runs.values() if run["problem"]], [])
        for operation in ("aes-encrypt", "aes-decrypt"):
            for size in (64, 1024, 16384, 65502):
                for mode in ("simple", "pipelined"):
                    run = runs[operation, size, mode]
                    self.assertGreater(run["count"], 0)
                    self.assertGreater(run["rate"], 0)
                    self.assertGreaterEqual(run["p99_us"], run["median_us"])
                    self.assertAlmostEqual(run["mb_per_second"], run["rate"] * size / 1e6)
        for operation in (
            "mldsa-sign", "mldsa-verify", "ecdsa-sign", "ecdsa-verify", "mlkem-keygen", "mlkem-encaps", "mlkem-decaps",
            "ping",
        ):  # fmt: skip
            self.assertIn(operation, {name for name, _, _ in runs})

    def test_leaves_no_key(self):
        self.set_client(rate_limit={"requests_per_second": 0})
        self.bench()
        status = json.loads(self.tool("status", "--json"))
        self.assertEqual((status["persistent_keys"], status["memory_keys"]), (0, 0))

    def test_says_when_it_would_measure_the_rate_limit(self):
        self.set_client(rate_limit={"requests_per_second": 10, "burst": 8, "cooldown_ms": 50})
        done = self.bench("--operation", "ping", "--json", exit_status=1)
        for run in json.loads(done.stdout)["results"]:
            self.assertIn("RATE_LIMITED: the limit of 10 requests a second, burst 8", run["problem"])
            self.assertEqual((run["rate"], run["median_us"]), (None, None))
        self.assertIn(b"gave no figure", done.stderr)
        self.assertRegex(self.bench("--operation", "ping", exit_status=1).stdout.decode(), r"(?m)^ping .* RATE_LIMITED")

    def test_says_what_this_user_may_not_do(self):
        self.set_client(operations=["key-generate", "aes-encrypt"], rate_limit={"requests_per_second": 0})
        result = json.loads(self.bench("--json").stdout)
        self.assertIn("DENIED", [run["problem"] for run in result["results"] if run["operation"] == "mldsa-sign"][0])
        self.bench("--operation", "mldsa-sign", exit_status=1)

    def test_prints_a_table(self):
        self.set_client(rate_limit={"requests_per_second": 0})
        lines = self.bench("--operation", "ping", "--operation", "mlkem-encaps", "--mode", "simple").stdout.decode().splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[1], r"^OPERATION +BYTES +MODE +COUNT +MEDIAN us +P99 us +REQUESTS/s +MB/s$")
        self.assertRegex(lines[2], r"^ping +- +simple +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9,]+ +-$")

    def test_takes_only_operations_that_there_are(self):
        self.complaint("bench", "--operation", "aes", exit_status=2)


if __name__ == "__main__":
    unittest.main()
