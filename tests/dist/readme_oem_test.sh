#!/bin/bash
# Runs README_OEM.md as a new user would: every command in it, as it stands there, from the tarball in an empty folder to
# the C example's output, and the removal. The system that it is installed into is a copy of this one that ends with the
# test: an overlay over / in a mount namespace, with a process namespace that leaves nobody behind.
#
# usage: tests/dist/readme_oem_test.sh DELIVERY.tar.gz      exit status 77: it can't run here
set -euo pipefail

die() { printf 'error: %s\n' "$*" >&2; exit 1; }
not_run() { printf 'NOT RUN: %s\n' "$*"; exit 77; }

# block LANGUAGE NUMBER: the text of a fenced block of README_OEM.md
block() {
  awk -v language="$1" -v number="$2" '
    /^```/ { if (inside) inside = 0; else if ($0 == "```" language && ++count == number) { inside = 1; next } }
    inside { print; found = 1 }
    END { if (!found) exit 1 }' "$readme" || die "README_OEM.md has no $2. block of $1"
}

# in_the_copy: the commands, in the order of the page. Nobody needs sudo there.
in_the_copy() {
  local blocks
  blocks=$(grep -c '^```sh$' "$readme")
  ((blocks == 7)) || die "README_OEM.md has $blocks blocks of commands; this test knows what to expect of 7"
  cat <<'END'
set -euo pipefail
sudo() { "$@"; }
mkdir /tmp/user && cd /tmp/user
cp /delivery.tar.gz "/tmp/user/wvds-crypto-svc-0-oem-delivery.tar.gz"
END
  block sh 1 && block sh 2
  echo '[[ ! -d /run/systemd/system ]]'
  block sh 3 && block sh 4
  printf "cat >hello.c <<'END'\n%s\nEND\n" "$(block c 1)"
  block sh 5
  echo 'sg wvds -c ./hello >said'
  printf "cmp said - <<'END'\n%s\nEND\n" "$(block text 1)"
  block sh 6 && block sh 7
  cat <<'END'
[[ ! -e /usr/local/lib/wvds && ! -L /usr/local/bin/wvds ]]
[[ -s /etc/wvds/keys/store.key && -s /etc/wvds/config.json ]]
echo 'every command of README_OEM.md was run'
END
}

# make_copy FOLDER: this system, whose changes stay in memory
make_copy() {
  mount -t tmpfs none "$1"
  mkdir "$1/upper" "$1/work" "$1/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
  mount -t proc proc "$1/root/proc"
  mount --rbind /dev "$1/root/dev"
  mount -t tmpfs none "$1/root/run"
  mount -t tmpfs none "$1/root/tmp"
}

delivery=${1:?a delivery to test}
if [[ ${2:-} != inside ]]; then
  ((EUID == 0)) || not_run 'making a copy of the system to install into needs root'
  for program in sg setpriv cc; do command -v "$program" >/dev/null || not_run "$program is not installed"; done
  scratch=$(mktemp -d)
  trap 'rmdir "$scratch"' EXIT
  delivery=$(realpath -- "$delivery")
  unshare --mount true 2>/dev/null || not_run 'this system does not let root make a mount namespace'
  unshare --mount --pid --fork --kill-child "$0" "$delivery" inside "$scratch"
  exit
fi

copy=$3
make_copy "$copy" || not_run 'this system mounts no overlay over its root'
readme=$copy/README_OEM.md
tar -xzf "$delivery" -C "$copy" README_OEM.md
in_the_copy >"$copy/root/commands.sh"
cp "$delivery" "$copy/root/delivery.tar.gz"
chroot "$copy/root" /bin/bash /commands.sh
