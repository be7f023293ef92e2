# shellcheck shell=bash
# The steps of ./check. A step is a line in `steps` and a function step_NAME, which runs with its
# output in a log, the screen as descriptor 3, and tells its tests through `record`. Set by the
# caller: out (folder for logs), results (this step's results file), long (yes or no).
# shellcheck disable=SC2154,SC2034

budget_minutes=80 # for all steps in their short form, from nothing (docs/adr/0014)

steps=(
  'setup|Debian packages'
  'openssl|OpenSSL with its FIPS provider'
  'style|who includes whom, formatting, texts'
  'scripts|tests of the scripts'
  'build|release build'
  'tests|all tests, release build'
  'docs|commands and examples in the documents'
  'l4re|L4Re: syntax, and QEMU where a build directory is configured'
  'aarch64|aarch64: cross-build, and its portable tests in an emulator'
  'dist|the delivery for integrators: packed twice, unpacked, installed and used'
  'spin|model of the shared-memory handshake'
  'static|clang-tidy and cppcheck'
  'asan|AddressSanitizer and UndefinedBehaviorSanitizer'
  'tsan|ThreadSanitizer'
  'fuzz|fuzz targets'
)

# record pass|fail|skip NAME [REASON]
record() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$results"; }

# run_test NAME COMMAND...: one test that is a program. Exit status 77 means it can't run here;
# its last line of output "NOT RUN: reason" tells why. One that hangs is ended and has failed.
run_test() {
  local name=$1 code=0 output=$out/one_test.out deadline=15m
  if [[ $long == yes ]]; then deadline=6h; fi
  shift
  printf -- '--- %s: %s\n' "$name" "$*"
  set +e
  timeout --kill-after=10 "$deadline" "$@" >"$output" 2>&1 3>&-
  code=$?
  set -e
  cat "$output"
  case $code in
    0) record pass "$name" ;;
    77) record skip "$name" "$(sed -n 's/^.*NOT RUN: //p' "$output" | tail -n 1)" ;;
    124 | 137) record fail "$name" "not finished after $deadline" ;;
    *) record fail "$name" "exit status $code" ;;
  esac
  rm -f "$output"
}

no_failures() { ! grep -q '^fail' "$results"; }

step_setup() {
  need_packages build check 2>&3
  record pass 'packages are installed'
}

step_openssl() {
  local prefix
  prefix=$(need_openssl 2>&3)
  "$prefix/bin/openssl" version -a
  record pass "OpenSSL $(<"$prefix/version")"
  # the provider's own self-tests and the module's checksum
  run_test 'FIPS module is intact' "$prefix/bin/openssl" fipsinstall -verify \
    -module "$prefix/lib/ossl-modules/fips.so" -in "$prefix/ssl/fipsmodule.cnf"
  no_failures
}

step_style() {
  run_test 'includes' python3 "$wvds_root/scripts/check_includes.py"
  run_test 'texts' python3 "$wvds_root/scripts/check_texts.py"
  run_test 'formatting' "$wvds_root/scripts/check_format.sh"
  run_test 'shell syntax' "$wvds_root/scripts/check_shell.sh"
  no_failures
}

step_scripts() {
  local file
  need_openssl >/dev/null 2>&3 # certificates are made and read by it
  for file in "$wvds_root"/tests/scripts/*_test.py; do
    run_test "${file##*/}" python3 "$file"
  done
  for file in "$wvds_root"/tests/scripts/*_test.sh; do
    run_test "${file##*/}" bash "$file"
  done
  no_failures
}

# build_step PRESET [TARGET...]
build_step() {
  build_preset "$@" 2>&1 3>&- | tee -a /dev/stderr | progress '   building' 0 '^\[([0-9]+)/([0-9]+)\]' 2>&3
  record pass "$1 build"
}

# left_behind FOLDER -> processes whose program is in the folder
left_behind() {
  local exe target
  for exe in /proc/[0-9]*/exe; do
    target=$(readlink "$exe" 2>/dev/null) || continue
    if [[ $target == "$1"/* ]]; then printf '%s %s\n' "${exe//[^0-9]/}" "$target"; fi
  done
}

# ctest_step PRESET PREFIX [CTEST ARGUMENT...]
ctest_step() {
  local preset=$1 name_prefix=$2 folder=$wvds_root/build/$1 code=0 aslr='' left
  local xml=$out/$preset.xml
  shift 2
  rm -rf "$folder/gtest" # results of whole programs, of an earlier run
  if [[ $preset == tsan ]]; then aslr=$(without_aslr); fi
  set +e
  # shellcheck disable=SC2086  # a list of words
  (cd "$wvds_root" && $aslr ctest --preset "$preset" -j"$(nproc)" --no-tests=error --timeout 600 \
    --test-output-size-passed 65536 --test-output-size-failed 1048576 --test-output-truncation middle --output-junit "$xml" "$@") 3>&- 2>&1 |
    tee -a /dev/stderr | progress '   testing' 0 '^ *([0-9]+)/([0-9]+) Test' 2>&3
  code=${PIPESTATUS[0]}
  set -e
  python3 "$wvds_root/scripts/junit_results.py" "$xml" "$name_prefix" "$folder/gtest" >>"$results"
  left=$(left_behind "$folder")
  if [[ -z $left ]]; then
    record pass "${name_prefix}no process is left behind"
  else
    record fail "${name_prefix}no process is left behind" "$(tr '\n' ' ' <<<"$left")"
  fi
  if ((code != 0)) && no_failures; then record fail "${name_prefix}ctest" "exit status $code"; fi
  no_failures
}

step_build() { build_step release; }
step_tests() {
  ctest_step release '' -LE delivery
  if [[ $long == yes ]]; then
    run_test 'faults, long form' "$wvds_root/scripts/long_faults.sh"
    run_test 'soak, long form' "$wvds_root/tests/soak/soak.sh"
    run_test 'latencies beside attacks' "$wvds_root/tests/service/hostile_latency.sh"
  fi
  no_failures
}

# The fuzz targets' build says how clang compiles each file.
step_static() {
  local -a arguments=()
  if [[ $long == yes ]]; then arguments=(--long); fi
  configure_preset fuzz
  ninja -C "$wvds_root/build/fuzz" build.ninja # what CMake wrote may be older than the tree
  run_test 'clang-tidy' python3 "$wvds_root/scripts/static_analysis.py" tidy "${arguments[@]}" "$wvds_root/build/fuzz"
  run_test 'cppcheck' python3 "$wvds_root/scripts/static_analysis.py" cppcheck
  no_failures
}

step_asan() {
  build_step asan
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  # a device's years in src/est_service: up to the CA's new key and a year more
  if [[ $long == no ]]; then export WVDS_SIMULATED_YEARS=6; fi
  ctest_step asan 'asan: '
}

step_tsan() {
  build_step tsan tsan_tests
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  if [[ -e $wvds_root/tests/tsan.supp ]]; then TSAN_OPTIONS+=:suppressions=$wvds_root/tests/tsan.supp; fi
  ctest_step tsan 'tsan: '
}

step_docs() {
  local file
  for file in "$wvds_root"/tests/docs/*.sh "$wvds_root"/tests/docs/*.py; do
    [[ -e $file ]] || continue
    case $file in
      *.sh) run_test "docs/${file##*/}" bash "$file" ;;
      *.py) run_test "docs/${file##*/}" python3 "$file" ;;
    esac
  done
  [[ -s $results ]] || { echo 'there is no script in tests/docs'; return 1; }
  no_failures
}

# l4re_in_qemu: one run for each L4Re build directory that the environment names
l4re_in_qemu() {
  local number arch
  local -a builds kernels deps
  read -ra builds <<<"${WVDS_L4RE_BUILD:-}"
  read -ra kernels <<<"${WVDS_FIASCO_BUILD:-}"
  read -ra deps <<<"${WVDS_L4RE_DEPS:-}"
  if [[ -z ${WVDS_L4RE_SOURCE:-} ]] || ((${#builds[@]} == 0 || ${#kernels[@]} != ${#builds[@]} || ${#deps[@]} != ${#builds[@]})); then
    record fail 'L4Re in QEMU' 'WVDS_L4RE_SOURCE must name one directory; WVDS_L4RE_BUILD, WVDS_FIASCO_BUILD and WVDS_L4RE_DEPS as many as each other'
    return 0
  fi
  for number in "${!builds[@]}"; do
    arch=${builds[number]##*/}
    run_test "L4Re folders compile with the headers of $arch" "$wvds_root/l4re/check_syntax.sh" --real "${builds[number]}"
    run_test "L4Re in QEMU: $arch" "$wvds_root/l4re/run-qemu" --l4re-source "$WVDS_L4RE_SOURCE" \
      --l4re-build "${builds[number]}" --fiasco-build "${kernels[number]}" --deps "${deps[number]}"
    run_test "L4Re's est_service in QEMU: $arch" "$wvds_root/l4re/run-est" --l4re-source "$WVDS_L4RE_SOURCE" \
      --l4re-build "${builds[number]}" --fiasco-build "${kernels[number]}" --deps "${deps[number]}"
    run_test "L4Re's store on NVMe in QEMU: $arch" "$wvds_root/l4re/run-nvme" --l4re-source "$WVDS_L4RE_SOURCE" \
      --l4re-build "${builds[number]}" --fiasco-build "${kernels[number]}" --deps "${deps[number]}" \
      --checker "$wvds_root/build/release/tests/replay/wvds_replay_check"
  done
}

step_l4re() {
  need_openssl >/dev/null 2>&3 # the self-test includes its headers
  run_test 'L4Re folders compile' "$wvds_root/l4re/check_syntax.sh"
  if [[ -n ${WVDS_L4RE_SOURCE:-}${WVDS_L4RE_BUILD:-}${WVDS_FIASCO_BUILD:-}${WVDS_L4RE_DEPS:-} ]]; then
    l4re_in_qemu
  else
    record skip 'L4Re in QEMU' 'no L4Re build directory is configured (WVDS_L4RE_SOURCE, WVDS_L4RE_BUILD, WVDS_FIASCO_BUILD, WVDS_L4RE_DEPS; docs/l4re.md)'
  fi
  no_failures
}

step_aarch64() {
  local name
  need_target aarch64 2>&3
  record pass 'libraries and OpenSSL for aarch64'
  build_step aarch64 delivery portable_tests
  ctest_step aarch64 'aarch64: ' || true
  { cat "$wvds_root/build/aarch64/not_portable.txt"
    ctest --test-dir "$wvds_root/build/aarch64" -N -LE portable | sed -n 's/^ *Test *#[0-9]*: \([^.]*\).*/\1/p'; } | sort -u |
    while IFS= read -r name; do record skip "aarch64: $name" 'wants processes, peers, timing or system calls that the emulator does not have'; done
  no_failures
}

step_dist() {
  "$wvds_root/dist" 2>&3
  run_test 'dist_test.py' python3 -B "$wvds_root/tests/dist/dist_test.py"
  run_test 'hardening_test.py' python3 -B "$wvds_root/tests/dist/hardening_test.py" "$wvds_root"/build/dist/*.tar.gz
  ctest_step release 'dist: ' -L delivery || true
  run_test 'README_OEM.md' bash "$wvds_root/tests/dist/readme_oem_test.sh" "$wvds_root"/build/dist/*.tar.gz
  if [[ $long == yes ]]; then run_test 'two builds from nothing' "$wvds_root/tests/dist/two_builds_test.sh"; fi
  no_failures
}

step_spin() {
  local -a arguments=()
  if [[ $long == yes ]]; then arguments=(--long); fi
  run_test 'channel model' bash "$wvds_root/src/channel/model/check.sh" "${arguments[@]}"
  no_failures
}

# fuzz_one BINARY SECONDS: over the tree's seeds (CMake writes their folder to BINARY.corpus) and
# what earlier runs found. Prints the log; fails on a finding, or when seeds are missing or nothing
# was executed.
fuzz_one() {
  local binary=$1 seconds=$2 seeds='' found=$wvds_root/build/fuzz-corpus/${1##*/}
  mkdir -p "$found"
  if [[ -e $binary.corpus ]]; then
    seeds=$(<"$binary.corpus")
    [[ -n $(find "$seeds" -type f -print -quit) ]] || { echo "no seeds in $seeds"; return 1; }
  fi
  "$binary" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found-finding-" "$found" ${seeds:+"$seeds"} 2>&1 |
    awk '{ print } /^stat::number_of_executed_units:/ { units = $2 } END { exit !(units > 0) }'
}

# fuzz_one_logged BINARY SECONDS LOG: adds pass or fail as the log's last line
fuzz_one_logged() {
  if fuzz_one "$1" "$2" >"$3" 2>&1; then echo pass >>"$3"; else echo fail >>"$3"; fi
}

step_fuzz() {
  local seconds=10 binary log verdict folder=$wvds_root/build/fuzz
  local -a binaries
  if [[ $long == yes ]]; then seconds=600; fi
  configure_preset fuzz
  mapfile -t binaries < <(ninja -C "$folder" -t targets all | sed -n 's/^\(fuzz\/[^:]*\): CXX_EXECUTABLE_.*/\1/p' | sort)
  ((${#binaries[@]} > 0)) || { echo 'there is no fuzz target'; return 1; }
  build_step fuzz "${binaries[@]}"
  binaries=("${binaries[@]/#/$folder/}")
  export wvds_root out
  export -f fuzz_one fuzz_one_logged
  # shellcheck disable=SC2016  # the inner shell expands these
  printf '%s\n' "${binaries[@]}" | xargs -P "$(nproc)" -I '{}' \
    bash -c 'set -o pipefail; fuzz_one_logged "$1" "$2" "$out/fuzz-${1##*/}.log"' _ '{}' "$seconds" 3>&-
  for binary in "${binaries[@]}"; do
    log=$out/fuzz-${binary##*/}.log
    verdict=$(tail -n 1 "$log")
    if [[ $verdict == pass ]]; then
      grep -H 'stat::number_of_executed_units' "$log"
      record pass "fuzz: ${binary##*/}"
    else
      tail -n 60 "$log"
      record fail "fuzz: ${binary##*/}" "see ${log#"$wvds_root"/}"
    fi
  done
  no_failures
}

# check_required LIST FOLDER: each line of LIST is "step: STEP" or "test: NAME", NAME as ./check
# prints it, * allowed. A step counts when it has a passed test and none failed; a test name when
# it matches at least one test and all that match passed.
check_required() {
  local list=$1 line kind wanted file matching
  while IFS= read -r line; do
    line=${line%%#*}
    [[ -n ${line// /} ]] || continue
    kind=${line%%: *} wanted=${line#*: }
    wanted=${wanted%"${wanted##*[! ]}"}
    case $kind in
      step)
        file=$2/$wanted.results
        if [[ ! -e $file ]] || ! grep -q '^pass' "$file"; then record fail "required step $wanted" 'did not run'; fi
        ;;
      test)
        matching=$(required_matches "$wanted" "$2")
        if [[ -z $matching ]]; then
          record fail "required test $wanted" 'does not exist or was not reached'
        elif grep -q '^skip' <<<"$matching"; then
          record fail "required test $wanted" "did not run: $(grep '^skip' <<<"$matching" | cut -f3 | sort -u | head -n 3 | tr '\n' ' ')"
        fi
        ;;
      *) record fail "${list##*/}" "neither 'step: ' nor 'test: ': $line" ;;
    esac
  done <"$list"
}

# required_matches PATTERN FOLDER -> result lines whose test name matches
required_matches() {
  local kind name reason
  while IFS=$'\t' read -r kind name reason; do
    # shellcheck disable=SC2053  # a pattern is wanted
    if [[ $name == $1 ]]; then printf '%s\t%s\t%s\n' "$kind" "$name" "$reason"; fi
  done < <(cat "$2"/*.results)
}
