#!/bin/bash
# Runs docs/openssl-provider.md's commands as they stand there, one after the other, in an empty folder with the module.
# Uses the release build.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
page=$wvds_root/docs/openssl-provider.md
build=${WVDS_BUILD:-$wvds_root/build/release}

tmp=$(mktemp -d /tmp/wvds-docs.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

mkdir "$tmp/bin" "$tmp/empty"
ln -s "$build/src/service/wvds_crypto_service" "$build/tools/wvds/wvds" "$wvds_root/build/openssl/bin/openssl" "$tmp/bin/"
ln -s "$build/src/ossl_provider/wvds.so" "$tmp/empty/"
export PATH=$tmp/bin:$PATH
awk '/^```/ { inside = !inside && $0 == "```sh"; next } inside' "$page" >"$tmp/commands.sh"
grep -q 'openssl s_client' "$tmp/commands.sh" || die 'the page has lost its commands'
# A port that nobody else has
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -i "s/127\.0\.0\.1:4433/127.0.0.1:$port/" "$tmp/commands.sh"
cd "$tmp/empty"
# stops at the first command that fails, and leaves nothing running
# shellcheck disable=SC2016
bash -euo pipefail -c 'trap "jobs -p | xargs -r kill || true; wait" EXIT; set -x; . "$1"' - "$tmp/commands.sh" \
  >"$tmp/said" 2>"$tmp/errors" </dev/null || { cat "$tmp/said" "$tmp/errors"; die 'a command failed'; }
grep -q 'name: WvdS Crypto Service' "$tmp/said" || { cat "$tmp/said"; die 'the provider is not listed'; }
grep -q 'Verified OK' "$tmp/said" || { cat "$tmp/said"; die 'the ECDSA signature was not verified'; }
grep -q 'Signature Verified Successfully' "$tmp/said" || { cat "$tmp/said"; die 'the ML-DSA signature was not verified'; }
echo 'ok the commands'
