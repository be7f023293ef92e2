#!/bin/bash
# Installs, upgrades and removes the WvdS Crypto Service from the delivery that this file is in.
# `install.sh --help` says how. It can be run as often as one likes, and again after an interruption:
# the files go into a folder of their own build, and one rename of a symlink puts them in force.
# Keys and config.json are never overwritten, and removed only with --purge-keys.

set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
umask 022

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
prefix='' root='' user='' client='' would='' uninstall=no purge=no arch=$(uname -m)
config=/etc/wvds/config.json keys=/etc/wvds/keys credentials=/etc/wvds/est
state=/var/lib/wvds est_state=/var/lib/wvds-est units=/etc/systemd/system tmpfiles=/etc/tmpfiles.d/wvds.conf
written='# Written by install.sh, which replaces it: changes belong into a file beside it (systemctl edit).'
declare -A links=() changed=() # what PREFIX links into the build's folder; the files that were written

usage() {
  cat <<'END'
install.sh [OPTION]...   installs the WvdS Crypto Service on this machine, or upgrades it

  --prefix DIR   where programs, library and header go (default: /usr/local, where compilers,
                 the loader and shells look without being told)
  --user NAME    user of crypto_service (default: wvds); est_service's is NAME-est. Programs of
                 the members of the group NAME reach the services
  --client NAME  user whose programs may use the keys, in a new config.json (default: who called
                 sudo, else root)
  --root DIR     install into the system below DIR, for those who build images: it is for this
                 machine's processor, and nothing is started
  --dry-run      say what would be done, and change nothing
  --uninstall    remove what was installed; keys, certificates, config.json and users stay
  --purge-keys   with --uninstall: remove those too. Keys without a backup are lost for good

Exit codes: 0 done, 1 failure (the last line says which), 2 wrong command line.
END
}

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit "${code:-1}"
}
wrong_usage() { code=2 die "$* (install.sh --help shows the options)"; }

# act TEXT COMMAND...: says what is done, then does it
act() {
  say "$would$1"
  [[ -n $would ]] || "${@:2}"
}

is_live() { [[ -z $root ]]; } # the running system, not a folder that is to become one
systemd_runs() { is_live && [[ -d /run/systemd/system ]]; }

# --- the delivery and the machine

# manifest WORDS: what stands behind them in MANIFEST's comment lines
manifest() { sed -n "s/^# $1 //p" "$here/MANIFEST" | head -n 1; }

# listed: the lines of MANIFEST for what is installed here, as sha256sum reads them. The delivered
# fipsmodule.cnf is not: each machine makes its own.
listed() {
  grep -E "^[0-9a-f]{64}  (bin/$arch/|lib/$arch/|include/|scripts/|certs/TEST-ONLY.sha256$|[^/]*$)" "$here/MANIFEST" |
    grep -v '/fipsmodule.cnf$'
}

# intact FOLDER: has every one of these files as it was delivered, and a fipsmodule.cnf that fits
intact() {
  [[ -d $1 ]] && (cd "$1" && listed | sha256sum --check --status 2>/dev/null) && OPENSSL_CONF=/dev/null \
    "$1/bin/$arch/openssl" fipsinstall -verify -module "$1/lib/$arch/fips.so" -in "$1/lib/$arch/fipsmodule.cnf" >/dev/null 2>&1
}

check_delivery() {
  [[ -f $here/MANIFEST ]] || die "$here/MANIFEST is missing: run install.sh where the delivery was unpacked"
  version=$(manifest version) soname=$(manifest soname)
  [[ $version =~ ^[0-9A-Za-z.+~-]+$ && $soname =~ ^[0-9A-Za-z._]+$ ]] || die "$here/MANIFEST is not whole: unpack the delivery again"
  local bad
  bad=$(grep -m 1 -vE '^#|^[0-9a-f]{64}  ([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*$' "$here/MANIFEST" || true)
  [[ -z $bad ]] || die "$here/MANIFEST has a line that does not belong there: $bad"
  [[ $(listed) == *"  bin/$arch/wvds_crypto_service"$'\n'* ]] ||
    die "this delivery has no programs for the processor of this machine ($arch)"
  say "check the hashes of $(listed | wc -l) files of version $version"
  bad=$(cd "$here" && listed | sha256sum --check --quiet 2>&1 | head -n 1) ||
    die "the delivery is damaged ($bad); nothing was changed, unpack it again"
  build=$version-$(sha256sum <"$here/MANIFEST" | cut -c1-8)
}

check_machine() {
  local kind need have program
  kind=$(manifest "kind $arch")
  [[ $kind != l4re* ]] || die "the $arch programs of this delivery are L4Re tasks; WvdS_KB_OEM.md says how they are started"
  need=${kind#linux glibc }
  have=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p' || true)
  [[ -n $have ]] || die "this system has no GNU C library; the programs need $need or newer"
  [[ $(printf '%s\n' "$need" "$have" | sort -V | head -n 1) == "$need" ]] ||
    die "the GNU C library of this system is $have; the programs need $need or newer"
  for program in wvds_crypto_service wvds_est_service; do
    have=$("$here/bin/$arch/$program" --version 2>&1) || die "$program does not run on this machine: $have"
    say "runs here: ${have%%$'\n'*}"
  done
}

# unit_value KEY: of the installed unit, where there is one
unit_value() { sed -n "s/^$1=//p" "$root$units/wvds-crypto.service" 2>/dev/null | head -n 1 || true; }

# find_former: what is installed keeps its user, whose the keys are, and its folder
find_former() {
  local was
  was=$(unit_value User)
  [[ -z $was || -z $user || $was == "$user" ]] ||
    die "the service runs as $was, whose the keys are: leave --user out, or remove it first (--uninstall)"
  user=${user:-${was:-wvds}}
  was=$(unit_value ExecStart) was=${was%%/lib/wvds/*}
  [[ -z $was || -z $prefix || $was == "$prefix" ]] || die "it is installed under $was: leave --prefix out, or remove it there first (--uninstall)"
  prefix=${prefix:-${was:-/usr/local}}
  base=$root$prefix lib=$root$prefix/lib/wvds
  former=$(readlink "$lib/current" || true)
}

# plan_links: no file of somebody else is replaced
plan_links() {
  local path inside=wvds/current/lib/$arch
  links=([include/wvds_crypto.h]=../lib/wvds/current/include/wvds_crypto.h
    [lib/libl4re_crypto_service.so]=$inside/libl4re_crypto_service.so [lib/$soname]=$inside/$soname)
  if [[ -e $here/bin/$arch/wvds ]]; then links[bin/wvds]=../lib/wvds/current/bin/$arch/wvds; fi
  for path in "${!links[@]}"; do
    [[ ! -e $base/$path || -L $base/$path ]] ||
      die "$base/$path is in the way and not of this installation: move it, or take another --prefix"
  done
}

# --- test certificates are for tests

# is_test_only FILE: it is a certificate or key of certs/, or was issued under their root. Looks at the file, at each PEM
# block in it and at the public keys. Nothing is written: the file may hold a private key.
is_test_only() {
  local organisation='WvdS TEST ONLY - NOT FOR PRODUCTION' openssl=$here/bin/$arch/openssl number
  if grep -aqF "$organisation" "$1"; then return 0; fi
  for ((number = $(grep -ac '^-----BEGIN ' "$1"); number > 0; --number)); do
    if grep -aqF "$organisation" < <(block "$1" "$number") || is_listed < <(block "$1" "$number"); then return 0; fi
  done
  is_listed <"$1" || is_listed < <("$openssl" pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null) ||
    is_listed < <("$openssl" x509 -in "$1" -noout -pubkey 2>/dev/null | "$openssl" pkey -pubin -outform DER 2>/dev/null)
}
is_listed() { grep -q "^$(sha256sum | cut -c1-64) " "$here/certs/TEST-ONLY.sha256"; } # standard input's hash
block() { awk -v number="$2" '/^-----BEGIN / { on = ++n == number; next } /^-----END / { on = 0 } on' "$1" | base64 -di 2>/dev/null; }

# check_identity: each file and fingerprint that config.json names, in comments too
check_identity() {
  local file=$root$config path hash plain
  [[ -e $file ]] || return 0
  [[ -r $file ]] || die "$file can't be read: run install.sh as root"
  say "look for test certificates in what $file names"
  while IFS= read -r path; do
    [[ -f $root$path ]] || continue
    if is_test_only "$root$path"; then
      die "$file names $path, a test certificate or key of the delivery, whose private key everybody has. Nothing was changed; put in your own"
    fi
  done < <(sed 's|\\/|/|g' "$file" | grep -oE '"/[^"]+"' | tr -d '"' | sort -u)
  plain=$(tr -d ': \n' <"$file" | tr 'A-F' 'a-f')
  while read -r hash _; do
    [[ $plain != *"$hash"* ]] ||
      die "$file names the fingerprint of a test certificate of the delivery, whose private key everybody has. Nothing was changed; put in your own"
  done < <(grep -E '^[0-9a-f]{64} ' "$here/certs/TEST-ONLY.sha256")
}

# --- users, folders and files

# number passwd|group NAME: the id, where there is one
number() {
  if is_live; then getent "$1" "$2" | cut -d: -f3; else awk -F: -v name="$2" '$1 == name { print $3 }' "$root/etc/$1"; fi
}

# account PROGRAM ARGUMENT...: a program of shadow-utils, for the system that is meant
account() { "$1" ${root:+--prefix "$root"} "${@:2}"; }

make_users() {
  local name
  if [[ -z $(number group "$user") ]]; then act "make the group $user" account groupadd --system "$user"; fi
  for name in "$user" "$user-est"; do
    if [[ -z $(number passwd "$name") ]]; then
      act "make the user $name" account useradd --system --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin --gid "$user" "$name"
    fi
  done
}

# folder PATH MODE OWNER: makes it, or gives it mode and owner back
folder() {
  local path=$root$1 group=root
  [[ $3 == root ]] || group=$user
  if [[ $(stat -Lc '%a %u %g' "$path" 2>/dev/null) == "$2 $(number passwd "$3") $(number group "$group")" ]]; then return 0; fi
  act "make the folder $path (mode $2, owner $3)" install -d -m "$2" -o "$(number passwd "$3")" -g "$(number group "$group")" "$path"
}

# file PATH TEXT [MODE GROUP]: root's, replaced in one step; nothing where it is so already
file() {
  local path=$root$1
  if [[ -f $path && $(<"$path") == "$2" ]]; then return 0; fi
  changed[$1]=yes
  act "write $path" write_file "$path" "$2" "${3:-644}" "${4:-root}"
}
write_file() {
  install -D -m "$3" -g "$(number group "$4")" <(printf '%s\n' "$2") "$1.wvds-new"
  sync "$1.wvds-new"
  mv -fT "$1.wvds-new" "$1"
}

# link PATH TARGET: a symlink, replaced in one step
link() {
  if [[ $(readlink "$1" 2>/dev/null) == "$2" ]]; then return 0; fi
  act "link $1 to $2" make_link "$1" "$2"
}
make_link() {
  mkdir -p "${1%/*}"
  ln -sfn "$2" "$1.wvds-new"
  mv -fT "$1.wvds-new" "$1"
}

# --- the programs: a folder with everything gets its name only when it is whole

copy_files() {
  local path mode
  rm -rf "$1"
  mkdir -p "$1"
  while read -r _ path; do
    case $path in bin/* | scripts/* | install.sh) mode=755 ;; *) mode=644 ;; esac
    install -D -m "$mode" "$here/$path" "$1/$path"
  done < <(listed)
  install -m 644 "$here/MANIFEST" "$1/MANIFEST"
  ln -s libl4re_crypto_service.so "$1/lib/$arch/$soname"
}

# self_test FOLDER: one line a test; `openssl fipsinstall` fails when one of them does
self_test() {
  local line count=0 passed=no
  while IFS= read -r line; do
    if [[ $line == *' : '* ]]; then say "  $((++count)) $line"; fi
    if [[ $line == 'INSTALL PASSED' ]]; then passed=yes; fi
  done < <(OPENSSL_CONF=/dev/null "$lib/.new/bin/$arch/openssl" fipsinstall -module "$1/fips.so" -out "$1/fipsmodule.cnf" 2>&1)
  [[ $passed == yes ]] || die "the FIPS module does not pass its self-test on this machine; what was installed before is as it was"
  chmod 644 "$1/fipsmodule.cnf"
}

name_folder() {
  intact "$1" || die "the copy in $1 is not what was delivered: is the disk full or broken? What was installed before is as it was"
  sync -f "$1"
  rm -rf "$2"
  mv -T "$1" "$2"
  sync -f "$2"
}

# --- configuration

# example: the delivered config.json with this machine's folders and users
example() {
  sed -e "s|/usr/local/lib/wvds/current/lib/aarch64|$prefix/lib/wvds/current/lib/$arch|" \
    -e "s|\"user\": \"gateway\"|\"user\": \"$client\"|" -e "s|\"user\": \"wvds-est\"|\"user\": \"$user-est\"|" "$here/config.json"
}

configure() {
  if [[ ! -e $root$config ]]; then
    if [[ $client != root ]]; then act "let $client reach the services (group $user)" account usermod --append --groups "$user" "$client"; fi
    file "$config" "$(example)" 640 "$user"
    return
  fi
  say "keep $root$config as it is"
  if [[ ! -e $lib/current/config.json ]] || ! cmp -s "$lib/current/config.json" "$here/config.json"; then
    if [[ $(<"$root$config") != "$(example)" ]]; then file "$config.new" "$(example)" 640 "$user"; fi
  fi
}

# check_config PROGRAM USER: an upgrade that would not start is refused before it is in force
check_config() {
  local answer
  if ! is_live || [[ -n $would ]]; then return 0; fi
  say "check $config with the new $1, as $2"
  answer=$(cd / && setpriv --reuid "$2" --regid "$user" --clear-groups "$lib/$build/bin/$arch/$1" --config "$config" --check-config 2>&1) ||
    die "version $version was not put in force, since it can't start with $config: $answer"
}

# has_est: config.json has the section, outside of comments
has_est() {
  [[ -r $root$config ]] || return 1
  [[ $(sed -e 's|^[[:space:]]*//.*||' -e 's|/\*.*\*/||' -e '/^[[:space:]]*\/\*/,/\*\/[[:space:]]*$/d' "$root$config") =~ \"est\"[[:space:]]*:[[:space:]]*\{ ]]
}

# --- systemd

# service_unit PROGRAM USER NAME-OF-ITS-FOLDERS TITLE, lines of [Unit], lines of [Service]. No PrivateUsers= and no
# PrivateDevices=: the kernel must tell the services who a client is, and a TPM may be there.
service_unit() {
  cat <<END
$written
[Unit]
Description=$4
StartLimitIntervalSec=600
StartLimitBurst=5
$5

[Service]
Type=notify
User=$2
Group=$user
ExecStart=$prefix/lib/wvds/current/bin/$arch/$1 --config $config
WatchdogSec=30
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2
LimitMEMLOCK=8M
LimitCORE=0
UMask=0077
StateDirectory=$3
StateDirectoryMode=0700
$6
CapabilityBoundingSet=
DevicePolicy=closed
ProtectProc=invisible
ProtectSystem=strict
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
SystemCallFilter=~@privileged @obsolete
$(printf '%s=yes\n' LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateTmp ProtectClock ProtectControlGroups \
    ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictNamespaces \
    RestrictRealtime RestrictSUIDSGID)

[Install]
WantedBy=multi-user.target
END
}

crypto_unit() {
  service_unit wvds_crypto_service "$user" wvds 'WvdS Crypto Service' 'Requires=wvds-crypto.socket
After=wvds-crypto.socket' "ReadWritePaths=$keys
ExecReload=/bin/kill -HUP \$MAINPID
PrivateNetwork=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX
DeviceAllow=/dev/tpmrm0 rw"
}

est_unit() {
  service_unit wvds_est_service "$user-est" wvds-est 'WvdS EST Service' 'Requires=wvds-crypto.service
After=wvds-crypto.service network-online.target
Wants=network-online.target' "ReadWritePaths=$credentials
InaccessiblePaths=-$keys -$state
RuntimeDirectory=wvds-est
RuntimeDirectoryMode=0755
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"
}

# install_units: also where systemd does not run (yet), since they say what was installed for whom
install_units() {
  if [[ ! -e $root$units/wvds-crypto.service ]]; then # later it is the administrator's to say what starts
    link "$root$units/multi-user.target.wants/wvds-crypto.service" ../wvds-crypto.service
    link "$root$units/sockets.target.wants/wvds-crypto.socket" ../wvds-crypto.socket
  fi
  # Clients look for est_service at /run/wvds/est.sock, but nobody else than root may write beside the other socket.
  file "$tmpfiles" "$written"$'\nd /run/wvds 0755 root root\nL+ /run/wvds/est.sock - - - - ../wvds-est/est.sock'
  # Clients that connect while the service starts or restarts wait at its socket.
  file "$units/wvds-crypto.socket" "$(printf '%s\n' "$written" '[Unit]' 'Description=Socket of the WvdS Crypto Service' '[Socket]' \
    'ListenSequentialPacket=/run/wvds/crypto.sock' "SocketGroup=$user" 'SocketMode=0660' '[Install]' 'WantedBy=sockets.target')"
  file "$units/wvds-est.service" "$(est_unit)"
  file "$units/wvds-crypto.service" "$(crypto_unit)"
  if has_est; then
    link "$root$units/multi-user.target.wants/wvds-est.service" ../wvds-est.service
  else
    remove "$root$units/multi-user.target.wants/wvds-est.service"
    say "skipped: wvds-est.service is not started, since $config has no section \"est\""
  fi
}

start_services() {
  local verb=start
  if ! is_live; then say "skipped: nothing is started below $root; the services start when that system does"; fi
  if is_live && ! systemd_runs; then
    say "skipped: systemd does not run here, so nothing is started; WvdS_KB_OEM.md says what another init has to do"
  fi
  if ! systemd_runs; then return 0; fi
  if ((${#changed[@]} > 0)) || [[ $former != "$build" ]]; then verb=restart; fi
  act "tell systemd of the units" systemctl daemon-reload
  act "make /run/wvds" systemd-tmpfiles --create "$tmpfiles"
  if [[ -n ${changed[$units/wvds-crypto.socket]:-} ]]; then
    act "stop wvds-crypto.socket, which has changed" systemctl stop wvds-crypto.service wvds-crypto.socket
  fi
  act "$verb wvds-crypto.service, and wait until it is ready" start_one "$verb" wvds-crypto.service
  if has_est; then act "$verb wvds-est.service, and wait until it is ready" start_one "$verb" wvds-est.service; fi
}
start_one() {
  systemctl reset-failed "$2" wvds-crypto.socket 2>/dev/null || true
  systemctl "$1" "$2" && return 0
  journalctl --no-pager --lines 20 --unit "$2" >&2 || true
  die "$2 did not start; above is its log.${former:+ Back to what was installed before: $lib/$former/install.sh}"
}

# --- the whole

install_all() {
  local path
  check_delivery
  check_machine
  plan_links
  if is_live; then client=${client:-${SUDO_USER:-root}}; else client=${client:-root}; fi
  [[ -n $(number passwd "$client") ]] || die "there is no user $client, whose programs are to use the keys: make it first, or give another --client"
  check_identity
  make_users
  folder /etc/wvds 755 root
  for path in "$keys" "$state"; do folder "$path" 700 "$user"; done
  for path in "$credentials" "$est_state"; do folder "$path" 700 "$user-est"; done
  if [[ $former == "$build"* ]] && intact "$lib/$former"; then
    build=$former
    say "keep $lib/$build, which is intact"
  else
    if [[ $former == "$build" ]]; then build+=.mended; fi
    if ! intact "$lib/$build"; then
      act "copy the files to $lib/.new" copy_files "$lib/.new"
      act "run the self-test of the FIPS module, and write fipsmodule.cnf for this machine" self_test "$lib/.new/lib/$arch"
      act "name the folder $lib/$build" name_folder "$lib/.new" "$lib/$build"
    fi
  fi
  configure
  check_config wvds_crypto_service "$user"
  if has_est; then check_config wvds_est_service "$user-est"; fi
  link "$lib/current" "$build"
  for path in "${!links[@]}"; do link "$base/$path" "${links[$path]}"; done
  if is_live; then act "tell the loader of libraries" ldconfig; fi
  install_units
  start_services
  for path in "$lib"/*-*; do # what was installed before stays, to go back to
    if [[ $former != "$build" && ${path##*/} != "$build" && ${path##*/} != "$former" ]]; then remove "$path"; fi
  done
  say "version $version ${would:-is }${would:+be }installed under $base; who is to use it must be in the group $user and in $config"
}

remove() { if [[ -e $1 || -L $1 ]]; then act "remove $1" rm -rf "$1"; fi; }

uninstall_all() {
  local path name
  for name in wvds-est.service wvds-crypto.service wvds-crypto.socket; do
    if systemd_runs && [[ -e $units/$name ]]; then act "stop $name" systemctl stop "$name"; fi
  done
  for path in "$root$units"/{*.wants/,}wvds-{crypto.socket,est.service,crypto.service.wvds-new} "$root$units"/*.wants/wvds-crypto.service; do remove "$path"; done
  for path in "$base"/bin/* "$base"/include/* "$base"/lib/*; do
    if [[ $(readlink "$path") == *wvds/current/* ]]; then remove "$path"; fi
  done
  remove "$lib/current"
  remove "$lib"
  remove "$root$tmpfiles"
  if is_live; then remove /run/wvds; fi
  if is_live; then act "tell the loader of libraries" ldconfig; fi
  if [[ $purge == yes ]]; then
    purge_keys
  else
    say "kept: the keys in $keys and $state, certificates in $est_state, $config and the users; --uninstall --purge-keys removes these"
  fi
  remove "$root$units/wvds-crypto.service" # the last, since it says what is installed where
  if systemd_runs; then act "tell systemd of the units" systemctl daemon-reload; fi
}

purge_keys() {
  local path name
  for path in "$state" "$est_state" /etc/wvds; do remove "$root$path"; done
  for name in "$user-est" "$user"; do
    if [[ -n $(number passwd "$name") ]]; then act "remove the user $name" account userdel "$name"; fi
  done
  if [[ -n $(number group "$user") ]]; then act "remove the group $user" account groupdel "$user"; fi
}

parse() {
  while (($# > 0)); do
    case $1 in
      --prefix | --user | --client | --root)
        [[ -n ${2:-} ]] || wrong_usage "$1 needs a value"
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --dry-run) would='would ' ;;
      --uninstall) uninstall=yes ;;
      --purge-keys) purge=yes ;;
      --help) usage && exit 0 ;;
      --version) say "install.sh $(manifest version)" && exit 0 ;;
      *) wrong_usage "unknown option $1" ;;
    esac
    shift
  done
  [[ $purge == no || $uninstall == yes ]] || wrong_usage "--purge-keys goes with --uninstall only"
  [[ -z $prefix || $prefix =~ ^(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$ ]] || wrong_usage "--prefix must be an absolute path of letters, digits and ._+-, not $prefix"
  [[ $prefix/ != /@(home|root|tmp|var/tmp|run)/* ]] || wrong_usage "--prefix can't be below ${prefix%"${prefix#/*/}"}, which the services do not see"
  [[ -z $user || $user =~ ^[a-z_][a-z0-9_-]{0,26}$ ]] || wrong_usage "--user $user can't be the name of a user"
  [[ -z $root || -f $root/etc/passwd ]] || wrong_usage "--root $root is not the root of a system: it has no etc/passwd"
  if [[ -n $root ]]; then root=$(readlink -f -- "$root") root=${root%/}; fi
}

parse "$@"
[[ $EUID == 0 || -n $would ]] || die "only root can install and remove: run it with sudo"
find_former
exec 9<"$root/etc"
flock -n 9 || die "another install.sh is at work"
if [[ $uninstall == yes ]]; then uninstall_all; else install_all; fi
