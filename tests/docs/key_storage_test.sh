#!/bin/bash
# Runs docs/key-storage.md's commands as they stand there, one after the other, in an empty folder. Uses the release build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
page=$wvds_root/docs/key-storage.md
build=${WVDS_BUILD:-$wvds_root/build/release}

for program in swtpm tpm2_getcap softhsm2-util; do
  command -v "$program" >/dev/null || { echo "NOT RUN: $program is not installed"; exit 77; }
done

tmp=$(mktemp -d /tmp/wvds-docs.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

mkdir "$tmp/bin" "$tmp/empty"
ln -s "$build/src/service/wvds_crypto_service" "$build/tools/wvds/wvds" "$tmp/bin/"
export PATH=$tmp/bin:$PATH
awk '/^```/ { inside = !inside && $0 == "```sh"; next } inside' "$page" >"$tmp/commands.sh"
grep -q 'wvds store restore' "$tmp/commands.sh" || die 'the page has lost its commands'
# Not on the page: the same move to a token and back
cat >>"$tmp/commands.sh" <<'END'
sed -i 's|"file": {|"hsm": { "module": "/usr/lib/softhsm/libsofthsm2.so", "token": "gateway", "pin_file": "'"$PWD"'/keys/pin" }, "file": {|' file.json
wvds store migrate --to hsm --config file.json
sed -i 's|"protector": "file"|"protector": "hsm"|' file.json
wvds store verify --config file.json
start file.json
wvds --socket socket decrypt notes.wvds
stop
wvds store migrate --to file --config file.json
sed -i 's|"protector": "hsm"|"protector": "file"|' file.json
wvds store verify --config file.json
END
cd "$tmp/empty"
# stops at the first command that fails, and leaves nothing running
# shellcheck disable=SC2016
bash -euo pipefail -c 'trap "jobs -p | xargs -r kill || true; wait" EXIT; set -x; . "$1"' - "$tmp/commands.sh" \
  >"$tmp/said" 2>"$tmp/errors" </dev/null || { cat "$tmp/said" "$tmp/errors"; die 'a command failed'; }
(($(grep -c '^some words$' "$tmp/said") == 3)) || { cat "$tmp/said"; die 'what was encrypted did not come back three times'; }
echo 'ok the commands'
