# shellcheck shell=bash
# Functions shared by the scripts, ./check and ./demo. Source it; it runs nothing.
# Callers run with `set -euo pipefail`. Everything a person reads goes to standard error, so that
# standard output stays free for results.

wvds_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
wvds_home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
# shellcheck disable=SC2034  # for the scripts that source this
wvds_cache=${WVDS_CACHE:-${XDG_CACHE_HOME:-$wvds_home/.cache}/wvds}

say() { printf '%s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# minutes SECONDS -> "m:ss"
minutes() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# progress LABEL TOTAL PATTERN <log: shows percent and time. With a TOTAL it counts the lines that
# match the extended regular expression; with TOTAL 0 the pattern's two groups are "done" and
# "of" ([12/345]). On a terminal one line is rewritten; elsewhere there is a line every ten
# percent, but not more than one in five seconds, and the last one. It is driven by the lines
# themselves and ends with its input.
progress() {
  local label=$1 total=$2 pattern=$3 line count=0 of=$2 percent shown=-1 told=0 told_at=$SECONDS started=$SECONDS
  while IFS= read -r line; do
    [[ $line =~ $pattern ]] || continue
    if ((total == 0)); then
      count=$((10#${BASH_REMATCH[1]})) of=$((10#${BASH_REMATCH[2]}))
    else
      count=$((count + 1))
    fi
    percent=$((of > 0 ? count * 100 / of : 100))
    ((percent <= 100)) || percent=100
    ((percent > shown)) || continue
    if [[ -t 2 ]]; then
      printf '\r%s %3d%%  %s ' "$label" "$percent" "$(minutes $((SECONDS - started)))" >&2
    elif ((percent == 100 || (percent / 10 > told / 10 && SECONDS >= told_at + 5))); then
      printf '%s %3d%%  %s\n' "$label" "$percent" "$(minutes $((SECONDS - started)))" >&2
      told=$percent told_at=$SECONDS
    fi
    shown=$percent
  done
  if [[ -t 2 ]] && ((shown >= 0)); then printf '\n' >&2; fi
}

# show_log_tail FILE [LINES]
show_log_tail() {
  [[ -s $1 ]] || return 0
  say "--- the last lines of $1"
  tail -n "${2:-25}" -- "$1" >&2
  say "---"
}

# need_packages GROUP...: installs what is missing of scripts/packages.txt, or says what is missing
need_packages() { "$wvds_root/scripts/packages.sh" "$@"; }

# need_openssl -> build/openssl points to it afterwards; prints the real folder
need_openssl() { "$wvds_root/scripts/openssl.sh"; }

# need_target ARCH -> what a cross-build for the architecture needs: its libraries and OpenSSL for it, linked in build/
need_target() {
  "$wvds_root/scripts/sysroot.sh" >/dev/null && "$wvds_root/scripts/openssl.sh" --target "$1" >/dev/null
}

# without_aslr -> words to put before a command whose ThreadSanitizer can't stand a large
# address-space randomisation; nothing where the machine does not allow to turn it off
without_aslr() {
  if setarch -R true 2>/dev/null; then echo 'setarch -R'; fi
}

# configure_preset PRESET: runs CMake where it has not run for this OpenSSL
configure_preset() {
  local preset=$1 folder=$wvds_root/build/$1 openssl fresh=--fresh
  openssl=$(readlink -f "$wvds_root/build/openssl")
  if [[ $preset == aarch64 ]]; then openssl=$(readlink -f "$wvds_root/build/openssl-aarch64"); fi
  if [[ -e $folder/build.ninja && -e $folder/configured-for && $(<"$folder/configured-for") == "$openssl" ]]; then
    return 0
  fi
  if [[ ! -e $folder/CMakeCache.txt ]]; then fresh=; fi
  if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  (cd "$wvds_root" && cmake --preset "$preset" $fresh) || return 1
  printf '%s\n' "$openssl" >"$folder/configured-for"
}

# build_preset PRESET [TARGET...]: configures and builds on standard output; the last lines are
# Ninja's own
build_preset() {
  local preset=$1 prefix=''
  shift
  if [[ $preset == tsan ]]; then prefix=$(without_aslr); fi
  configure_preset "$preset" || return 1
  # shellcheck disable=SC2086  # PREFIX is a list of words
  NINJA_STATUS='[%f/%t] ' $prefix cmake --build "$wvds_root/build/$preset" -j"$(nproc)" ${1:+--target "$@"}
}

# need_build PRESET [TARGET...]: build_preset with progress on the screen and the log kept in
# build/PRESET.log, shown where it fails
need_build() {
  local log=$wvds_root/build/$1.log
  mkdir -p "${log%/*}"
  if build_preset "$@" 2>&1 </dev/null | tee "$log" | progress "building" 0 '^\[([0-9]+)/([0-9]+)\]'; then return 0; fi
  show_log_tail "$log" 40
  return 1
}
