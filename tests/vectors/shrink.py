#!/usr/bin/env python3
"""Makes this folder's JSON files from the files of Wycheproof and ACVP.

usage: shrink.py SOURCE [TARGET]

SOURCE has the folders wycheproof/ (its testvectors_v1) and acvp/ (gen-val/json-files of the NIST
ACVP server); TARGET is this folder if left out. README.md names the commits. A case is left out
when the product has no such function; fields are left out when no test reads them. Each file says
in "left_out" how many of the source's cases are missing and why. Binary values are written in
base64 instead of hex, which makes the files a third smaller.
"""

import base64
import json
import os
import sys

EXPANDED = "the product takes private keys as seeds only, not expanded"
PRE_HASH = "HashML-DSA is not offered (OpenSSL has none)"
INTERNAL = "the internal interface without mu is not offered"
EXPANDED_KEY_CHECK = "decapsulation keys in expanded form are not offered"
GIVEN_RND = "hedged signing takes its randomness from the provider only"
GIVEN_M = "encapsulation takes its randomness from the provider only; ACVP's cases show it for a given m"
KEY_SIZE = "the product has AES-256 only"
NONCE_SIZE = "the product has 96-bit nonces only"

TEXT_FIELDS = ("type", "parameterSet", "function", "result", "sha")

# source file -> fields of a group, fields of a case
WYCHEPROOF = {
    "aes_gcm_test.json": (["type"], ["key", "iv", "aad", "msg", "ct", "tag", "result"]),
    "mldsa_44_sign_seed_test.json": (
        ["type", "privateSeed", "privateKeyPkcs8", "publicKey"],
        ["msg", "mu", "ctx", "sig", "result"],
    ),
    "mldsa_65_sign_seed_test.json": (
        ["type", "privateSeed", "privateKeyPkcs8", "publicKey"],
        ["msg", "mu", "ctx", "sig", "result"],
    ),
    "mldsa_44_verify_test.json": (["type", "publicKey"], ["msg", "ctx", "sig", "result"]),
    "mldsa_87_verify_test.json": (["type", "publicKey"], ["msg", "ctx", "sig", "result"]),
    "ecdsa_secp256r1_sha256_test.json": (["publicKey", "sha"], ["msg", "sig", "result"]),
    "ecdsa_secp256r1_sha512_test.json": (["publicKey", "sha"], ["msg", "sig", "result"]),
    "ecdsa_secp384r1_sha256_test.json": (["publicKey", "sha"], ["msg", "sig", "result"]),
    "ecdsa_secp384r1_sha384_test.json": (["publicKey", "sha"], ["msg", "sig", "result"]),
    "mlkem_512_keygen_seed_test.json": (["type", "parameterSet"], ["seed", "ek", "result"]),
    "mlkem_768_keygen_seed_test.json": (["type", "parameterSet"], ["seed", "ek", "result"]),
    "mlkem_1024_keygen_seed_test.json": (["type", "parameterSet"], ["seed", "ek", "result"]),
    "mlkem_512_test.json": (["type", "parameterSet"], ["seed", "c", "K", "result"]),
    "mlkem_1024_test.json": (["type", "parameterSet"], ["seed", "c", "K", "result"]),
    "mlkem_768_encaps_test.json": (["type", "parameterSet"], ["ek", "result"]),
    "mlkem_1024_encaps_test.json": (["type", "parameterSet"], ["ek", "result"]),
}

ACVP = {
    "ML-DSA-keyGen-FIPS204": (["parameterSet"], ["seed", "pk"]),
    "ML-DSA-sigGen-FIPS204-tr1": (
        ["parameterSet", "externalMu"],
        ["seed", "message", "mu", "context", "signature"],
    ),
    "ML-DSA-sigVer-FIPS204": (
        ["parameterSet", "externalMu"],
        ["pk", "message", "mu", "context", "signature", "testPassed"],
    ),
    "ML-KEM-keyGen-FIPS203": (["parameterSet"], ["d", "z", "ek"]),
    "ML-KEM-encapDecap-FIPS203-tr1": (
        ["parameterSet", "function"],
        ["ek", "d", "z", "m", "c", "k", "testPassed"],
    ),
}


def missing_function(group):
    """Why no case of the group applies to the product, or None."""
    if group.get("keySize", 256) != 256:
        return KEY_SIZE
    if group.get("ivSize", 96) != 96:
        return NONCE_SIZE
    if group.get("function") == "decapsulationKeyCheck":
        return EXPANDED_KEY_CHECK
    if group.get("function") == "decapsulation" and group.get("keyFormat") != "seed":
        return EXPANDED
    if group.get("keyFormat") == "expanded":
        return EXPANDED
    if group.get("preHash") == "preHash":
        return PRE_HASH
    if group.get("signatureInterface") == "internal" and not group.get("externalMu"):
        return INTERNAL
    if group.get("deterministic") is False:
        return GIVEN_RND
    return None


def missing_in_case(file_name, case):
    """Why this case of a group that applies is left out, or None."""
    if case.get("rnd"):
        return GIVEN_RND
    if file_name.endswith("_encaps_test.json") and case["result"] == "valid":
        return GIVEN_M
    return None


def encoded(name, value):
    if name == "publicKey" and isinstance(value, dict):
        value = value["uncompressed"]  # an EC public key, in its several forms
    if isinstance(value, str) and name not in TEXT_FIELDS:
        return base64.b64encode(bytes.fromhex(value)).decode("ascii")
    return value


def pick(source, fields):
    return {name: encoded(name, source[name]) for name in fields if source.get(name) is not None}


def shrink(document, origin, file_name, group_fields, case_fields):
    groups, left_out = [], {}
    for group in document["testGroups"]:
        reason = missing_function(group)
        kept = []
        for case in group["tests"]:
            why = reason or missing_in_case(file_name, case)
            if why:
                left_out[why] = left_out.get(why, 0) + 1
            else:
                kept.append({"tcId": case["tcId"], **pick(case, case_fields)})
        if kept:
            groups.append({**pick(group, group_fields), "tests": kept})
    return {
        "origin": origin,
        "left_out": [{"reason": reason, "cases": count} for reason, count in sorted(left_out.items())],
        "testGroups": groups,
    }


def write(path, document):
    """One case a line, so that a change shows as such."""
    def line(value):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=True)

    with open(path, "w", encoding="ascii") as out:
        out.write('{"origin":' + line(document["origin"]) + ",\n")
        out.write('"left_out":' + line(document["left_out"]) + ',\n"testGroups":[\n')
        for number, group in enumerate(document["testGroups"]):
            head = {name: value for name, value in group.items() if name != "tests"}
            out.write((",\n" if number else "") + line(head)[:-1] + ("," if head else "") + '"tests":[\n')
            out.write(",\n".join(line(case) for case in group["tests"]) + "\n]}")
        out.write("\n]}\n")


def load(path):
    with open(path, encoding="utf-8") as source:
        document = json.load(source)
    return document[-1] if isinstance(document, list) else document


def acvp_document(folder):
    """A file with inputs and results together, or the two joined on tcId."""
    whole = os.path.join(folder, "internalProjection.json")
    if os.path.exists(whole):
        return load(whole)
    document = load(os.path.join(folder, "prompt.json"))
    results = load(os.path.join(folder, "expectedResults.json"))
    by_id = {case["tcId"]: case for group in results["testGroups"] for case in group["tests"]}
    for group in document["testGroups"]:
        for case in group["tests"]:
            case.update(by_id[case["tcId"]])
    return document


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__)
        return 2
    source = arguments[0]
    target = arguments[1] if len(arguments) == 2 else os.path.dirname(os.path.abspath(__file__))
    for family in ("wycheproof", "acvp"):
        os.makedirs(os.path.join(target, family), exist_ok=True)
    for name, fields in WYCHEPROOF.items():
        document = load(os.path.join(source, "wycheproof", name))
        origin = f"C2SP/wycheproof testvectors_v1/{name}"
        write(os.path.join(target, "wycheproof", name), shrink(document, origin, name, *fields))
    for name, fields in ACVP.items():
        document = acvp_document(os.path.join(source, "acvp", name))
        origin = f"usnistgov/ACVP-Server gen-val/json-files/{name}"
        write(os.path.join(target, "acvp", name + ".json"), shrink(document, origin, name, *fields))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
