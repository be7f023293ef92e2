#!/bin/bash
# Tests of scripts/openssl.sh: which versions are accepted, what is taken from the archive, what a
# failed or a second call does. No network, nothing is compiled.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"
. "$scripts/openssl.sh"
set +e

# make_built VERSION: a complete-looking folder in the cache
make_built() {
  local folder
  folder=$wvds_cache/openssl-$1-$(recipe)
  mkdir -p "$folder"/{bin,include/openssl,lib/ossl-modules,ssl}
  touch "$folder"/{bin/openssl,include/openssl/evp.h,ssl/fipsmodule.cnf} \
    "$folder"/lib/{libcrypto.so,libcrypto.a,libssl.so,libssl.a,ossl-modules/fips.so}
  echo "$1" >"$folder/version"
}

fresh_cache() {
  wvds_cache=$tmp/cache.$BASHPID
  mkdir -p "$wvds_cache"
}

test_minimum_of_each_branch() {
  local versions=$tmp/versions
  printf '%s\n' '# comment' '3.5 3.5.7' '3.6 3.6.3' >"$versions"
  for v in 3.5.7 3.5.7-1~deb13u2 3.5.10-1 3.6.3-1 1:3.6.3-1 3.6.12 3.7.0 4.0.1-2; do accepts new_enough "$v" "$versions"; done
  for v in 3.5.6-9 3.5.0 3.6.2-1 3.6.0 3.4.9 3.0.19-1~deb12u2 1.1.1w; do refuses new_enough "$v" "$versions"; done
}

test_every_minimum_in_the_tree_is_of_its_branch() {
  local branch minimum lines=0
  while read -r branch minimum; do
    [[ $branch != '#'* ]] || continue
    expect_eq "$branch" "$branch" "${minimum%.*}"
    lines=$((lines + 1))
  done <"$scripts/openssl.version"
  ((lines > 0)) || fail 'no minimum'
}

test_refuses_less_than_the_last_one_built() {
  fresh_cache
  accepts acceptable 3.6.3-1
  echo 3.6.4-1 >"$wvds_cache/openssl.last"
  refuses acceptable 3.6.3-1
  refuses acceptable 3.5.9-1
  accepts acceptable 3.6.4-1
  accepts acceptable 3.6.5-1
}

test_takes_the_newest_complete_folder() {
  fresh_cache
  refuses newest_built
  make_built 3.6.3-1
  make_built 3.6.10-1
  make_built 3.6.11-1
  rm "$wvds_cache/openssl-3.6.11-1-$(recipe)/ssl/fipsmodule.cnf"
  make_built 3.6.2-1
  expect_eq newest "$wvds_cache/openssl-3.6.10-1-$(recipe)" "$(newest_built)"
}

test_another_recipe_is_another_folder() {
  fresh_cache
  make_built 3.6.3-1
  configure_options+=(no-something)
  refuses newest_built
}

# a stand-in archive: sid's Release is expired and lists a version that is not served
fake_archive() {
  local bin=$tmp/bin.$BASHPID
  calls=$tmp/calls.$BASHPID
  export calls
  program "$bin" apt-get <<'FAKE'
[[ $1 == -c ]] && conf=$2 && shift 2
echo "$* $(cat "${conf%/*}/sources.list" 2>/dev/null) $(grep -o 'Check-Valid-Until.*' "$conf" 2>/dev/null)" >>"$calls"
case $1 in
  indextargets) printf '%s\n' 'Debian|http://archive.example/debian-security/' 'Debian|http://archive.example/debian/' '|http://other.example/' ;;
  update)
    list=$(cat "${conf%/*}/sources.list")
    case "$list" in
      *' sid '*) grep -q Check-Valid-Until "$conf" || { echo "E: Release file for sid is expired (invalid since 16d)."; exit 100; } ;;
      *' testing '*) echo 'E: The repository is not signed.'; exit 100 ;;
    esac ;;
  source)
    [[ $* != *3.6.5* ]] || { echo '404 Not Found'; exit 100; }
    touch "openssl_served.dsc" ;;
esac
FAKE
  program "$bin" apt-cache <<'FAKE'
case $(cat "${2%/*}/sources.list") in
  *' sid '*) printf 'Version: %s\n' 3.6.3-1 4.0.0-1 3.6.5-1 3.5.9-1 ;;
  *' stable '*) printf 'Version: %s\n' 3.5.7-1 ;;
esac
FAKE
  PATH=$bin:$PATH
  archive_keyring() { echo /keyring; }
}

any_version() { :; }
only_3_5() { [[ $1 == 3.5.* ]]; }

test_takes_the_newest_served_version() {
  fake_archive
  mkdir "$tmp/w1"
  expect_eq version 3.6.3-1 "$(fetch_source "$tmp/w1" any_version 2>"$tmp/said")"
  [[ -e $tmp/w1/source/openssl_served.dsc ]] || fail 'no source'
  expect_in said 'lists OpenSSL 3.6.5-1, but its source is not served' "$(<"$tmp/said")"
}

test_accepts_an_expired_release_file_only_on_a_second_try_and_says_so() {
  fake_archive
  mkdir "$tmp/w2"
  accepts fetch_source "$tmp/w2" any_version
  expect_eq 'sid updates' 2 "$(grep -c 'update .* sid ' "$calls")"
  expect_eq 'sid updates without the date check' 1 "$(grep -c 'update .* sid .*Check-Valid-Until' "$calls")"
  rm -rf "$tmp/w2/"*
  expect_in said 'past its Valid-Until date' "$(fetch_source "$tmp/w2" any_version 2>&1 >/dev/null)"
}

test_a_signature_error_is_not_tried_again_without_the_date_check() {
  fake_archive
  mkdir "$tmp/w3"
  accepts fetch_source "$tmp/w3" only_3_5
  expect_eq 'testing updates without the date check' 0 "$(grep -c 'update .* testing .*Check-Valid-Until' "$calls")"
}

test_falls_back_to_the_stable_3_5() {
  fake_archive
  mkdir "$tmp/w4"
  expect_eq version 3.5.7-1 "$(fetch_source "$tmp/w4" only_3_5 2>/dev/null)"
}

test_never_asks_a_security_or_foreign_archive() {
  fake_archive
  mkdir "$tmp/w5"
  accepts fetch_source "$tmp/w5" only_3_5
  expect_not_in calls security "$(grep -v indextargets "$calls")"
  expect_not_in calls other.example "$(grep -v indextargets "$calls")"
  expect_in calls 'signed-by=/keyring' "$(grep update "$calls")"
}

test_fails_when_nothing_is_acceptable() {
  fake_archive
  mkdir "$tmp/w6"
  refuses fetch_source "$tmp/w6" false
}

test_a_failed_build_shows_the_log_and_leaves_nothing() {
  fresh_cache
  fetch_source() {
    mkdir -p "$1/source"
    touch "$1/source/openssl.dsc"
    echo 3.6.3-1
  }
  program "$tmp/bin7" dpkg-source <<<'mkdir -p "${@: -1}"'
  PATH=$tmp/bin7:$PATH
  build() {
    echo 'the compiler said why' >>"$3"
    return 1
  }
  local said
  said=$( (obtain_built) 2>&1) && fail 'a failed build was accepted'
  expect_in said 'the compiler said why' "$said"
  expect_eq 'folders left' '' "$(find "$wvds_cache" -mindepth 1 -type d)"
  [[ ! -e $wvds_cache/openssl.last ]] || fail 'a failed build was recorded'
}

test_two_calls_at_once_build_once() {
  fresh_cache
  export wvds_cache
  mkfifo "$tmp/started" "$tmp/go"
  cat >"$tmp/call.sh" <<'CALL'
. "$1/openssl.sh"
wvds_cache=$2 wvds_root=$3
system_openssl() { return 1; }
newest_built() { [[ -e $wvds_cache/built ]] && echo "$wvds_cache/built"; }
obtain_built() {
  echo built >>"$wvds_cache/count"
  echo >"$3/started"
  read -r _ <"$3/go"
  mkdir "$wvds_cache/built"
  obtained=$wvds_cache/built
}
flock() {
  command flock "$@" && return
  echo >"$3/second"
  return 1
}
main
CALL
  sed -i "s|\$3/|$tmp/|g" "$tmp/call.sh"
  mkfifo "$tmp/second"
  mkdir "$tmp/tree"
  bash "$tmp/call.sh" "$scripts" "$wvds_cache" "$tmp/tree" >"$tmp/out1" 2>&1 &
  local first=$!
  read -r _ <"$tmp/started"
  bash "$tmp/call.sh" "$scripts" "$wvds_cache" "$tmp/tree" >"$tmp/out2" 2>&1 &
  local second=$!
  read -r _ <"$tmp/second" # the second one found the lock taken
  echo >"$tmp/go"
  wait "$first" || fail 'the first call failed'
  wait "$second" || fail 'the second call failed'
  expect_eq builds 1 "$(wc -l <"$wvds_cache/count")"
  expect_in 'second call' 'waiting for it' "$(<"$tmp/out2")"
  expect_eq link "$wvds_cache/built" "$(readlink "$tmp/tree/build/openssl")"
}

# a stand-in root folder with a system OpenSSL
fake_system() {
  local arch
  arch=$(cc -print-multiarch)
  system_root=$tmp/root.$BASHPID
  mkdir -p "$system_root"/{usr/bin,usr/include/openssl,"usr/include/$arch/openssl","usr/lib/$arch/ossl-modules",etc/ssl}
  touch "$system_root/usr/bin/openssl" "$system_root/usr/include/openssl/evp.h" \
    "$system_root/usr/include/$arch/openssl/configuration.h" "$system_root/etc/ssl/openssl.cnf" \
    "$system_root/usr/lib/$arch/"{libcrypto.so,libcrypto.so.3,libcrypto.a,libssl.so,libssl.so.3,libssl.a,ossl-modules/fips.so}
  program "$tmp/bin8.$BASHPID" dpkg-query <<<'echo 3.5.7-1~deb13u2'
  PATH=$tmp/bin8.$BASHPID:$PATH
  install_fips_config() { touch "$1/ssl/fipsmodule.cnf"; }
}

test_takes_the_system_one_in_the_same_layout() {
  fresh_cache
  fake_system
  local folder
  folder=$(system_openssl 2>/dev/null) || fail 'not taken'
  accepts complete "$folder"
  [[ -e $folder/include/openssl/configuration.h ]] || fail 'the architecture'"'"'s headers are missing'
  expect_eq 'second call' "$folder" "$(system_openssl)"
}

test_refuses_a_system_one_without_fips_or_too_old() {
  fresh_cache
  fake_system
  program "$tmp/bin9" dpkg-query <<<'echo 3.5.1-1'
  (PATH=$tmp/bin9:$PATH; refuses system_openssl) || exit 1
  echo 3.6.3-1 >"$wvds_cache/openssl.last"
  refuses system_openssl
  rm "$wvds_cache/openssl.last"
  accepts system_openssl
  install_fips_config() { return 1; }
  echo changed >"$system_root/usr/lib/$(cc -print-multiarch)/ossl-modules/fips.so"
  refuses system_openssl
  rm "$system_root/usr/lib/$(cc -print-multiarch)/ossl-modules/fips.so"
  refuses system_openssl
}

run_all
