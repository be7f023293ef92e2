#!/bin/bash
# Checks the model of the handshake (handshake.pml) with Spin, exhaustively, and that the same check finds each seeded bug.
#
#   check.sh          2 slots and an honest client; 1 slot and a hostile one, and with the death of either side; the
#                     seeded bugs (under 60 s, 2 GB)
#   check.sh --long   also 3 slots and an honest client, 2 slots and a hostile one, 2 slots with death (some ten minutes, 8 GB)
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
# KIND is safety (deadlocks, assertions), assertions (these only) or liveness (the ltl formula and assertions, weak fairness).
verify() {
  local megabytes=$1 kind=$2
  local -a compile=(-DSAFETY) arguments=()
  shift 2
  case $kind in
    liveness) compile=(-DNFAIR=3) arguments=(-a -f) ;;
    assertions) arguments=(-E) ;;
  esac
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

honest='no wake-up is lost, no slot is served twice, every answer is the right one'
hostile='a stopped session ends, no slot is served twice for one change of its word'
death='a killed service or client leaves nobody waiting'

holds "2 slots, honest client: $honest" 2000 safety -DSLOTS=2
finds 'the service sleeps without looking again' 'invalid end state' 2000 safety -DSLOTS=2 -DNO_RECHECK_BY_SERVICE
finds 'the client sleeps without looking again' 'invalid end state' 2000 safety -DSLOTS=2 -DNO_RECHECK_BY_CLIENT
finds 'the service does not note what it took' 'assertion violated owed' 2000 assertions -DSLOTS=2 -DFORGETS
finds 'the service publishes an answer before it is there' 'assertion violated (answer_area' 2000 safety \
  -DSLOTS=2 -DPUBLISHES_EARLY
holds "1 slot, hostile client: $hostile" 2000 liveness -DSLOTS=1 -DHOSTILE
finds 'the service waits on its bell alone' 'acceptance cycle' 2000 liveness -DSLOTS=1 -DHOSTILE -DBELL_ONLY
finds 'the service reads a word twice' 'assertion violated (seen' 2000 liveness -DSLOTS=1 -DHOSTILE -DDOUBLE_FETCH
holds "1 slot: $death" 2000 liveness -DSLOTS=1 -DDEATH
finds 'the service does not see its client die' 'acceptance cycle' 2000 liveness -DSLOTS=1 -DDEATH -DBELL_ONLY
finds 'the client does not see the service die' 'acceptance cycle' 2000 liveness -DSLOTS=1 -DDEATH -DNO_SLICES

if [[ $long == yes ]]; then
  holds "3 slots, honest client: $honest" 16000 safety -DSLOTS=3 -DGENERATIONS=2
  holds "2 slots, hostile client: $hostile" 8000 liveness -DSLOTS=2 -DHOSTILE
  holds "2 slots: $death" 8000 liveness -DSLOTS=2 -DDEATH -DGENERATIONS=2
fi

if ((failures > 0)); then
  echo "$failures checks of the model failed"
  exit 1
fi
echo 'the model holds'
