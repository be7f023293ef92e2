#!/bin/bash
# Tests of scripts/lib.sh.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"
. "$scripts/lib.sh"

test_minutes() {
  expect_eq '59 s' 0:59 "$(minutes 59)"
  expect_eq '125 s' 2:05 "$(minutes 125)"
}

test_progress_counts_matching_lines() {
  local shown
  shown=$(printf 'cc -c -o %s\nnoise\n' a b c d | progress 'compiling' 4 ' -c -o ' 2>&1)
  expect_in shown 'compiling 100%' "$shown"
  shown=$(printf 'cc -c -o %s\nnoise\n' a b c | progress 'compiling' 4 ' -c -o ' 2>&1)
  expect_not_in 'three of four' '100%' "$shown"
}

test_progress_reads_done_of_total() {
  local shown
  shown=$(for i in $(seq 1 345); do echo "[$i/345] x"; done | progress 'building' 0 '^\[([0-9]+)/([0-9]+)\]' 2>&1)
  expect_in shown '100%' "$shown"
  (($(wc -l <<<"$shown") <= 11)) || fail "too many lines: $shown"
}

test_progress_is_not_noisy_when_all_is_quick() {
  expect_eq lines 1 "$(for i in $(seq 1 99); do echo "[$i/99]"; done | progress 'building' 0 '^\[([0-9]+)/([0-9]+)\]' 2>&1 | wc -l)"
}

test_progress_without_input_says_nothing() { expect_eq shown '' "$(progress 'building' 0 '(x)' </dev/null 2>&1)"; }

test_a_build_failure_is_not_hidden_by_the_progress() {
  wvds_root=$tmp
  build_preset() {
    echo '[1/2] x'
    echo 'error: why'
    return 1
  }
  local said code=0
  set -o pipefail
  said=$(need_build release 2>&1) || code=$?
  expect_eq 'exit status' 1 "$code"
  expect_in said 'error: why' "$said"
}

run_all
