#!/bin/bash
# Installs the Debian packages that are missing, and nothing else.
#
#   scripts/packages.sh build          what ./demo needs
#   scripts/packages.sh build check    what ./check needs
#   scripts/packages.sh --list GROUP...  only prints what is missing
#
# As root, or through sudo; where neither is possible it prints the missing packages and the
# command that installs them, and fails.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# wanted GROUP... -> one line a package (alternatives kept as a|b)
wanted() {
  local group name rest groups=" $* " file=$wvds_root/scripts/packages.txt
  while read -r group name rest; do
    [[ -n $group && $group != '#'* ]] || continue
    case $group in
      build | check | aarch64) ;;
      *) die "$file: '$group' is no group: every line is 'build', 'check' or 'aarch64', then the package, then # and the reason" ;;
    esac
    [[ -n $name && $name != '#'* && $rest == '#'* ]] || die "$file: the line of '$name' needs a package and a reason after #"
    [[ $groups != *" $group "* ]] || printf '%s\n' "$name"
  done <"$file"
}

# pick ALTERNATIVES -> the first one the archive knows, else the first
pick() {
  local name
  local -a names
  IFS='|' read -r -a names <<<"$1"
  for name in "${names[@]}"; do
    if ((${#names[@]} == 1)) || apt-cache show "$name" >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  printf '%s\n' "${names[0]}"
}

# missing GROUP... -> the packages to install. A package that another one provides by that name
# counts as present.
missing() {
  local entry name found installed
  # shellcheck disable=SC2016  # dpkg-query expands these
  installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' 2>/dev/null |
    awk '$1 == "installed" { gsub(/\([^)]*\)|,/, ""); $1 = ""; print }' | tr '\n' ' ') "
  while IFS= read -r entry; do
    found=no
    for name in ${entry//|/ }; do
      if [[ $installed == *" $name "* ]]; then found=yes; fi
    done
    [[ $found == yes ]] || pick "$entry"
  done < <(wanted "$@")
}

# as_root -> the words to put before a command; fails where there is no way
as_root() {
  if [[ $(id -u) == 0 ]]; then return 0; fi
  command -v sudo >/dev/null || return 1
  if sudo -n true 2>/dev/null; then
    echo 'sudo -n'
  elif [[ -t 0 ]]; then
    echo 'sudo'
  else
    return 1
  fi
}

apt_lists=/var/lib/apt/lists
lists_present() { compgen -G "$apt_lists/*_Packages*" >/dev/null; }

# apt_install LOG PREFIX PACKAGE...: PREFIX is as_root's answer. Removes nothing, keeps existing
# configuration files, waits for another package run.
apt_install() {
  local log=$1 prefix=$2 total
  shift 2
  local -a run=(apt-get install -y --no-install-recommends --no-remove
    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@")
  total=$(LC_ALL=C apt-get -s "${run[@]:1}" 2>>"$log" | grep -c '^Inst ') || return 1
  # shellcheck disable=SC2086  # PREFIX is a list of words
  $prefix env LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "${run[@]}" 2>&1 </dev/null |
    tee -a "$log" | progress "installing $total packages" $((2 * total)) '^(Get:|Setting up )'
}

main() {
  local list=no prefix log=$wvds_root/build/packages.log
  if [[ ${1:-} == --list ]]; then
    list=yes
    shift
  fi
  (($# > 0)) || die "usage: scripts/packages.sh [--list] build [check]"
  local -a need
  mapfile -t need < <(missing "$@")
  if [[ $list == yes ]]; then
    ((${#need[@]} == 0)) || printf '%s\n' "${need[@]}"
    return 0
  fi
  ((${#need[@]} > 0)) || return 0
  if ! prefix=$(as_root); then
    say "these Debian packages are missing and can't be installed without root or sudo:"
    say "  ${need[*]}"
    say "install them with:"
    say "  apt-get update && apt-get install --no-install-recommends ${need[*]}"
    return 1
  fi
  say "Debian packages to install: ${need[*]}"
  mkdir -p "${log%/*}"
  : >"$log"
  if ! lists_present; then
    say "reading the archive's package lists"
    $prefix apt-get update >>"$log" 2>&1 || warn "some package lists could not be read"
  fi
  if ! apt_install "$log" "$prefix" "${need[@]}"; then
    say "once more, with fresh package lists"
    $prefix apt-get update >>"$log" 2>&1 || warn "some package lists could not be read"
    mapfile -t need < <(missing "$@")
    ((${#need[@]} == 0)) || apt_install "$log" "$prefix" "${need[@]}" || show_log_tail "$log"
  fi
  mapfile -t need < <(missing "$@")
  ((${#need[@]} == 0)) || die "could not be installed: ${need[*]} (log: $log)"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
