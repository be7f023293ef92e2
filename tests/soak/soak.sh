#!/bin/bash
# Runs the soak for an hour, or --seconds N, with the release build. Tells how it goes once a minute, and leaves
# points.csv, latencies.md and soak.svg in build/soak, or --out FOLDER. Needs root, to look into the service.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
program=$root/build/release/tests/soak/soak_test
out=$root/build/soak
export WVDS_LONG=1

while (($# > 0)); do
  case $1 in
    --seconds) export WVDS_SOAK_SECONDS=$2 ;;
    --out) out=$2 ;;
    --program) program=$2 ;;
    *)
      echo "usage: ${0##*/} [--seconds N] [--out FOLDER] [--program FILE]" >&2
      exit 2
      ;;
  esac
  shift 2
done
[[ -x $program ]] || {
  echo "$program is not built: cmake --preset release && cmake --build --preset release --target soak_test" >&2
  exit 1
}
((EUID == 0)) || {
  echo 'NOT RUN: needs root'
  exit 77
}
mkdir -p "$out"
WVDS_SOAK_OUT=$out "$program"
python3 -B "$root/scripts/plot_soak.py" "$out/points.csv" "$out/soak.svg"
