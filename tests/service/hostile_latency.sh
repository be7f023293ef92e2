#!/bin/bash
# Measures what an honest client notices of each attack, with the release build: its latencies alone and beside the
# attack by turns, five rounds, 6 minutes. Leaves the table in build/hostile_latency.md, or --out FILE. The machine
# should do nothing else meanwhile. Needs root, for a client of another user.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
program=$root/build/release/tests/service/hostile_client_e2e_test
out=$root/build/hostile_latency.md

while (($# > 0)); do
  case $1 in
    --out) out=$2 ;;
    --program) program=$2 ;;
    *)
      echo "usage: ${0##*/} [--out FILE] [--program FILE]" >&2
      exit 2
      ;;
  esac
  shift 2
done
[[ -x $program ]] || {
  echo "$program is not built: cmake --preset release && cmake --build --preset release --target hostile_client_e2e_test" >&2
  exit 1
}
((EUID == 0)) || {
  echo 'NOT RUN: needs root'
  exit 77
}
echo "load of the last minute before: $(cut -d' ' -f1 /proc/loadavg)"
WVDS_LONG=1 WVDS_LATENCY_OUT=$out "$program" --gtest_filter='HostileLatency.*'
