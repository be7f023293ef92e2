#!/bin/bash
# token_keys_test.sh WVDS SERVICE CLIENT_LIBRARY OPENSSL_PREFIX: keys inside a token that speaks PKCS#11 3.2. The token is
# freehsm-c, which needs a newer system than this one may be: it and the built programs run in a root of their own, made
# by mmdebstrap from the machine's archive.

set -euo pipefail
wvds=$1 service=$2 library=$3 openssl=$4
scratch=$(mktemp -d)
root=$scratch/root
as_root=()
((EUID == 0)) || as_root=(unshare --map-auto --map-root-user)
finish() {
  "${as_root[@]}" rm -rf "$root" || true
  rm -rf "$scratch"
}
trap finish EXIT

not_run() {
  echo "NOT RUN: $*"
  exit 0
}

type -P mmdebstrap >/dev/null || not_run 'mmdebstrap is not installed'
"${as_root[@]}" unshare --mount --pid --fork true 2>/dev/null ||
  not_run 'neither root nor a user namespace with a range of user ids is to be had'
# shellcheck disable=SC2016 # apt's own way to write it
archive=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -v -- -security | head -n 1) || true
[[ $archive ]] || not_run 'the machine names no archive'

# The newest suite has the token; its Release file is taken although it is an old one.
timeout 300 mmdebstrap --quiet --variant=apt --include=freehsm-c,opensc \
  --aptopt='Acquire::Check-Valid-Until "false"' sid "$root" "$archive" >"$scratch/log" 2>&1 ||
  not_run "no root could be made: $(tail -n 1 "$scratch/log")"

# What was built, at the places where the programs look for it
stage() {
  "${as_root[@]}" mkdir -p "$root$(dirname "$1")"
  "${as_root[@]}" cp -L "$1" "$root$1"
}
for file in "$wvds" "$service" "$library" "$openssl"/lib/libcrypto.so.*; do stage "$file"; done
# A sanitized build brings its runtime along: the root has none.
while read -r file; do stage "$file"; done < <(ldd "$service" | grep -o '/[^ ]*/lib[a-z]*san\.so[^ ]*')

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
"${as_root[@]}" cp "$scratch/inside.sh" "$root/inside.sh"
cat >"$scratch/enter.sh" <<'END'
set -e
mount -t proc proc "$1/proc"
for device in null urandom random; do
  [ -e "$1/dev/$device" ] || : >"$1/dev/$device"
  mount --bind "/dev/$device" "$1/dev/$device"
done
exec chroot "$1" bash /inside.sh "$2" "$3"
END
"${as_root[@]}" timeout --kill-after=10 200 unshare --mount --pid --fork --kill-child \
  sh "$scratch/enter.sh" "$root" "$wvds" "$service"
