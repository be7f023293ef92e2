#!/bin/bash
# Obtains OpenSSL with its FIPS provider and prints the folder it is in; build/openssl becomes a
# symlink to it. The system's is taken where it is recent enough and has the FIPS provider;
# otherwise the source comes from the machine's own Debian archive and is built once into a cache.
#
#   scripts/openssl.sh            use what the cache has, build what is missing
#   scripts/openssl.sh --update   look for a newer version even if the cache has one
#   scripts/openssl.sh --target aarch64   the same version for that architecture, cross-built:
#                                 libraries and FIPS module (scripts/openssl_cross.sh)
#
# Layout of the folder, the same for all of these: bin/openssl, include/openssl/,
# lib/libcrypto.{so,a}, lib/libssl.{so,a}, lib/ossl-modules/fips.so, ssl/openssl.cnf,
# ssl/fipsmodule.cnf, version (the Debian version).
# The cache is $WVDS_CACHE, else $XDG_CACHE_HOME/wvds, else ~/.cache/wvds. Works as any user.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/openssl_source.sh
. "$wvds_root/scripts/openssl_source.sh"
# shellcheck source=scripts/openssl_system.sh
. "$wvds_root/scripts/openssl_system.sh"

# Nothing is disabled on purpose: other Debian libraries (TPM, PKCS#11) that are loaded into the
# same process find every symbol of Debian's own libcrypto.so.3.
# The names baked into the libraries are neutral, root-owned places that need not exist: a
# delivered library must not look for modules in a builder's home folder. The programs and
# libraries find each other relative to themselves instead.
baked_prefix=/opt/wvds/openssl
# hardening ARCH: the project's own flags (cmake/WvdsTargets.cmake), for C of this architecture
hardening() {
  printf '%s\n' -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=3 \
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
  case $1 in
    x86_64) echo -fcf-protection ;;
    aarch64) echo -mbranch-protection=standard ;;
  esac
}
mapfile -t native_hardening < <(hardening "$(uname -m)")
configure_options=(
  "--prefix=$baked_prefix" "--openssldir=$baked_prefix/ssl" --libdir=lib
  shared enable-fips no-tests no-docs
  -O3 "${native_hardening[@]}" "-Wl,-rpath,'\$\$ORIGIN/../lib'"
)
layout=3 # raise it when the steps below produce something else from the same options

# upstream VERSION: Debian version without epoch and revision
upstream() {
  local v=${1#*:}
  printf '%s\n' "${v%-*}"
}

# new_enough VERSION [FILE]: holds the version against the minimum of its branch
new_enough() {
  local version branch minimum highest=0 wanted
  version=$(upstream "$1")
  wanted=$(cut -d. -f1,2 <<<"$version")
  while read -r branch minimum; do
    [[ -n $branch && $branch != '#'* ]] || continue
    if [[ $branch == "$wanted" ]]; then
      dpkg --compare-versions "$version" ge "$minimum"
      return
    fi
    if dpkg --compare-versions "$branch" gt "$highest"; then highest=$branch; fi
  done <"${2:-$wvds_root/scripts/openssl.version}"
  dpkg --compare-versions "$wanted" gt "$highest"
}

# not_below_last_built VERSION: an archive that serves less than was built here before may be a
# replayed one
not_below_last_built() {
  local record=$wvds_cache/openssl.last last
  [[ -s $record ]] || return 0
  last=$(<"$record")
  dpkg --compare-versions "$1" ge "$last"
}

acceptable() {
  if ! new_enough "$1"; then
    say "  OpenSSL $1 is refused: below the minimum in scripts/openssl.version"
    return 1
  fi
  if ! not_below_last_built "$1"; then
    say "  OpenSSL $1 is refused: below $(<"$wvds_cache/openssl.last"), the last one built here (remove $wvds_cache/openssl.last to accept it)"
    return 1
  fi
}

# recipe -> hash of what decides the build's result besides the source
recipe() {
  { printf '%s\n' "$layout" "${configure_options[@]}"
    uname -m
    "${CC:-cc}" -dumpfullversion; } | sha256sum | cut -c1-12
}

complete() {
  local f
  for f in version bin/openssl include/openssl/evp.h lib/libcrypto.so lib/libcrypto.a lib/libssl.so \
    lib/libssl.a lib/ossl-modules/fips.so ssl/fipsmodule.cnf; do
    [[ -e $1/$f ]] || return 1
  done
}

# newest_built -> the newest acceptable folder of this recipe in the cache
newest_built() {
  local folder version best='' best_version=0 suffix
  suffix=$(recipe)
  for folder in "$wvds_cache"/openssl-*-"$suffix"; do
    complete "$folder" || continue
    version=$(<"$folder/version")
    if new_enough "$version" && not_below_last_built "$version" &&
      dpkg --compare-versions "$version" gt "$best_version"; then
      best=$folder best_version=$version
    fi
  done
  [[ -n $best ]] || return 1
  printf '%s\n' "$best"
}

# install_fips_config PREFIX: the module's checksum, which the FIPS provider compares at start
install_fips_config() {
  "$1/bin/openssl" fipsinstall -quiet -module "$1/lib/ossl-modules/fips.so" -out "$1/ssl/fipsmodule.cnf" &&
    "$1/bin/openssl" fipsinstall -quiet -verify -module "$1/lib/ossl-modules/fips.so" -in "$1/ssl/fipsmodule.cnf"
}

# wrap_program PREFIX: lets bin/openssl find its configuration and modules where the folder is now
wrap_program() {
  mkdir -p "$1/libexec"
  mv "$1/bin/openssl" "$1/libexec/openssl"
  cat >"$1/bin/openssl" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/..
: "${OPENSSL_CONF:=$here/ssl/openssl.cnf}" "${OPENSSL_MODULES:=$here/lib/ossl-modules}"
export OPENSSL_CONF OPENSSL_MODULES
exec "$here/libexec/openssl" "$@"
WRAPPER
  chmod 755 "$1/bin/openssl"
}

# tidy PREFIX: what would point to the baked-in place. pkg-config's files become relative to
# themselves, CMake finds the folder by OPENSSL_ROOT_DIR.
tidy() {
  # shellcheck disable=SC2016  # pkg-config expands it
  sed -i -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^exec_prefix=.*|exec_prefix=${prefix}|' \
    -e "s|$baked_prefix|\${prefix}|g" "$1"/lib/pkgconfig/*.pc
  rm -rf "$1/lib/cmake" "$1/bin/c_rehash" "$1"/ssl/*.dist "$1/ssl/misc"
}

# build SOURCE STAGE LOG VERSION: the part that takes minutes
build() {
  local source=$1 stage=$2 log=$3 version=$4 total
  local -a extra=()
  if [[ $(getconf LONG_BIT) == 64 ]]; then extra+=(enable-ec_nistp_64_gcc_128); fi
  (cd "$source" && ./Configure "${configure_options[@]}" "${extra[@]}") >>"$log" 2>&1 || return 1
  total=$(grep -cE '^[^ #]+\.o: ' "$source/Makefile")
  # the date that OpenSSL tells of its build is the source's
  SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Timestamp) || return 1
  export SOURCE_DATE_EPOCH
  make -C "$source" -j"$(nproc)" build_sw 2>&1 | tee -a "$log" |
    progress "OpenSSL $version: compiling" "$total" ' -c -o ' || return 1
  say "OpenSSL $version: installing and running the FIPS self-tests"
  make -C "$source" -j1 DESTDIR="$stage" install_sw install_ssldirs install_fips >>"$log" 2>&1 || return 1
  local prefix=$stage$baked_prefix
  wrap_program "$prefix" || return 1
  tidy "$prefix" || return 1
  strip "$prefix/lib/ossl-modules/fips.so" || return 1 # whoever strips it after its checksum is made makes it refuse to start
  install_fips_config "$prefix" >>"$log" 2>&1 || return 1
  printf '%s\n' "$version" >"$prefix/version"
  complete "$prefix"
}

# obtain_built [--update]: source, build, rename into the cache; one call at a time
obtain_built() {
  local work version prefix log free
  rm -rf "$wvds_cache"/build.* # of a run that was killed; the lock is ours
  free=$(df -Pk "$wvds_cache" | awk 'NR == 2 { print int($4 / 1024) }')
  ((free >= 1024)) || die "building OpenSSL takes 1 GB for a while; $wvds_cache has $free MB (WVDS_CACHE names another place)"
  work=$(mktemp -d "$wvds_cache/build.XXXXXX")
  # shellcheck disable=SC2064  # the folder is known now, not at the exit
  trap "rm -rf '$work'" EXIT
  say "looking for OpenSSL's source in this machine's Debian archive"
  version=$(fetch_source "$work" acceptable) || die "no acceptable OpenSSL source could be had (see the lines above)"
  prefix=$wvds_cache/openssl-$(tr '~+:' '---' <<<"$version")-$(recipe)
  if ! complete "$prefix"; then
    log=$wvds_cache/openssl-build.log
    : >"$log"
    unpack_source "$work" "$log"
    say "OpenSSL $version: configuring (the build takes some minutes, once; log: $log)"
    build "$work/openssl" "$work/stage" "$log" "$version" ||
      { show_log_tail "$log"; die "OpenSSL $version could not be built"; }
    rm -rf "$prefix"
    mv -T "$work/stage$baked_prefix" "$prefix"
    printf '%s\n' "$version" >"$work/last"
    mv "$work/last" "$wvds_cache/openssl.last"
  fi
  obtained=$prefix
}

# link_into_project PREFIX [NAME]
link_into_project() {
  local link=$wvds_root/build/${2:-openssl}
  if [[ $(readlink "$link" 2>/dev/null) == "$1" ]]; then return 0; fi
  mkdir -p "$wvds_root/build"
  ln -s "$1" "$link.$$"
  mv -T "$link.$$" "$link"
}

need_tools() {
  local tool
  for tool in cc make perl dpkg-source flock; do
    command -v "$tool" >/dev/null || die "$tool is missing: run scripts/packages.sh build"
  done
}

main() {
  local update=no target=''
  case ${1:-} in
    '') ;;
    --update) update=yes ;;
    --target) target=${2:?--target needs an architecture} ;;
    *) die "unknown option $1" ;;
  esac
  umask 022
  mkdir -p "$wvds_cache"
  wvds_cache=$(cd -- "$wvds_cache" && pwd -P)
  need_tools
  if [[ -n $target ]]; then
    provide_cross "$target"
    return
  fi
  if obtained=$(system_openssl); then
    :
  elif [[ $update == yes ]] || ! obtained=$(newest_built); then
    exec 9>"$wvds_cache/openssl.lock"
    if ! flock -n 9; then
      say "another run is building OpenSSL; waiting for it"
      flock 9
    fi
    if [[ $update == yes ]] || ! obtained=$(newest_built); then obtain_built; fi
  fi
  link_into_project "$obtained"
  printf '%s\n' "$obtained"
}

# shellcheck source=scripts/openssl_cross.sh
. "$wvds_root/scripts/openssl_cross.sh"

obtained=
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
