#!/bin/bash
# Checks every C and C++ file of the L4Re folders with the compiler, without making anything of it: against the
# declarations in l4re/declarations, or against the headers of an L4Re build directory.
#
# usage: l4re/check_syntax.sh [--real L4RE-BUILD-DIR]
#
# The self-test needs WVDS_GTEST, where GoogleTest's sources are (default: where Debian puts them). It and whatever uses
# OpenSSL need its headers, of WVDS_L4RE_DEPS where that is set, else of build/openssl; the test of est_service needs
# nlohmann-json's, of WVDS_L4RE_DEPS where that is set, else the system's. Exit status: 0 every file is right, 1 not.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

real=''
case "$#:${1:-}" in
  0:) ;;
  2:--real) real=$(realpath -- "$2") ;;
  *) echo 'usage: l4re/check_syntax.sh [--real L4RE-BUILD-DIR]' >&2 && exit 2 ;;
esac
cd -- "$root"

deps=${WVDS_L4RE_DEPS:-}
deps=${deps%% *} # the step of ./check may have two; their headers are alike
gtest=${WVDS_GTEST:-/usr/src/googletest/googletest}
strict=(-fsyntax-only -Wall -Wextra -Werror)
ours=(-Isrc -Iinclude -I. -Itests '-DWVDS_VERSION="0.0.0"')
# as l4re/selftest/Makefile has it
openssl=(-isystem "${deps:-build/openssl}/include")
test_flags=(-DGTEST_HAS_POSIX_RE=0 -DGTEST_HAS_STREAM_REDIRECTION=0 -DGTEST_HAS_DEATH_TEST=0 -isystem "$gtest/include"
  "${openssl[@]}")
c=(gcc) cxx=(g++)
theirs=(-D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -Il4re/declarations)

# real_flags: compiler and flags as L4Re's own build passes them
real_flags() {
  local arch prefix include=$real/include
  local config=$include/config/auto.conf
  [[ -e $config ]] || { echo "check_syntax: $real is no L4Re build directory" >&2 && exit 2; }
  arch=$(sed -n 's/^CONFIG_BUILD_ARCH="\{0,1\}\([a-z0-9]*\)"\{0,1\}$/\1/p' "$config")
  case $arch in
    amd64) prefix=x86_64-linux-gnu- ;;
    arm64) prefix=aarch64-linux-gnu- ;;
    *) echo "check_syntax: $real: neither for amd64 nor for arm64" >&2 && exit 2 ;;
  esac
  c=("${prefix}gcc") cxx=("${prefix}g++")
  theirs=(-nostdinc -DL4SYS_USE_UTCB_WRAP=1 -U_GNU_SOURCE "-DARCH_$arch" -DL4API_l4f -D_POSIX_C_SOURCE=200809L
    -D_XOPEN_SOURCE=700 -D_FILE_OFFSET_BITS=64 -D_GLIBCXX_SYSHDR -DL4_GCC_HAS_ATOMICS
    -isystem "$include/contrib/libgcc_eh" -isystem "$include/contrib/libstdc++-v3" -isystem "$include/$arch"
    -isystem "$include" -isystem "$include/uclibc-ng" -isystem "$("${c[@]}" -print-file-name=include)"
    -include l4/bid_config.h)
  test_flags+=(-U__linux__ -U__linux -Ulinux -U__gnu_linux__)
}
if [[ -n $real ]]; then real_flags; fi

check_file() {
  case $1 in
    *.c) "${c[@]}" -std=c11 "${strict[@]}" "${ours[@]}" "${theirs[@]}" "$1" ;;
    l4re/selftest/*) "${cxx[@]}" -std=gnu++23 "${strict[@]}" "${ours[@]}" "${test_flags[@]}" "${theirs[@]}" "$1" ;;
    l4re/esttest/*) "${cxx[@]}" -std=gnu++23 "${strict[@]}" "${ours[@]}" -Itests/est "${openssl[@]}" "${theirs[@]}" "$1" ;;
    src/crypto/* | src/est_service/*) "${cxx[@]}" -std=gnu++23 "${strict[@]}" "${ours[@]}" "${openssl[@]}" "${theirs[@]}" "$1" ;;
    *) "${cxx[@]}" -std=gnu++23 "${strict[@]}" "${ours[@]}" "${theirs[@]}" "$1" ;;
  esac
}

mapfile -t files < <(find l4re src examples -path '*l4re/*' \( -name '*.cc' -o -name '*.c' \) | sort)
((${#files[@]} > 0)) || { echo 'check_syntax: no source file found' >&2 && exit 1; }

bad=0
# the oldest of two running ones is waited for: they take about the same time
running=()
reap() {
  wait "${running[0]}" || bad=1
  running=("${running[@]:1}")
}
for file in "${files[@]}"; do
  check_file "$file" &
  running+=("$!")
  if ((${#running[@]} == 2)); then reap; fi
done
while ((${#running[@]} > 0)); do reap; done

echo "${#files[@]} files, against ${real:-l4re/declarations}"
exit "$bad"
