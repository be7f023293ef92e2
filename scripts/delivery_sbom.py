"""The bill of materials of the delivery, SPDX 2.3: its files, what is linked into them, and what they load.

Versions come from the package lists of the build; the licences are those of the parts that the product uses.
"""

import hashlib
import json
import os
import re
import time
import uuid
from dataclasses import dataclass
from urllib.parse import quote


class Wrong(Exception):
    """What is wrong, and what to do about it."""


@dataclass
class Component:
    name: str
    package: str  # Debian's name, a regular expression
    licence: str
    relation: str  # of the product to the component, as SPDX calls it
    how: str


# Of each component: what the product has to do with it. Headers that only describe an interface are used while building.
COMPONENTS = (
    Component("Boost", r"libboost[0-9.]+-dev", "BSL-1.0", "STATIC_LINK", "HTTP parser (Beast), headers only"),
    Component("nlohmann-json", r"nlohmann-json3-dev", "MIT", "STATIC_LINK", "reads config.json, headers only"),
    Component("CLI11", r"libcli11-dev", "BSD-3-Clause", "STATIC_LINK", "command lines, headers only"),
    Component("argon2", r"libargon2-dev", "CC0-1.0 OR Apache-2.0", "STATIC_LINK", "passphrases"),
    Component("libseccomp", r"libseccomp-dev", "LGPL-2.1-only", "DYNAMIC_LINK", "system call filters of the services"),
    Component("libstdc++", r"libstdc\+\+-[0-9]+-dev(-arm64-cross)?", "GPL-3.0-or-later WITH GCC-exception-3.1", "STATIC_LINK",
              "C++ runtime"),
    Component("glibc", r"libc6-dev(-arm64-cross)?", "LGPL-2.1-or-later", "DYNAMIC_LINK",
              "the target's own is used; MANIFEST names the version that it needs at least"),
    Component("tpm2-tss", r"libtss2-dev", "BSD-2-Clause", "OPTIONAL_DEPENDENCY_OF",
              "the target's own is loaded where the store's protector is a TPM; this is the version of the headers"),
    Component("p11-kit", r"libp11-kit-dev", "BSD-3-Clause", "BUILD_DEPENDENCY_OF", "headers of PKCS#11"),
)
PRODUCT = "SPDXRef-Package-wvds-crypto-svc"
DOCUMENT = "SPDXRef-DOCUMENT"


def spdx_id(kind, text):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def package(name, identifier, version, licence, comment, purl=None):
    made = {
        "name": name,
        "SPDXID": identifier,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "comment": comment,
    }
    if purl:
        made["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return made


def purl_of(name, version):
    return f"pkg:deb/debian/{quote(name)}@{quote(version)}"


def versions_of(target):
    with open(target.packages, encoding="utf-8") as file:
        return [tuple(line.split()[:2]) for line in file if line.strip()]


def find(component, target):
    for name, version in versions_of(target):
        if re.fullmatch(component.package, name.partition(":")[0]):
            return name.partition(":")[0], version
    raise Wrong(f"{target.packages}: no package {component.package}, which the bill of materials names")


def relation(first, kind, second):
    # SPDX writes "X is a dependency of Y" the other way round than "X links Y"
    if kind.endswith("_OF"):
        first, second = second, first
    return {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}


def components(targets):
    """(packages, relationships); a component that has one version on all architectures stands there once."""
    made, relations = {}, []
    for target in targets:
        for component in COMPONENTS:
            name, version = find(component, target)
            identifier = spdx_id("Package", f"{component.name}-{version}")
            purl = purl_of(name, version)
            made.setdefault(identifier, package(component.name, identifier, version, component.licence, component.how, purl))
            relations.append(relation(PRODUCT, component.relation, identifier))
    return list(made.values()), relations


def openssl(targets):
    made, relations = {}, []
    for target in targets:
        with open(os.path.join(target.openssl, "version"), encoding="utf-8") as file:
            version = file.readline().strip()
        identifier = spdx_id("Package", f"OpenSSL-{version}")
        comment = "libcrypto, libssl, the FIPS provider and the program, built from Debian's source and delivered"
        made[identifier] = package("OpenSSL", identifier, version, "Apache-2.0", comment, purl_of("openssl", version))
        relations.append(relation(PRODUCT, "DYNAMIC_LINK", identifier))
        for path in ("bin/{}/openssl", "lib/{}/libcrypto.so.3", "lib/{}/libssl.so.3", "lib/{}/fips.so", "lib/{}/fipsmodule.cnf"):
            relations.append(relation(identifier, "CONTAINS", spdx_id("File", path.format(target.arch))))
    return list(made.values()), relations


def file_entry(stage, path, sha256):
    with open(os.path.join(stage, path), "rb") as file:
        sha1 = hashlib.file_digest(file, "sha1").hexdigest()  # SPDX 2.3 asks for it
    return {
        "fileName": f"./{path}",
        "SPDXID": spdx_id("File", path),
        "checksums": [{"algorithm": "SHA1", "checksumValue": sha1}, {"algorithm": "SHA256", "checksumValue": sha256}],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def unique(relations):
    seen = {tuple(sorted(item.items())): item for item in relations}
    return [seen[key] for key in sorted(seen)]


def document(stage, files, targets, version, time_made):
    """The document's text. `files` maps paths in the stage to their SHA-256."""
    content = hashlib.sha256("".join(f"{path} {files[path]}\n" for path in sorted(files)).encode()).hexdigest()
    parts, relations = components(targets)
    openssl_parts, openssl_relations = openssl(targets)
    product = package("wvds-crypto-svc", PRODUCT, version, "NOASSERTION", "WvdS Crypto Service, the OEM delivery")
    relations += openssl_relations
    relations += [relation(PRODUCT, "CONTAINS", spdx_id("File", path)) for path in files]
    relations.append(relation(DOCUMENT, "DESCRIBES", PRODUCT))
    made = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": f"wvds-crypto-svc-{version}-oem-delivery",
        # of this content, wherever it is packed
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_made)),
            "creators": ["Tool: wvds-make_delivery"],
        },
        "packages": [product, *openssl_parts, *parts],
        "files": [file_entry(stage, path, files[path]) for path in sorted(files)],
        "relationships": unique(relations),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
