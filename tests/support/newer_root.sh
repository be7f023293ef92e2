# shellcheck shell=bash
# For scripts with programs that need a newer system than this one may be: they run in a root of their own, made by
# mmdebstrap from the machine's own archive. Source it; callers run with `set -euo pipefail`.

as_root=()
((EUID == 0)) || as_root=(unshare --map-auto --map-root-user)

not_run() {
  echo "NOT RUN: $*"
  exit 0
}

# make_root FOLDER PACKAGES: FOLDER/root has the packages, separated by commas, of the newest suite. not_run says why there
# is none.
make_root() {
  local root=$1/root archive
  "${as_root[@]}" true 2>/dev/null || not_run 'neither root nor a user namespace with a range of user ids is to be had'
  remove_root "$1"
  type -P mmdebstrap >/dev/null || not_run 'mmdebstrap is not installed'
  "${as_root[@]}" unshare --mount --pid --net --fork true 2>/dev/null || not_run 'no network namespace is to be had'
  # shellcheck disable=SC2016 # apt's own way to write it
  archive=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -v -- -security | head -n 1) || true
  [[ $archive ]] || not_run 'the machine names no archive'
  # The suite's Release file is taken although it is an old one.
  timeout 380 mmdebstrap --quiet --variant=apt --include="$2" --aptopt='Acquire::Check-Valid-Until "false"' \
    sid "$root" "$archive" >"$1/log" 2>&1 || not_run "no root could be made: $(tail -n 1 "$1/log")"
  # Places for the devices that are mounted into it; a root made without root has none.
  for device in null urandom random; do
    [[ -e $root/dev/$device ]] || "${as_root[@]}" touch "$root/dev/$device"
  done
}

# remove_root FOLDER takes FOLDER/root away, whose files are not the user's own.
remove_root() { [[ ! -e $1/root ]] || "${as_root[@]}" rm -rf "$1/root"; }

# use_scratch_folder sets `scratch`, for this script alone; what is in it, a root too, goes at the end.
use_scratch_folder() {
  scratch=$(mktemp -d)
  trap 'remove_root "$scratch" || true; rm -rf "$scratch"' EXIT
}

# stage FOLDER FILES copies what was built into FOLDER/root, to the places where the programs look for it.
stage() {
  local root=$1/root file
  for file in "${@:2}"; do
    "${as_root[@]}" mkdir -p "$root$(dirname "$file")"
    "${as_root[@]}" cp -L "$file" "$root$file"
  done
}

# run_inside FOLDER SCRIPT ARGUMENTS runs a script of bash in FOLDER/root, without a network; no process outlives it.
run_inside() {
  "${as_root[@]}" cp "$2" "$1/root/inside.sh"
  # shellcheck disable=SC2016 # for the inner shell
  "${as_root[@]}" timeout --kill-after=10 200 unshare --mount --pid --net --fork --kill-child sh -ec '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    for device in null urandom random; do mount --bind "/dev/$device" "$root/dev/$device"; done
    exec chroot "$root" bash /inside.sh "$@"' sh "$1/root" "${@:3}"
}
