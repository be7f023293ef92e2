#!/bin/bash
# Tests of scripts/sysroot.sh and of scripts/openssl.sh --target: what is asked of the archive, what is kept, what a
# failed or a second call does. No network, nothing is compiled.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"
. "$scripts/sysroot.sh"
. "$scripts/openssl.sh"
set +e

# a stand-in archive with one package, whose calls are written down
fake_archive() {
  local bin=$tmp/bin.$BASHPID
  calls=$tmp/calls.$BASHPID package=$tmp/package.$BASHPID
  export calls package
  mkdir -p "$package/DEBIAN" "$package/usr/include"
  printf '%s\n' 'Package: libexample-dev' 'Version: 1.2-3' 'Architecture: arm64' 'Maintainer: nobody <nobody@example.org>' \
    'Description: example' >"$package/DEBIAN/control"
  echo header >"$package/usr/include/example.h"
  program "$bin" apt-get <<'FAKE'
if [[ $1 == indextargets ]]; then
  printf '%s\n' 'Debian|http://archive.example/debian-security/' 'Debian|http://archive.example/debian/'
  exit
fi
conf=${APT_CONFIG:-}
[[ $1 == -c ]] && conf=$2 && shift 2
echo "$* $(cat "${conf%/*}/sources.list") $(grep -h 'Architecture' "$conf" | tr '\n' ' ')" >>"$calls"
case $1 in
  update) [[ ! -e $calls.broken ]] || { echo 'E: The repository is not signed.'; exit 100; } ;;
  install) dpkg-deb --build --root-owner-group "$package" "${conf%/*}/cache/archives/libexample-dev.deb" ;;
esac
FAKE
  PATH=$bin:$PATH
  archive_keyring() { echo /keyring; }
  machine_release() { echo trixie; }
  wvds_cache=$tmp/cache.$BASHPID wvds_root=$tmp/tree.$BASHPID
  mkdir -p "$wvds_root/scripts"
  printf '%s\n' 'build this-machine # no' 'aarch64 libexample-dev # the target' >"$wvds_root/scripts/packages.txt"
}

test_unpacks_the_packages_of_the_target_and_links_the_folder() {
  fake_archive
  local folder
  folder=$(provide_sysroot 2>/dev/null)
  expect_eq header header "$(cat "$folder/usr/include/example.h")"
  expect_eq packages 'libexample-dev 1.2-3' "$(cat "$folder/packages")"
  expect_eq link "$folder" "$(readlink "$wvds_root/build/sysroot-aarch64")"
  expect_eq 'folders left' "$folder" "$(find "$wvds_cache" -mindepth 1 -maxdepth 1 -type d)"
}

test_asks_for_arm64_only_and_installs_nothing() {
  fake_archive
  accepts provide_sysroot
  expect_in calls 'install -y --no-install-recommends --download-only libexample-dev' "$(<"$calls")"
  expect_not_in calls this-machine "$(<"$calls")"
  expect_in calls 'APT::Architectures { "arm64"; };' "$(<"$calls")"
  expect_in calls '[signed-by=/keyring] http://archive.example/debian/ trixie main' "$(<"$calls")"
  expect_not_in calls security "$(<"$calls")"
}

test_a_second_call_asks_nobody_and_an_update_does() {
  fake_archive
  accepts provide_sysroot
  rm "$calls"
  accepts provide_sysroot
  [[ ! -e $calls ]] || fail 'the archive was asked again'
  accepts provide_sysroot --update
  [[ -e $calls ]] || fail 'the archive was not asked'
}

test_other_packages_are_another_folder() {
  fake_archive
  accepts provide_sysroot
  echo 'aarch64 libmore-dev # more' >>"$wvds_root/scripts/packages.txt"
  rm "$calls"
  accepts provide_sysroot
  expect_in calls 'libexample-dev libmore-dev' "$(<"$calls")"
}

test_a_failed_call_says_why_and_leaves_nothing() {
  fake_archive
  : >"$calls.broken"
  local said
  said=$( (provide_sysroot) 2>&1) && fail 'a failed call was accepted'
  expect_in said 'The repository is not signed' "$said"
  expect_in said 'could not be had' "$said"
  expect_eq 'folders left' '' "$(find "$wvds_cache" -mindepth 1 -type d)"
  [[ ! -e $wvds_root/build/sysroot-aarch64 ]] || fail 'a link was left'
}

test_refuses_an_unknown_option() {
  local said
  said=$( (provide_sysroot --fast) 2>&1) && fail 'accepted'
  expect_in said 'unknown option --fast' "$said"
}

# a tree whose own OpenSSL is VERSION, and a compiler for the target
native_build() {
  fake_archive
  mkdir -p "$wvds_root/build/"{openssl,sysroot-aarch64} "$wvds_cache"
  echo "$1" >"$wvds_root/build/openssl/version"
  local tool
  for tool in aarch64-linux-gnu-{gcc,strip} qemu-aarch64; do program "$tmp/cross.$BASHPID" "$tool" <<<'echo 12.2.0'; done
  PATH=$tmp/cross.$BASHPID:$PATH
}

test_openssl_for_the_target_has_the_version_of_this_machines() {
  native_build 3.6.3-1
  accepts same_version 3.6.3-1
  accepts same_version 3.6.3-2
  refuses same_version 3.6.4-1
}

test_openssl_for_the_target_wants_this_machines_first() {
  native_build 3.6.3-1
  rm "$wvds_root/build/openssl/version"
  local said
  said=$( (provide_cross aarch64) 2>&1) && fail 'accepted'
  expect_in said 'build OpenSSL for this machine first' "$said"
}

test_openssl_for_an_unknown_target_is_refused() {
  native_build 3.6.3-1
  local said
  said=$( (provide_cross sparc) 2>&1) && fail 'accepted'
  expect_in said 'unknown target sparc' "$said"
}

test_a_failed_build_for_the_target_shows_the_log_and_leaves_nothing() {
  native_build 3.6.3-1
  fetch_source() { echo 3.6.3-1; }
  unpack_source() { :; }
  compile_cross() {
    echo 'the compiler said why' >>"$2"
    return 1
  }
  local said
  said=$( (provide_cross aarch64) 2>&1) && fail 'a failed build was accepted'
  expect_in said 'the compiler said why' "$said"
  expect_eq 'folders left' '' "$(find "$wvds_cache" -mindepth 1 -type d)"
}

test_a_complete_folder_is_used_again() {
  native_build 3.6.3-1
  fetch_source() { echo 3.6.3-1; }
  unpack_source() { :; }
  compile_cross() { :; }
  collect_cross() {
    mkdir -p "$2"/{bin,include/openssl,lib/ossl-modules,ssl}
    touch "$2"/{version,bin/openssl,include/openssl/{evp,configuration}.h,lib/lib{crypto,ssl}.so.3,lib/ossl-modules/fips.so,ssl/{openssl,fipsmodule}.cnf}
  }
  local first
  first=$( (provide_cross aarch64) 2>/dev/null) || fail 'the first call failed'
  compile_cross() { return 1; }
  expect_eq folder "$first" "$( (provide_cross aarch64) 2>/dev/null)"
  expect_eq link "$first" "$(readlink "$wvds_root/build/openssl-aarch64")"
}

run_all
