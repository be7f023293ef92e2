#!/bin/bash
# Measures what each protector costs and prints the table of docs/key-storage.md: `bench/key_storage.sh [required|off]`.
# Two minutes; the machine should do nothing else meanwhile. The TPM and the token are emulators.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bench=$root/build/release/bench/wvds_key_storage_bench
mode=${1:-required}
module=/usr/lib/softhsm/libsofthsm2.so

[[ -x $bench ]] || {
  echo "$bench is not built: cmake --preset release -DWVDS_BENCH=ON && cmake --build --preset release --target wvds_key_storage_bench" >&2
  exit 1
}
umask 077
tmp=$(mktemp -d /tmp/wvds-bench.XXXXXX)
trap 'jobs -p | xargs -r kill || true; wait; rm -rf "$tmp"' EXIT
mkdir "$tmp/tpm" "$tmp/tokens"
swtpm socket --tpm2 --tpmstate dir="$tmp/tpm" --server type=unixio,path="$tmp/tpm/socket" \
  --ctrl type=unixio,path="$tmp/tpm/socket.ctrl" --flags not-need-init,startup-clear &
until tpm2_getcap --tcti "swtpm:path=$tmp/tpm/socket" properties-fixed >/dev/null 2>&1; do sleep 0.1; done
echo "directories.tokendir = $tmp/tokens" >"$tmp/softhsm.conf"
export SOFTHSM2_CONF=$tmp/softhsm.conf
printf 12345678 >"$tmp/pin"
softhsm2-util --init-token --free --label bench --so-pin 12345678 --pin 12345678 >&2
echo 'a passphrase of some length' >"$tmp/words"

"$bench" "$mode" \
  "key-file=\"protector\": \"file\", \"file\": {\"key_file\": \"$tmp/key\"}" \
  "passphrase=\"protector\": \"file\", \"file\": {\"passphrase_file\": \"$tmp/words\"}" \
  "tpm=\"protector\": \"tpm\", \"tpm\": {\"tcti\": \"swtpm:path=$tmp/tpm/socket\", \"auth_file\": \"$tmp/tpm.auth\"}" \
  "tpm-pcrs=\"protector\": \"tpm\", \"tpm\": {\"tcti\": \"swtpm:path=$tmp/tpm/socket\", \"auth_file\": \"$tmp/pcr.auth\", \"pcrs\": [0, 7]}" \
  "hsm=\"protector\": \"hsm\", \"hsm\": {\"module\": \"$module\", \"token\": \"bench\", \"pin_file\": \"$tmp/pin\"}"
