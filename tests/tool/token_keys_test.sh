#!/bin/bash
# token_keys_test.sh WVDS SERVICE CLIENT_LIBRARY OPENSSL_PREFIX: keys inside a token that speaks PKCS#11 3.2. The token is
# freehsm-c, which needs a newer system than this one may be: it and the built programs run in a root of their own.

set -euo pipefail
# shellcheck source=tests/support/newer_root.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../support/newer_root.sh"

wvds=$1 service=$2 library=$3 openssl=$4
use_scratch_folder
make_root "$scratch" freehsm-c,opensc
stage "$scratch" "$wvds" "$service" "$library" "$openssl"/lib/libcrypto.so.*
# A sanitized build brings its runtime along: the root has none.
mapfile -t runtime < <(ldd "$service" | grep -o '/[^ ]*/lib[a-z]*san\.so[^ ]*')
stage "$scratch" "${runtime[@]}"

cat >"$scratch/inside.sh" <<'END'
set -euo pipefail
wvds=$1 service=$2
module=$(echo /usr/lib/*/libfreehsm.so)
export FHSM_INTEGRITY_ALLOW_UNSIGNED=1 FHSM_TOKENS_DIR=/token HOME=/root
umask 077
mkdir /token /gateway
cd /gateway
fail() {
  echo "FAILED: $*" >&2
  cat log >&2
  exit 1
}
p11=(pkcs11-tool --module "$module")
"${p11[@]}" --init-token --slot 0 --label gateway --so-pin 12345678 >setup 2>&1
"${p11[@]}" --init-pin --token-label gateway --login --login-type so --so-pin 12345678 --new-pin 1234567 >>setup 2>&1
printf 1234567 >pin
cat >config.json <<CONFIG
{ "socket": { "path": "/gateway/socket" },
  "store": { "path": "/gateway/store", "protector": "hsm",
             "hsm": { "module": "$module", "token": "gateway", "pin_file": "/gateway/pin" } },
  "fips": "off",
  "clients": [ { "name": "me", "uid": 0, "operations": [ "mldsa-sign", "mldsa-verify", "mlkem-encaps", "mlkem-decaps", "key-generate",
    "key-public", "key-list", "key-info", "key-rotate", "key-delete", "status", "capabilities" ] } ] }
CONFIG
tool() { "$wvds" --socket /gateway/socket "$@"; }
start() {
  "$service" --config config.json 2>>log &
  service_pid=$!
  for ((i = 0; i < 1200; i++)); do
    ! tool status >/dev/null 2>&1 || return 0
    kill -0 "$service_pid" 2>/dev/null || fail 'the service ended'
    sleep 0.05
  done
  fail 'the service did not get ready'
}
stop() {
  kill "$service_pid"
  wait "$service_pid" || fail 'the service did not end well'
}
objects() { "${p11[@]}" --token-label gateway --login --pin 1234567 -O --type privkey 2>/dev/null | grep -c 'label: *wvds-key' || true; }

start
offered=$(tool capabilities --json | tr -d ' \n' | grep -o '"can_be_inside_token":true' | wc -l)
[[ $offered == 6 ]] || fail "capabilities names $offered algorithms that keys inside the token can have"
echo message >message
for set in 44 65 87; do
  key=$(tool key generate "ML-DSA-$set" --inside-token --public public) || fail "no ML-DSA-$set"
  tool key info "$key" | grep -i 'inside the' >info || fail "not said where ML-DSA-$set is: $(tool key info "$key")"
  tool sign "$key" message -o signature || fail "ML-DSA-$set does not sign"
  tool verify --key "$key" signature message >/dev/null || fail "ML-DSA-$set does not verify"
  tool sign --context device "$key" message -o signature || fail "ML-DSA-$set does not sign with a context"
  tool verify --context device --key "$key" signature message >/dev/null || fail "ML-DSA-$set with a context"
  ! tool verify --key "$key" signature message >/dev/null 2>&1 || fail 'the context was left out'
done
for set in 512 768 1024; do
  kem=$(tool key generate "ML-KEM-$set" --inside-token --usage encapsulate,decaps-raw) || fail "no ML-KEM-$set"
  tool encaps --key "$kem" -o ciphertext --secret sent --force || fail "ML-KEM-$set does not encapsulate"
  # freehsm-c 2.0.0 makes the keys, but takes the arguments of C_DecapsulateKey in another order than PKCS#11 3.2 (section
  # 5.18.9): it expects the new key's place before the ciphertext, and answers CKR_FUNCTION_FAILED.
  if tool decaps "$kem" ciphertext -o received --force 2>/dev/null; then
    cmp -s sent received || fail "ML-KEM-$set: another secret"
  else
    echo "the token does not decapsulate with ML-KEM-$set"
  fi
done
[[ $(objects) == 6 ]] || fail "$(objects) keys in the token"
stop

start # again
tool sign "$key" message -o signature || fail 'no signature after a restart'
tool verify --key "$key" signature message >/dev/null || fail 'no valid signature after a restart'
tool key rotate "$key" >/dev/null || fail 'not rotated'
[[ $(objects) == 7 ]] || fail 'no new version in the token'
tool key delete "$key" || fail 'not deleted'
[[ $(objects) == 5 ]] || fail 'the deleted key is still in the token'
stop
echo 'keys inside a token: made, used after a restart, rotated, deleted'
END
run_inside "$scratch" "$scratch/inside.sh" "$wvds" "$service"
