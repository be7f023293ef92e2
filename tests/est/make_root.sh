#!/bin/bash
# make_root.sh FOLDER: a root with EST's other implementations in it, for the tests of this folder: libest's estserver, and
# nginx with OpenSSL 3.6. FOLDER/root is it; FOLDER/reason says why there is none.
# make_root.sh --remove FOLDER

set -euo pipefail
# shellcheck source=tests/support/newer_root.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../support/newer_root.sh"

if [[ $1 == --remove ]]; then
  remove_root "$2"
  rm -rf "$2"
  exit 0
fi
folder=$1

not_run() {
  echo "$*" >"$folder/reason"
  echo "NOT RUN: $*"
  exit 0
}

mkdir -p "$folder"
rm -f "$folder/reason"
make_root "$folder" libest-utils,nginx-light
