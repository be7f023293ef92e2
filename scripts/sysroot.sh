#!/bin/bash
# Provides what a cross-build for aarch64 needs of the target's libraries and headers, and prints the folder;
# build/sysroot-aarch64 becomes a symlink to it. The packages (group `aarch64` of scripts/packages.txt) and what they
# depend on come from the machine's own Debian archive, in the machine's own release, and are only unpacked: nothing is
# installed, the machine's architectures stay as they are, and no root is needed.
#
#   scripts/sysroot.sh            use what the cache has, fetch what is missing
#   scripts/sysroot.sh --update   fetch it again, for newer packages
#
# The file `packages` in the folder lists what is in it: package, version.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/openssl_source.sh
. "$wvds_root/scripts/openssl_source.sh"
# shellcheck source=scripts/packages.sh
. "$wvds_root/scripts/packages.sh"

sysroot_layout=1 # raise it when the steps below produce something else from the same packages

# machine_release -> the machine's Debian release by its code name
# shellcheck disable=SC1091  # of the machine
machine_release() (
  . /etc/os-release
  [[ -n ${VERSION_CODENAME:-} ]] || die "/etc/os-release names no VERSION_CODENAME, so it is not known which Debian release's packages fit"
  printf '%s\n' "$VERSION_CODENAME"
)

# sysroot_folder -> where the sysroot for these packages stands in the cache
sysroot_folder() {
  local release hash
  release=$(machine_release)
  hash=$({ echo "$sysroot_layout"; wanted aarch64; } | sha256sum | cut -c1-12)
  printf '%s\n' "$wvds_cache/sysroot-aarch64-$release-$hash"
}

# download FOLDER URI: the packages and what they depend on, into FOLDER/cache/archives
download() {
  local folder=$1 uri=$2 keyring
  local -a names
  keyring=$(archive_keyring) || return 1
  mapfile -t names < <(wanted aarch64)
  private_apt_conf "$folder"
  printf '%s\n' 'APT::Architecture "arm64";' '#clear APT::Architectures;' 'APT::Architectures { "arm64"; };' \
    '#clear DPkg::Post-Invoke;' >>"$folder/apt.conf"
  echo "deb [signed-by=$keyring] $uri $(machine_release) main" >"$folder/sources.list"
  update_suite "$folder" "$(machine_release)" || return 1
  if ! LC_ALL=C apt-get -c "$folder/apt.conf" install -y --no-install-recommends --download-only "${names[@]}" \
    >"$folder/download.log" 2>&1; then
    show_log_tail "$folder/download.log"
    return 1
  fi
}

# unpack_packages FOLDER STAGE: the downloaded packages, each over the others, and their list
unpack_packages() {
  local package
  mkdir -p "$2"
  for package in "$1"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$2" || return 1
    # shellcheck disable=SC2016  # dpkg-deb expands these
    dpkg-deb -W --showformat '${Package} ${Version}\n' "$package" || return 1
  done | sort >"$1/packages" || return 1
  mv "$1/packages" "$2/packages"
}

# make_sysroot FOLDER: one call at a time
make_sysroot() {
  local work uri got=no
  rm -rf "$wvds_cache"/sysroot.?????? # of a run that was killed; the lock is ours
  work=$(mktemp -d "$wvds_cache/sysroot.XXXXXX")
  # shellcheck disable=SC2064  # the folder is known now, not at the exit
  trap "rm -rf '$work'" EXIT
  say "fetching libraries and headers for aarch64 from this machine's Debian archive"
  while IFS= read -r uri; do
    rm -rf "$work/apt"
    if download "$work/apt" "$uri"; then got=yes; break; fi
  done < <(archive_uris)
  [[ $got == yes ]] || die "the packages for aarch64 could not be had (see the lines above)"
  unpack_packages "$work/apt" "$work/root" || die "the packages for aarch64 could not be unpacked"
  [[ -s $work/root/packages ]] || die "the archive gave no packages for aarch64"
  rm -rf "$1"
  mv -T "$work/root" "$1"
}

# link_sysroot FOLDER
link_sysroot() {
  local link=$wvds_root/build/sysroot-aarch64
  if [[ $(readlink "$link" 2>/dev/null) == "$1" ]]; then return 0; fi
  mkdir -p "$wvds_root/build"
  ln -s "$1" "$link.$$"
  mv -T "$link.$$" "$link"
}

provide_sysroot() {
  local folder update=no
  case ${1:-} in
    '') ;;
    --update) update=yes ;;
    *) die "unknown option $1" ;;
  esac
  umask 022
  mkdir -p "$wvds_cache"
  wvds_cache=$(cd -- "$wvds_cache" && pwd -P)
  folder=$(sysroot_folder)
  if [[ $update == yes || ! -s $folder/packages ]]; then
    exec 9>"$wvds_cache/sysroot.lock"
    flock 9
    if [[ $update == yes || ! -s $folder/packages ]]; then make_sysroot "$folder"; fi
  fi
  link_sysroot "$folder"
  printf '%s\n' "$folder"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then provide_sysroot "$@"; fi
