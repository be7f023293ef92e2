#!/bin/bash
# The long form of the tests that kill the services and make calls of theirs fail: 1,000 rounds each, an hour or more in
# all. WVDS_LONG=300 in front asks for 300.
#
#   scripts/long_faults.sh [BUILD FOLDER]    build/release where it is left out

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
build=$(cd "${1:-$wvds_root/build/release}" && pwd)
openssl=$(need_openssl)
export WVDS_LONG=${WVDS_LONG:-1}
failed=0

# run NAME COMMAND...: one program, how long it took, and how it ended
run() {
  local name=$1 begun=$SECONDS outcome=passed
  shift
  printf '== %s\n' "$name"
  "$@" || { outcome=FAILED failed=1; }
  printf '== %s: %s in %d min %d s\n' "$name" "$outcome" $(((SECONDS - begun) / 60)) $(((SECONDS - begun) % 60))
}

run 'service and clients killed' "$build/tests/faults/kill_e2e_test"
run 'disk, memory, descriptors, entropy, clock' "$build/tests/faults/faults_e2e_test"
run 'store killed' "$build/src/keystore/keystore_kill_test"
run 'est_service killed' env WVDS_BINARY_DIR="$build" WVDS_OPENSSL="$openssl" \
  python3 -B "$wvds_root/tests/est/operator_test.py" Crash
run 'est_service: memory, descriptors, entropy, disk, clock' env WVDS_BINARY_DIR="$build" WVDS_OPENSSL="$openssl" \
  python3 -B "$wvds_root/tests/est/faults_test.py"
exit "$failed"
