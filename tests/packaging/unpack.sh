#!/bin/bash
# Unpacks the delivery in DIST into the empty folder TREE, for the tests of install.sh.
#
# usage: unpack.sh DIST TREE
set -euo pipefail

archives=("$1"/wvds-crypto-svc-*-oem-delivery.tar.gz)
if ((${#archives[@]} != 1)) || [[ ! -e ${archives[0]} ]]; then
  echo "error: $1 has to hold one delivery: empty it and run ./dist" >&2
  exit 1
fi
rm -rf "$2"
mkdir -p "$2"
tar --no-same-owner -xzf "${archives[0]}" -C "$2"
