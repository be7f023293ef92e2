#!/bin/bash
# Checks the model of the handshake (handshake.pml) with Spin, exhaustively, and that the same check finds each seeded bug.
#
#   check.sh          2 slots and an honest client (under 60 s, 2 GB); 1 slot and a hostile one; the seeded bugs
#   check.sh --long   also 3 slots with either client (minutes, 8 GB)
#
# Exits 0 when everything is as expected, 1 when not, 77 where Spin or a compiler is missing.

set -euo pipefail
export LC_ALL=C

model=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/handshake.pml
long=no
case ${1:-} in
  '') ;;
  --long) long=yes ;;
  *)
    echo "usage: ${0##*/} [--long]" >&2
    exit 1
    ;;
esac
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "NOT RUN: $tool is not installed"; exit 77; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

# verify MEGABYTES KIND DEFINES...: runs the verifier for the model built with DEFINES; its report is in `report`.
# KIND is safety (deadlocks, assertions) or liveness (the ltl formula, weak fairness).
verify() {
  local megabytes=$1 kind=$2
  local -a compile=(-DSAFETY) arguments=()
  shift 2
  if [[ $kind == liveness ]]; then compile=(-DNFAIR=3) arguments=(-a -f); fi
  rm -f pan* -- *.trail
  spin -a "$@" "$model" >spin.out 2>&1 || { cat spin.out; return 1; }
  # the verifier is generated code: its warnings are not ours
  gcc -O2 -w "${compile[@]}" -DCOLLAPSE "-DMEMLIM=$megabytes" -o pan pan.c
  ./pan "${arguments[@]}" "-m$((megabytes * 1000))" -w25 >report 2>&1 || true
}

numbers() {
  awk '/states, stored/ { states = $1 } /total actual memory/ { memory = $1 } /elapsed time/ { time = $4 }
       END { printf "%d states, %.0f MB, %.0f s", states, memory, time }' report
}

complain() {
  echo "FAILED: $1"
  sed 's/^/    /' report
  failures=$((failures + 1))
}

# holds TEXT MEGABYTES KIND DEFINES...: the whole state space was searched, nothing is wrong in it and (for a
# safety check) every statement of the model was reached.
holds() {
  local text=$1 kind=$3
  shift
  verify "$@"
  if ! grep -q 'errors: 0$' report || grep -qE 'Search not completed|max search depth too small|out of memory' report; then
    complain "$text"
  elif [[ $kind == safety ]] && grep -qE '^[[:space:]]*\([1-9][0-9]* of [0-9]+ states\)' report; then
    complain "$text: part of the model was never reached"
  else
    echo "ok: $text ($(numbers))"
  fi
}

# finds TEXT WHAT MEGABYTES KIND DEFINES...: the verifier reports WHAT.
finds() {
  local text=$1 what=$2
  shift 2
  verify "$@"
  if grep -q "^pan:1: $what" report; then
    echo "ok: finds the seeded bug: $text ($(numbers))"
  else
    complain "does not find the seeded bug: $text"
  fi
}

holds '2 slots, honest client: no wake-up is lost, every answer is the right one' 2000 safety -DSLOTS=2
finds 'the service sleeps without looking again' 'invalid end state' 2000 safety -DSLOTS=2 -DNO_RECHECK_BY_SERVICE
finds 'the client sleeps without looking again' 'invalid end state' 2000 safety -DSLOTS=2 -DNO_RECHECK_BY_CLIENT
holds '1 slot, hostile client: a stopped session ends' 2000 liveness -DSLOTS=1 -DHOSTILE
finds 'the service waits on its bell alone' 'acceptance cycle' 2000 liveness -DSLOTS=1 -DHOSTILE -DBELL_ONLY

if [[ $long == yes ]]; then
  holds '3 slots, honest client: no wake-up is lost, every answer is the right one' 8000 safety \
    -DSLOTS=3 -DGENERATIONS=2
  holds '3 slots, hostile client: a stopped session ends' 8000 liveness -DSLOTS=3 -DHOSTILE
fi

if ((failures > 0)); then
  echo "$failures checks of the model failed"
  exit 1
fi
echo 'the model holds'
