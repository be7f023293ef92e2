#!/bin/bash
# store_image_test.sh IMAGE_TOOL WVDS SERVICE OPENSSL_PREFIX: makes a store with the real service and an image of it.

set -euo pipefail
image_tool=$1 wvds=$2 service=$3 openssl=$4
scratch=$(mktemp -d)
service_pid=''
finish() {
  [[ -z $service_pid ]] || kill "$service_pid" 2>/dev/null || true
  wait
  rm -rf "$scratch"
}
trap finish EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# refused STATUS COMMAND...: the command ends with this status and says something.
refused() {
  local expected=$1 status=0
  shift
  "$@" >"$scratch/said" 2>&1 || status=$?
  [[ $status == "$expected" ]] || fail "status $status instead of $expected: $*"
  [[ -s $scratch/said ]] || fail "no word about what is wrong: $*"
}

(umask 077 && head -c 32 /dev/urandom >"$scratch/store.key")
cat >"$scratch/config.json" <<END
{ "socket": { "path": "$scratch/socket" },
  "store": { "path": "$scratch/store", "protector": "file", "file": { "key_file": "$scratch/store.key" } },
  "fips": { "mode": "required", "modules_dir": "$openssl/lib/ossl-modules", "config": "$openssl/ssl/fipsmodule.cnf" },
  "clients": [ { "name": "me", "uid": $(id -u), "operations": [ "status", "key-generate", "key-list" ] } ] }
END
"$service" --config "$scratch/config.json" 2>"$scratch/log" &
service_pid=$!
for ((i = 0; i < 600; i++)); do
  ! "$wvds" --socket "$scratch/socket" status >/dev/null 2>&1 || break
  kill -0 "$service_pid" || fail "the service ended: $(<"$scratch/log")"
  sleep 0.05
done
"$wvds" --socket "$scratch/socket" key generate aes-256-gcm >/dev/null || fail 'no key'

refused 1 "$image_tool" --store "$scratch/store" --image "$scratch/image" # the service has the store
[[ ! -e $scratch/image ]] || fail 'a refused copy left an image'
kill "$service_pid"
wait "$service_pid"
service_pid=''

refused 2 "$image_tool" --store "$scratch/store"
refused 1 "$image_tool" --store "$scratch/nowhere" --image "$scratch/image"
[[ ! -e $scratch/nowhere ]] || fail 'a missing folder was made'
mkdir -m 700 "$scratch/empty"
refused 1 "$image_tool" --store "$scratch/empty" --image "$scratch/image"

"$image_tool" --store "$scratch/store" --image "$scratch/image" --kilobytes 256 | grep '256 KB' >/dev/null
[[ $(stat -c %s "$scratch/image") == $((256 * 1024)) ]] || fail 'the image has another size'
[[ $(stat -c %a "$scratch/image") == 600 ]] || fail 'others can read the image'
python3 - "$scratch" <<'END' || fail 'a blob of the store is not in the image'
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
image = (folder / "image").read_bytes()
blobs = [path.read_bytes() for path in (folder / "store").iterdir() if path.is_file() and path.stat().st_size > 0]
sys.exit(0 if len(blobs) >= 2 and all(blob in image for blob in blobs) else 1)
END
echo passed
