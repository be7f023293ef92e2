#!/bin/bash
# Runs what README.md shows: the demo, the commands for a service of one's own, and the C example, as they stand there, in
# a folder beside the tree. Uses the release build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
readme=$wvds_root/README.md

tmp=$(mktemp -d /tmp/wvds-docs.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

# block LANGUAGE NUMBER: the text of a fenced block
block() {
  awk -v language="$1" -v number="$2" '
    /^```/ { if (inside) inside = 0; else if ($0 == "```" language && ++count == number) { inside = 1; next } }
    inside { print; found = 1 }
    END { if (!found) exit 1 }' "$readme" || die "README.md has no $2. block of $1"
}

# plain: numbers become #, so that times and sizes don't matter; spaces are squeezed
plain() { sed -E 's/[0-9]+([.,:][0-9]+)*/#/g; s/ +/ /g; s/ $//'; }

# no_process_with TEXT: fails when a process has it in its command line
no_process_with() {
  local file said
  for file in /proc/[0-9]*/cmdline; do
    said=$(tr '\0' ' ' <"$file" 2>/dev/null) || continue
    [[ $said != *"$1"* ]] || die "a process is left: $said"
  done
}

test_the_demo_prints_what_is_shown() {
  local line
  "$wvds_root/demo" </dev/null >"$tmp/demo.out"
  while IFS= read -r line; do
    [[ $line =~ ^\ *\.\.\.$ ]] || grep -qxF -- "$line" <(plain <"$tmp/demo.out") || { cat "$tmp/demo.out"; die "./demo does not print: $line"; }
  done < <(block text 1 | plain)
}

test_the_demo_protects_files_and_standard_input() {
  head -c 100000 /dev/urandom >"$tmp/some file"
  echo 'from a pipe' | "$wvds_root/demo" "$tmp/some file" - >"$tmp/demo.out"
  grep -q 'some file, part 3' "$tmp/demo.out" || die 'the file is not in three parts'
  grep -q 'standard input .* 12 bytes' "$tmp/demo.out" || die 'standard input is missing'
  grep -q 'equal' "$tmp/demo.out" || die 'nothing was compared'
}

test_the_demo_refuses_what_it_cannot_read() {
  if "$wvds_root/demo" "$tmp/missing" >"$tmp/demo.out" 2>&1 </dev/null; then die 'a missing file was accepted'; fi
  grep -q "$tmp/missing" "$tmp/demo.out" || die 'the missing file is not named'
}

test_the_demo_leaves_nothing_behind() {
  local folder
  "$wvds_root/demo" </dev/null >"$tmp/demo.out"
  folder=$(sed -nE 's|.* (/tmp/wvds-demo[^/]*)/gateway,.*|\1|p' "$tmp/demo.out")
  [[ -n $folder ]] || die 'the demo does not say where it works'
  [[ ! -e $folder ]] || die "$folder is left"
  no_process_with "$folder"
}

test_an_interrupted_demo_leaves_nothing_behind() {
  local folder pid
  mkfifo "$tmp/endless"
  sleep infinity >"$tmp/endless" & # keeps standard input open: the gateway waits for the rest
  local feeder=$!
  "$wvds_root/demo" - <"$tmp/endless" >"$tmp/demo.out" 2>&1 &
  pid=$!
  grep -q -m1 'The gateway encapsulates' < <(timeout 300 tail --pid="$pid" -n +1 -f "$tmp/demo.out") ||
    { cat "$tmp/demo.out"; die 'it did not come so far'; }
  folder=$(sed -nE 's|.* (/tmp/wvds-demo[^/]*)/gateway,.*|\1|p' "$tmp/demo.out")
  kill -TERM "$pid"
  wait "$pid" && die 'it ended as if nothing had happened'
  kill "$feeder"
  [[ ! -e $folder ]] || die "$folder is left"
  no_process_with "$folder"
}

test_check_lists_its_steps() { "$wvds_root/check" --list | grep '^docs ' >/dev/null || die './check --list shows no step docs'; }

# a folder that looks like the tree to the commands, and does not change it
in_a_copy() {
  mkdir "$tmp/tree"
  ln -s "$wvds_root"/{build,include,README.md} "$tmp/tree/"
  cd "$tmp/tree"
  shopt -s expand_aliases
}

test_the_commands_and_the_c_example() {
  in_a_copy
  { block sh 2; block sh 3; } >commands.sh
  # shellcheck disable=SC1091
  . ./commands.sh
  block c 1 >hello.c
  cc -std=c11 -Wall -Wextra -Werror -pedantic -Iinclude -c hello.c -o /dev/null
  block sh 4 >build.sh
  bash -euo pipefail build.sh >said
  cmp said <(block text 2)
  kill %%
  wait
}

# not in a condition: bash would ignore -e in there
for name in $(compgen -A function test_); do
  set +e
  (
    set -e
    trap 'jobs -p | xargs -r kill' EXIT
    "$name"
  ) >"$tmp/out" 2>&1
  code=$?
  set -e
  if ((code != 0)); then
    cat "$tmp/out"
    die "$name"
  fi
  echo "ok $name"
done
