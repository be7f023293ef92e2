# shellcheck shell=bash disable=SC2034
# For the tests of the scripts: a temporary folder that goes away, and a few assertions. A test
# is a function test_...; run_all runs each in a subshell of its own and fails if any failed.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts" && pwd -P)

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# expect_eq WHAT WANTED GOT
expect_eq() { [[ $2 == "$3" ]] || fail "$1: wanted '$2', got '$3'"; }

# expect_in WHAT PART WHOLE
expect_in() { [[ $3 == *"$2"* ]] || fail "$1: no '$2' in '$3'"; }

# expect_not_in WHAT PART WHOLE
expect_not_in() { [[ $3 != *"$2"* ]] || fail "$1: '$2' in '$3'"; }

# refuses COMMAND...: succeeds when the command fails
refuses() { if "$@" >/dev/null 2>&1; then fail "accepted: $*"; fi; }

# accepts COMMAND...
accepts() { "$@" >/dev/null 2>&1 || fail "refused: $*"; }

# program FOLDER NAME: makes a program of standard input
program() {
  mkdir -p "$1"
  { echo '#!/bin/bash'; cat; } >"$1/$2"
  chmod +x "$1/$2"
}

run_all() {
  local name bad=0
  for name in $(compgen -A function test_); do
    if (set -euo pipefail; "$name"); then echo "ok $name"; else echo "not ok $name"; bad=1; fi
  done
  exit "$bad"
}
