"""ECDSA keys in the tool: sign, verify, import, with OpenSSL's own program as the other side."""

import json
import os
import unittest

from programs import OPENSSL
from tool_test import ToolTest


class EcdsaSignatures(ToolTest):
    SPKI = {
        "P-256": "3059301306072a8648ce3d020106082a8648ce3d030107034200",
        "P-384": "3076301006072a8648ce3d020106052b81040022036200",
    }

    def setUp(self):
        super().setUp()
        self.openssl = os.path.join(OPENSSL, "bin/openssl")
        self.message = self.write("message", b"message")
        self.signature = self.path("signature")

    def key(self, curve="P-256", *options):
        label = "today" + curve
        self.generate("ECDSA-" + curve.replace("-", ""), "--label", label, "--public", self.path("public"), *options)
        self.write("spki", bytes.fromhex(self.SPKI[curve]) + self.read("public"))
        return label

    def openssl_verifies(self, message, hash_word, exit_status=0):
        self.run_program([self.openssl, "dgst", "-" + hash_word, "-keyform", "DER", "-verify", self.path("spki"),
                          "-signature", self.signature, message], exit_status)  # fmt: skip

    def test_have_the_usual_hash_of_their_curve(self):
        for curve, hash_word, other in (("P-256", "sha256", "sha384"), ("P-384", "sha384", "sha256")):
            label = self.key(curve)
            self.tool("sign", label, self.message, "-o", self.signature)
            self.openssl_verifies(self.message, hash_word)
            self.openssl_verifies(self.message, other, exit_status=1)
            self.assertEqual(self.tool("verify", self.signature, self.message, "--key", label), b"valid\n")
            self.tool("verify", self.signature, self.message, "--public", self.path("public"))
            self.complaint("verify", self.signature, self.message, "--key", label, "--hash", other)

    def test_have_the_hash_that_is_asked_for(self):
        label = self.key()
        self.tool("sign", label, self.message, "--hash", "sha512", "-o", self.signature)
        self.openssl_verifies(self.message, "sha512")
        self.tool("verify", self.signature, self.message, "--key", label, "--hash", "sha512")
        self.complaint("verify", self.signature, self.message, "--key", label)
        self.complaint("sign", label, self.message, "--hash", "sha1", exit_status=2)

    def test_of_files_larger_than_a_request_are_of_the_same_kind(self):
        label = self.key("P-384")
        for size in (58050, 58051, 65323, 65324, 1_000_000):
            large = self.write("large", os.urandom(size))
            self.tool("sign", label, large, "-o", self.signature)
            self.openssl_verifies(large, "sha384")
            self.tool("verify", self.signature, "--key", label, input=self.read("large"))
            self.tool("verify", self.signature, large, "--public", self.path("public"))
            self.complaint("verify", self.signature, self.message, "--key", label)

    def test_need_no_label(self):
        number = self.generate("ECDSA-P384", "--public", self.path("public"))
        self.write("spki", bytes.fromhex(self.SPKI["P-384"]) + self.read("public"))
        self.tool("sign", number, self.message, "-o", self.signature)
        self.openssl_verifies(self.message, "sha384")
        self.tool("verify", self.signature, self.message, "--key", number)
        self.tool("verify", self.signature, self.message, "--key", number, "--hash", "sha384")

    def test_of_openssl_are_valid(self):
        private = self.path("private.pem")
        self.run_program([self.openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "group:P-256", "-out", private])
        self.run_program([self.openssl, "pkcs8", "-topk8", "-nocrypt", "-in", private, "-outform", "DER",
                          "-out", self.path("private.der")])  # fmt: skip
        self.run_program([self.openssl, "dgst", "-sha256", "-sign", private, "-out", self.signature, self.message])
        self.tool("key", "import", "ECDSA-P256", self.path("private.der"), "--format", "pkcs8", "--label", "theirs",
                  "--public", self.path("public"))  # fmt: skip
        self.tool("verify", self.signature, self.message, "--key", "theirs")
        self.tool("verify", self.signature, self.message, "--public", self.path("public"))
        self.write("spki", bytes.fromhex(self.SPKI["P-256"]) + self.read("public"))
        self.tool("sign", "theirs", self.message, "-o", self.signature)
        self.openssl_verifies(self.message, "sha256")
        self.complaint("key", "import", "ECDSA-P384", self.path("private.der"), "--format", "pkcs8")
        self.run_program([self.openssl, "pkey", "-in", private, "-outform", "DER", "-out", self.path("alone.der")])
        number = self.tool("key", "import", "ECDSA-P256", self.path("alone.der"), "--format", "pkcs8").decode().strip()
        self.assertEqual(self.tool("key", "public", number), self.read("public"))

    def test_of_an_imported_scalar_are_valid(self):
        scalar = self.write("scalar", bytes(31) + b"\x07")
        self.tool("key", "import", "ECDSA-P256", scalar, "--format", "raw", "--label", "seven")
        self.tool("sign", "seven", self.message, "-o", self.signature)
        self.tool("verify", self.signature, self.message, "--key", "seven")
        self.complaint("key", "import", "ECDSA-P256", self.write("zero", bytes(32)), "--format", "raw")

    def test_are_valid_for_older_versions_of_the_key(self):
        label = self.key()
        self.tool("sign", label, self.message, "-o", self.signature)
        self.assertEqual(self.tool("key", "rotate", label, "--public", self.path("newer")), b"version 2\n")
        self.tool("verify", self.signature, self.message, "--key", label)
        self.complaint("verify", self.signature, self.message, "--public", self.path("newer"))

    def test_have_no_context_and_ml_dsa_has_no_hash(self):
        label = self.key()
        self.complaint("sign", label, self.message, "--context", "invoice", exit_status=2)
        self.complaint("sign", label, self.message, "--deterministic", exit_status=2)
        self.generate("ML-DSA-44", "--label", "signer")
        text = self.complaint("sign", "signer", "--hash", "sha256", input=b"", exit_status=2)
        self.assertIn("ML-DSA has its own", text)
        self.complaint("key", "generate", "ECDSA-P256", "--inside-token", exit_status=2)
        self.complaint("key", "generate", "ECDSA-P256", "--usage", "sign-mu")

    def test_of_a_user_who_may_not_ask_about_keys_need_the_hash(self):
        number = self.generate("ECDSA-P256")
        self.server.stop()
        with open(self.server.config, encoding="utf-8") as file:
            config = json.load(file)
        config["clients"][0]["operations"] = ["ecdsa-sign", "ecdsa-verify"]
        with open(self.server.config, "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.server.start()
        self.complaint("sign", number, self.message)
        self.tool("sign", number, self.message, "--hash", "sha256", "-o", self.signature)
        self.tool("verify", self.signature, self.message, "--key", number, "--hash", "sha256")


if __name__ == "__main__":
    unittest.main()
