#!/bin/bash
# newer_programs_test.sh WVDS SERVICE MODULE CLIENT_LIBRARY OPENSSL_PREFIX: curl and nginx with keys of the service. Those
# that take provider keys are newer than this system may have: they run, with the built programs, in a root of their own.

set -euo pipefail
# shellcheck source=tests/support/newer_root.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../support/newer_root.sh"

wvds=$1 service=$2 module=$3 library=$4 openssl=$5
# shellcheck disable=SC2310
! readelf -d "$module" | grep -q 'lib[at]san' || not_run "programs can't load the module of a sanitized build"
use_scratch_folder
make_root "$scratch" curl,openssl,nginx-light,iproute2,libstdc++6
stage "$scratch" "$wvds" "$service" "$module" "$library" "$openssl"/lib/libcrypto.so.*

cat >"$scratch/inside.sh" <<'END'
set -euo pipefail
wvds=$1 service=$2 module=$3
umask 022
mkdir /gateway
cd /gateway
fail() {
  echo "FAILED: $*" >&2
  cat ./*.log >&2
  exit 1
}
ip link set lo up
rights='"operations": [ "key-generate", "key-info", "key-public", "mldsa-sign", "ecdsa-sign", "status" ], "rate_limit": { "requests_per_second": 0 }'
cat >config.json <<CONFIG
{ "socket": { "path": "/gateway/socket", "mode": "0666" }, "fips": "off",
  "store": { "path": "/gateway/store", "protector": "file", "file": { "key_file": "/gateway/store.key" } },
  "clients": [ { "name": "me", "uid": 0, "limits": { "sessions": 32 }, $rights } ] }
CONFIG
"$service" --config config.json 2>service.log &
"$wvds" --socket socket status --wait 60 >/dev/null || fail 'the service did not get ready'
cat >openssl.cnf <<CONFIG
openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_provider
wvds = wvds_provider
[default_provider]
activate = 1
[wvds_provider]
module = $module
socket = /gateway/socket
activate = 1
[req]
distinguished_name = name
[name]
CONFIG
export OPENSSL_CONF=/gateway/openssl.cnf

certificate() { # KEY NAME
  openssl req -x509 -key "$1" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -days 2 -out "$2.pem" || fail "no certificate for $2"
}

for algorithm in ML-DSA-65 ECDSA-P256; do
  host=wvds:key=$("$wvds" --socket socket key generate "$algorithm" --usage tls-and-csr)
  device=wvds:key=$("$wvds" --socket socket key generate "$algorithm" --usage tls-and-csr)
  certificate "$host" host
  certificate "$device" device
  # The workers are forked with the key that the master loaded; both are the user whom the service knows.
  cat >nginx.conf <<CONFIG
user root;
daemon off;
pid /gateway/nginx.pid;
worker_processes 2;
error_log /gateway/nginx.log;
events { }
http {
  access_log off;
  server {
    listen 127.0.0.1:4433 ssl;
    ssl_certificate /gateway/host.pem;
    ssl_certificate_key store:$host;
    ssl_client_certificate /gateway/device.pem;
    ssl_verify_client on;
    location / { return 200 "\$ssl_client_verify \$ssl_protocol\n"; }
  }
}
CONFIG
  rm -f nginx.pid
  nginx -c /gateway/nginx.conf 2>nginx-start.log &
  server=$!
  get() { curl --silent --show-error --cacert host.pem --resolve host:4433:127.0.0.1 --retry 20 --retry-connrefused --retry-delay 1 "$@" https://host:4433/ 2>curl.log; }
  for ((i = 0; i < 20; i++)); do
    said=$(get --engine wvds --key-type PROV --key "$device" --cert device.pem) || fail "curl with $algorithm"
    [[ $said == 'SUCCESS TLSv1.3' ]] || fail "with $algorithm nginx says: $said"
  done
  ! get --retry 0 --fail >/dev/null || fail 'nginx took no certificate for one'
  ! get --retry 0 --engine wvds --key-type PROV --key "$host" --cert device.pem >/dev/null || fail "another key's certificate was used"
  kill "$server"
  wait "$server" || fail 'nginx did not end well'
  echo "nginx and curl with $algorithm: ok"
done
kill %1
wait %1 || fail 'the service did not end well'
END
run_inside "$scratch" "$scratch/inside.sh" "$wvds" "$service" "$module"
