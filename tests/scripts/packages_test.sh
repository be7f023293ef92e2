#!/bin/bash
# Tests of scripts/packages.sh with stand-ins for apt, dpkg-query, sudo and id. Nothing is installed.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"

# tree: a copy of the scripts with a list of its own, and a folder of programs in which only
# those exist that a test puts there
tree() {
  root=$tmp/tree.$BASHPID
  bin=$root/bin
  calls=$root/calls
  export calls
  mkdir -p "$root/scripts" "$bin"
  : >"$calls"
  cp "$scripts"/{lib.sh,packages.sh} "$root/scripts/"
  printf '%s\n' '# comment' 'build alpha # a' 'build beta|beta-new # b' '' 'check gamma # c' >"$root/scripts/packages.txt"
  for name in true touch bash cat cut awk tr grep sed tail tee mkdir env dirname id getent; do
    ln -sf "$(type -P "$name")" "$bin/$name"
  done
  rm "$bin/id"
  program "$bin" id <<<'[[ $1 == -u ]] && echo 1000 || echo someone'
  # installed: what the file says, as dpkg-query prints it
  : >"$root/installed"
  program "$bin" dpkg-query <<<"cat '$root/installed'"
  program "$bin" apt-cache <<'FAKE'
[[ $2 != beta ]]
FAKE
  program "$bin" apt-get <<FAKE
echo "\$*" >>"\$calls"
case "\$*" in
  *-s*) for p in alpha beta-new gamma; do [[ \$* == *\$p* ]] && echo "Inst \$p"; done; exit 0 ;;
  update*) touch '$root/updated' ;;
  install*)
    [[ ! -e '$root/needs-update' || -e '$root/updated' ]] || { echo 'E: 404 Not Found'; exit 100; }
    for p in alpha beta-new gamma; do [[ \$* == *\$p* ]] && echo "installed \$p " >>'$root/installed' && echo "Setting up \$p"; done ;;
esac
exit 0
FAKE
  mkdir -p "$root/lists"
  touch "$root/lists/archive_Packages"
}

# packages ARGUMENT...: runs the copy with only the programs of the tree
packages() {
  env -i PATH="$bin" HOME="$root" calls="$calls" "$bin/bash" -c \
    '. "$1/scripts/packages.sh"; apt_lists=$1/lists; shift; main "$@"' _ "$root" "$@" </dev/null 2>&1
}

installed() { printf 'installed %s \n' "$@" >"$root/installed"; }

test_without_root_or_sudo_it_names_what_is_missing() {
  tree
  installed alpha
  local said code=0
  said=$(packages build check) || code=$?
  expect_eq 'exit status' 1 "$code"
  expect_in said 'beta-new gamma' "$said"
  expect_in said 'apt-get install' "$said"
  expect_not_in said alpha "$said"
  expect_eq 'apt-get calls' '' "$(<"$calls")"
}

test_a_sudo_that_needs_a_password_is_no_way_without_a_terminal() {
  tree
  program "$bin" sudo <<<'exit 1'
  local code=0
  packages build >/dev/null || code=$?
  expect_eq 'exit status' 1 "$code"
  expect_eq 'apt-get calls' '' "$(<"$calls")"
}

test_through_sudo_it_installs_only_what_is_missing_and_removes_nothing() {
  tree
  installed alpha
  program "$bin" sudo <<<'shift; echo "sudo $*" >>"$calls"; exec "$@"'
  accepts packages build
  local call
  call=$(grep '^sudo env.*install' "$calls")
  expect_in call '--no-remove' "$call"
  expect_in call 'beta-new' "$call"
  expect_not_in call alpha "$call"
  expect_not_in call gamma "$call"
  expect_eq 'updates' 0 "$(grep -c '^update' "$calls")"
}

test_nothing_missing_calls_nothing() {
  tree
  installed alpha beta gamma
  expect_eq said '' "$(packages build check)"
  expect_eq 'apt-get calls' '' "$(<"$calls")"
}

test_a_package_provided_by_another_counts() {
  tree
  printf '%s\n' 'installed alpha ' 'installed other beta (= 1.0), something' >"$root/installed"
  expect_eq missing '' "$(packages --list build)"
}

test_a_removed_package_counts_as_missing() {
  tree
  printf '%s\n' 'config-files alpha ' 'installed beta ' >"$root/installed"
  expect_eq missing alpha "$(packages --list build)"
}

test_lists_are_updated_when_there_are_none() {
  tree
  rm "$root/lists/archive_Packages"
  program "$bin" sudo <<<'shift; exec "$@"'
  accepts packages build
  expect_eq 'first call' update "$(head -n 1 "$calls")"
}

test_a_failed_installation_is_tried_once_more_with_fresh_lists() {
  tree
  touch "$root/needs-update"
  program "$bin" sudo <<<'shift; exec "$@"'
  accepts packages build
  expect_eq updates 1 "$(grep -c '^update' "$calls")"
}

test_what_could_not_be_installed_fails() {
  tree
  program "$bin" sudo <<<'exit 0'
  local said code=0
  said=$(packages build) || code=$?
  expect_eq 'exit status' 1 "$code"
  expect_in said 'could not be installed: alpha' "$said"
}

test_a_line_without_group_or_reason_is_refused() {
  tree
  echo 'delta # d' >>"$root/scripts/packages.txt"
  expect_in said "'delta' is no group" "$(packages --list build)"
  tree
  echo 'build delta' >>"$root/scripts/packages.txt"
  expect_in said 'needs a package and a reason' "$(packages --list build)"
}

test_the_list_in_the_tree_is_well_formed() {
  tree
  cp "$scripts/packages.txt" "$root/scripts/"
  local said
  said=$(packages --list build check)
  expect_not_in said error "$said"
  expect_in said 'cmake' "$said"
}

run_all
