#!/bin/bash
# Tests of ./check itself, with steps of its own: what it counts, what makes it fail.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"

# tree: a project of two steps, `one` and `two`, whose functions a test may replace
tree() {
  root=$tmp/tree.$BASHPID
  mkdir -p "$root/scripts" "$root/.ci"
  cp "$scripts/../check" "$root/"
  cp "$scripts/../.ci/run" "$root/.ci/"
  cp "$scripts"/{lib.sh,check_steps.sh,junit_results.py} "$root/scripts/"
  cat >>"$root/scripts/check_steps.sh" <<'STEPS'
steps=('one|first step' 'two|second step')
step_one() { record pass 'a'; record pass 'b'; }
step_two() { record pass 'c'; record skip 'd' 'no root'; }
STEPS
  printf '%s\n' 'step: one' 'test: c' >"$root/scripts/required_tests.txt"
}

replace() { cat >>"$root/scripts/check_steps.sh"; }

# run ARGUMENT...: sets said and code
run() {
  code=0
  said=$(cd / && env -u CI "$root/check" "$@" 2>&1) || code=$?
}

run_ci() {
  code=0
  said=$(cd "$root" && CI=true bash .ci/run </dev/null 2>&1) || code=$?
}

last_line() { tail -n 1 <<<"$said"; }

test_counts_all_steps_in_the_last_line() {
  tree
  run
  expect_eq 'exit status' 0 "$code"
  expect_eq 'last line' '3 passed, 0 failed, 1 skipped' "$(last_line)"
  expect_in said 'd: no root' "$said"
}

test_runs_only_the_chosen_step() {
  tree
  run two
  expect_eq 'last line' '1 passed, 0 failed, 1 skipped' "$(last_line)"
  expect_not_in said 'first step' "$said"
}

test_refuses_an_unknown_step_or_option() {
  tree
  run three
  expect_eq 'exit status' 1 "$code"
  run --fast
  expect_eq 'exit status' 1 "$code"
}

test_a_failed_test_fails() {
  tree
  replace <<<"step_one() { record fail a 'was wrong'; false; }"
  run
  expect_eq 'exit status' 1 "$code"
  expect_eq 'last line' '1 passed, 1 failed, 1 skipped' "$(last_line)"
  expect_in said 'was wrong' "$said"
}

test_a_step_that_only_breaks_fails_and_shows_its_log() {
  tree
  replace <<<"step_one() { record pass a; echo 'why it broke'; false; record pass b; }"
  run
  expect_eq 'exit status' 1 "$code"
  expect_eq 'last line' '2 passed, 1 failed, 1 skipped' "$(last_line)"
  expect_in said 'why it broke' "$said"
}

test_a_run_without_any_passed_test_fails() {
  tree
  replace <<<"step_one() { :; }; step_two() { :; }"
  run
  expect_eq 'exit status' 1 "$code"
}

test_over_the_budget_fails() {
  tree
  replace <<<'budget_minutes=-1'
  run
  expect_eq 'exit status' 1 "$code"
  expect_in said 'time budget' "$said"
  run --long
  expect_eq 'exit status of the long form' 0 "$code"
}

test_in_ci_what_is_required_must_have_run() {
  tree
  run_ci
  expect_eq 'exit status' 0 "$code"
  expect_eq 'last line' '3 passed, 0 failed, 1 skipped' "$(last_line)"
  echo 'test: d' >>"$root/scripts/required_tests.txt"
  run_ci
  expect_eq 'exit status with a required test not run' 1 "$code"
  expect_in said 'required test d: did not run: no root' "$said"
  run
  expect_eq 'exit status outside of CI' 0 "$code"
}

test_in_ci_a_required_test_must_exist() {
  tree
  echo 'test: suite.*' >>"$root/scripts/required_tests.txt"
  run_ci
  expect_eq 'exit status' 1 "$code"
  replace <<<"step_two() { record pass c; record pass suite.x; }"
  run_ci
  expect_eq 'exit status' 0 "$code"
}

test_in_ci_a_required_step_must_have_passed_something() {
  tree
  echo 'step: two' >>"$root/scripts/required_tests.txt"
  replace <<<"step_two() { record skip c 'no reason'; }"
  printf '%s\n' 'step: two' >"$root/scripts/required_tests.txt"
  run_ci
  expect_eq 'exit status' 1 "$code"
  expect_in said 'required step two: did not run' "$said"
}

test_a_line_of_the_required_list_that_means_nothing_fails() {
  tree
  echo 'one' >>"$root/scripts/required_tests.txt"
  run_ci
  expect_eq 'exit status' 1 "$code"
}

test_program_status_77_is_not_run_with_its_reason() {
  tree
  replace <<<"step_two() { run_test needs-root bash -c 'echo \"NOT RUN: no root\"; exit 77'; run_test works true; }"
  run
  expect_eq 'last line' '3 passed, 0 failed, 1 skipped' "$(last_line)"
  expect_in said 'needs-root: no root' "$said"
}

test_a_process_left_behind_is_found() {
  tree
  mkdir -p "$root/build/release"
  cp "$(command -v sleep)" "$root/build/release/daemon"
  "$root/build/release/daemon" 600 &
  local daemon=$! found
  found=$(. "$root/scripts/check_steps.sh"; left_behind "$root/build/release")
  kill "$daemon"
  wait "$daemon" 2>/dev/null
  expect_in found "$daemon" "$found"
  expect_eq 'after its end' '' "$(. "$root/scripts/check_steps.sh"; left_behind "$root/build/release")"
}

# l4re_tree: the tree with the step l4re alone; its scripts write their arguments to `ran`. REFUSES stands for a word at
# which they fail.
l4re_tree() {
  tree
  replace <<<"steps=('l4re|L4Re'); need_openssl() { :; }"
  mkdir -p "$root/l4re"
  printf '%s\n' '#!/bin/bash' 'cd "${BASH_SOURCE[0]%/*}" && echo "${0##*/} $*" >>../ran' '[[ "$*" != *"${REFUSES:-nothing}"* ]]' \
    >"$root/l4re/check_syntax.sh"
  cp "$root/l4re/check_syntax.sh" "$root/l4re/run-qemu"
  cp "$root/l4re/check_syntax.sh" "$root/l4re/run-est"
  cp "$root/l4re/check_syntax.sh" "$root/l4re/run-nvme"
  chmod +x "$root/l4re/"*
  unset WVDS_L4RE_SOURCE WVDS_L4RE_BUILD WVDS_FIASCO_BUILD WVDS_L4RE_DEPS REFUSES
}

test_without_an_l4re_build_directory_only_the_syntax_is_checked() {
  l4re_tree
  run l4re
  expect_eq 'exit status' 0 "$code"
  expect_eq 'last line' '1 passed, 0 failed, 1 skipped' "$(last_line)"
  expect_in said 'L4Re in QEMU: no L4Re build directory is configured' "$said"
  expect_eq 'what ran' 'check_syntax.sh ' "$(<"$root/ran")"
}

test_each_l4re_build_directory_is_run_with_what_belongs_to_it() {
  l4re_tree
  export WVDS_L4RE_SOURCE=/src WVDS_L4RE_BUILD='/b/amd64 /b/arm64' WVDS_FIASCO_BUILD='/f/1 /f/2' WVDS_L4RE_DEPS='/d/1 /d/2'
  run l4re
  expect_eq 'last line' '9 passed, 0 failed, 0 skipped' "$(last_line)"
  expect_in ran 'check_syntax.sh --real /b/arm64' "$(<"$root/ran")"
  expect_in ran 'run-qemu --l4re-source /src --l4re-build /b/amd64 --fiasco-build /f/1 --deps /d/1' "$(<"$root/ran")"
  expect_in ran 'run-qemu --l4re-source /src --l4re-build /b/arm64 --fiasco-build /f/2 --deps /d/2' "$(<"$root/ran")"
  expect_in ran 'run-est --l4re-source /src --l4re-build /b/arm64 --fiasco-build /f/2 --deps /d/2' "$(<"$root/ran")"
}

test_a_failed_run_on_l4re_fails() {
  l4re_tree
  export WVDS_L4RE_SOURCE=/src WVDS_L4RE_BUILD=/b/arm64 WVDS_FIASCO_BUILD=/f WVDS_L4RE_DEPS=/d REFUSES=--fiasco-build
  run l4re
  expect_eq 'exit status' 1 "$code"
  expect_eq 'last line' '2 passed, 3 failed, 0 skipped' "$(last_line)"
  expect_in said 'L4Re in QEMU: arm64' "$said"
}

test_l4re_directories_that_do_not_match_fail() {
  l4re_tree
  export WVDS_L4RE_SOURCE=/src WVDS_L4RE_BUILD='/b/amd64 /b/arm64' WVDS_FIASCO_BUILD=/f WVDS_L4RE_DEPS='/d/1 /d/2'
  run l4re
  expect_eq 'last line' '1 passed, 1 failed, 0 skipped' "$(last_line)"
  expect_in said 'WVDS_FIASCO_BUILD' "$said"
  unset WVDS_L4RE_SOURCE
  WVDS_FIASCO_BUILD='/f/1 /f/2'
  run l4re
  expect_eq 'exit status without the sources' 1 "$code"
}

test_two_checks_in_one_tree_are_refused() {
  tree
  mkdir -p "$root/build/check"
  exec 8>"$root/build/check/lock"
  flock 8
  run
  expect_eq 'exit status' 1 "$code"
  expect_in said 'another ./check' "$said"
}

test_every_required_step_in_the_tree_exists() {
  local kind name
  (
    . "$scripts/check_steps.sh"
    # shellcheck disable=SC2154  # set by what is sourced
    while read -r kind name; do
      [[ $kind == step: ]] || continue
      printf '%s\n' "${steps[@]}" | grep "^$name|" >/dev/null || fail "required_tests.txt names the unknown step $name"
    done <"$scripts/required_tests.txt"
    for entry in "${steps[@]}"; do
      declare -F "step_${entry%%|*}" >/dev/null || fail "no function for ${entry%%|*}"
    done
  )
}

run_all
