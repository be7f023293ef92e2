#!/bin/bash
# make_root.sh FOLDER: a root with EST's other implementations in it, for the tests of this folder, made by mmdebstrap from
# the machine's own archive: libest's estserver, and nginx with OpenSSL 3.6. FOLDER/root is it; FOLDER/reason says why there
# is none.
# make_root.sh --remove FOLDER

set -euo pipefail
as_root=()
((EUID == 0)) || as_root=(unshare --map-auto --map-root-user)
remove() { [[ ! -e $1 ]] || "${as_root[@]}" rm -rf "$1"; }
if [[ $1 == --remove ]]; then
  remove "$2"
  exit 0
fi
folder=$1

not_run() {
  mkdir -p "$folder"
  echo "$*" >"$folder/reason"
  echo "NOT RUN: $*"
  exit 0
}

if ! "${as_root[@]}" true 2>/dev/null; then
  mkdir -p "$folder"
  not_run 'neither root nor a user namespace with a range of user ids is to be had'
fi
remove "$folder"
mkdir -p "$folder"
type -P mmdebstrap >/dev/null || not_run 'mmdebstrap is not installed'
"${as_root[@]}" unshare --net --mount --pid --fork true 2>/dev/null || not_run 'no network namespace is to be had'
# shellcheck disable=SC2016 # apt's own way to write it
archive=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -v -- -security | head -n 1) || true
[[ $archive ]] || not_run 'the machine names no archive'

# The newest suite has them; its Release file is taken although it is an old one.
timeout 500 mmdebstrap --quiet --variant=apt --include=libest-utils,nginx-light \
  --aptopt='Acquire::Check-Valid-Until "false"' sid "$folder/root" "$archive" >"$folder/log" 2>&1 ||
  not_run "no root could be made: $(tail -n 1 "$folder/log")"

# Places for the devices that are mounted into it; a root made without root has none.
for device in null urandom random; do
  [[ -e $folder/root/dev/$device ]] || "${as_root[@]}" touch "$folder/root/dev/$device"
done
