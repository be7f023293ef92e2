#!/bin/bash
# Builds OpenSSL's libcrypto, libssl and FIPS provider for L4Re and makes the folder that run-qemu and the package's Makefiles
# want, against an L4Re build directory of yours. Brings and builds nothing of L4Re.
#
# OpenSSL's source comes from this machine's Debian archive, as scripts/openssl.sh has it, in the version that the Linux
# build uses.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/openssl.sh
. "$here/../../scripts/openssl.sh"

usage() {
  cat <<'END'
usage: l4re/openssl/build.sh --l4re-build DIR --out DIR

--l4re-build DIR  a complete L4Re build directory, for amd64 or arm64
--out DIR         where the result comes; a new or empty folder, or one that this script made

The result: include/openssl, include/nlohmann and include/boost (links), lib/libcrypto.a, lib/libssl.a, lib/fips.so (stripped),
lib/fipsmodule.cnf (with the module's checksum), version. Nothing is done where it is there already for the same version, compiler and L4Re build
directory. The folder is the --deps of l4re/run-qemu.

The source comes from the Debian archive that this machine uses, in the version of build/openssl, where scripts/openssl.sh
puts the Linux build's; without such a folder the newest acceptable version is taken.

Exit status: 0 the folder is complete, 1 it could not be made, 2 wrong usage.
END
}

wrong_usage() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# As small as the product's needs allow: what wants sockets, processes, files or a terminal is left out, which L4Re does
# not have. Seeds come from getrandom, which the package answers from its entropy server. /rom is where boot modules are.
l4re_options=(
  --prefix=/l4re --openssldir=/rom --libdir=lib --with-rand-seed=getrandom
  enable-fips no-shared no-engine no-tests no-docs no-apps no-legacy no-comp no-ssl-trace
  no-sock no-dgram no-quic no-http no-ui-console no-afalgeng no-devcryptoeng no-async no-secure-memory
  -fno-strict-aliasing -fwrapv -fno-common -fstack-protector-strong -ffunction-sections -fdata-sections
)
l4re_layout=2 # raise it when the steps below produce something else from the same options and files

nlohmann=/usr/include/nlohmann
boost=/usr/include/boost
l4re_build='' out='' arch='' triplet=''

# l4re_setting NAME -> what l4defs.sh.inc of the build directory says
# shellcheck disable=SC1091  # of the L4Re build directory
l4re_setting() (
  . "$l4re_build/l4defs.sh.inc" && printf '%s\n' "${!1:-}"
)

# check_l4re_build: the folder is a build directory, complete enough; sets arch and triplet
check_l4re_build() {
  local file lib
  local config=$l4re_build/include/config/auto.conf
  [[ -e $config ]] || wrong_usage "--l4re-build $l4re_build: no L4Re build directory (there is no include/config/auto.conf in it)"
  arch=$(sed -n 's/^CONFIG_BUILD_ARCH="\{0,1\}\([a-z0-9]*\)"\{0,1\}$/\1/p' "$config")
  case $arch in
    amd64) triplet=x86_64-linux-gnu ;;
    arm64) triplet=aarch64-linux-gnu ;;
    *) wrong_usage "--l4re-build $l4re_build: neither for amd64 nor for arm64" ;;
  esac
  [[ -e $l4re_build/l4defs.sh.inc ]] ||
    wrong_usage "--l4re-build $l4re_build: not built yet, or not to its end (there is no l4defs.sh.inc in it)"
  lib=lib/$(l4re_setting L4_SYSTEM)/$(l4re_setting L4_VARIANT)
  for file in "$lib"/plain/{main_rel.ld,crti.s.o,crtbeginS.o,crtendS.o,crtn.s.o} "$lib"/l4f/{libc.so,libc_nonshared.p.a,libld-l4.so,libgcc.a}; do
    [[ -e $l4re_build/$file ]] || wrong_usage "--l4re-build $l4re_build: not built to its end (there is no $file in it)"
  done
}

# compiler_package -> the Debian package with the compiler for arch
compiler_package() {
  if [[ $(dpkg --print-architecture) == "$arch" ]]; then
    echo gcc
  else
    echo "gcc-${triplet//_/-}"
  fi
}

# check_tools: whatever is missing is named with its package
check_tools() {
  local tool compiler linker
  need_tools
  perl -MDigest::SHA -e 1 2>/dev/null || die "perl's own modules are missing: install the Debian package perl"
  [[ -e $nlohmann/json.hpp ]] || die "$nlohmann/json.hpp is missing: install the Debian package nlohmann-json3-dev"
  [[ -e $boost/beast/http/basic_parser.hpp ]] || die "$boost/beast is missing: install the Debian package libboost-dev"
  compiler=$(l4re_setting L4_CC) linker=$(l4re_setting L4_LD)
  for tool in "${compiler%% *}" "${linker%% *}" "$triplet"-{ar,ranlib,strip}; do
    command -v "$tool" >/dev/null || die "$tool is missing: install the Debian package $(compiler_package)"
  done
}

# check_compiler: a build directory that was moved, or is of another machine, shows here and not after minutes; and
# headers of this machine's own C library would compile well and give a library that fails on L4Re in subtle ways
check_compiler() {
  local used header
  used=$(printf '#include <stdio.h>\n#include <pthread.h>\n' | WVDS_L4RE_BUILD=$l4re_build "$here/l4re-cc" -M -x c - 2>&1) || {
    say "$used"
    die "nothing compiles against --l4re-build $l4re_build (was it moved, or is it of another machine?)"
  }
  header=$(grep -o -m 1 '[^ ]*/stdio\.h' <<<"$used")
  [[ $(cd -- "${header%/*}" && pwd -P)/ == "$l4re_build"/* ]] ||
    die "with the flags of --l4re-build $l4re_build the compiler takes $header instead of L4Re's (is the build directory whole?)"
}

# linux_version -> the Debian version of the Linux build's OpenSSL; nothing where there is none
linux_version() {
  local file=$wvds_root/build/openssl/version
  if [[ -e $file ]]; then cat "$file"; fi
}

# fits VERSION: may be used, and is the Linux build's upstream version. Debian's revision may differ: of a security update
# only the binaries are in the archive's main part at times.
fits() {
  local linux
  linux=$(linux_version)
  [[ -z $linux || $(upstream "$linux") == "$(upstream "$1")" ]] && acceptable "$1"
}

# l4re_recipe -> hash of what decides the result besides the source
l4re_recipe() {
  local compiler
  compiler=$(l4re_setting L4_CC)
  { printf '%s\n' "$l4re_layout" "$arch" "${l4re_options[@]}"
    cat "$here/l4re.conf" "$here/l4re-cc" "$l4re_build/l4defs.sh.inc"
    "${compiler%% *}" -dumpfullversion; } | sha256sum | cut -c1-12
}

# made_before: the folder has what this call would make
made_before() {
  local version recipe file
  { read -r version && read -r recipe; } 2>/dev/null <"$out/version" || return 1
  for file in include/openssl/{evp,configuration}.h include/nlohmann/json.hpp include/boost/version.hpp lib/{libcrypto.a,libssl.a,fips.so,fipsmodule.cnf}; do
    [[ -e $out/$file ]] || return 1
  done
  [[ $recipe == "$(l4re_recipe)" ]] && fits "$version"
}

# compile SOURCE LOG VERSION: in the source's own folder, so that no path of this machine gets into the result
compile() {
  local source=$1 log=$2 version=$3 total
  local -a clean=(env -u CROSS_COMPILE -u CPPFLAGS -u CFLAGS -u LDFLAGS -u LDLIBS -u MAKEFLAGS -u MAKELEVEL
    "PATH=$here:$PATH" "WVDS_L4RE_BUILD=$l4re_build" "SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Timestamp)")
  (cd "$source" && "${clean[@]}" perl Configure "l4re-$arch" "--config=$here/l4re.conf" \
    CC=l4re-cc "AR=$triplet-ar" "RANLIB=$triplet-ranlib" "${l4re_options[@]}") >>"$log" 2>&1 || return 1
  "${clean[@]}" make -C "$source" -j"$(nproc)" build_generated >>"$log" 2>&1 || return 1
  total=$("${clean[@]}" make -C "$source" -n libcrypto.a libssl.a providers/fips.so 2>>"$log" | grep -c ' -c -o ') || return 1
  "${clean[@]}" make -C "$source" -j"$(nproc)" libcrypto.a libssl.a providers/fips.so 2>&1 | tee -a "$log" |
    progress "OpenSSL $version for L4Re on $arch: compiling" "$total" ' -c -o '
}

# collect SOURCE RESULT: the files of the result. The module is stripped before its checksum is made: whoever strips it
# afterwards makes it refuse to start.
collect() {
  local source=$1 result=$2 key
  mkdir -p "$result"/{include/openssl,lib} || return 1
  cp "$source"/include/openssl/*.h "$result/include/openssl/" || return 1
  ln -s "$nlohmann" "$result/include/nlohmann" || return 1
  ln -s "$boost" "$result/include/boost" || return 1
  cp "$source"/lib{crypto,ssl}.a "$result/lib/" || return 1
  "$triplet-strip" -o "$result/lib/fips.so" "$source/providers/fips.so" || return 1
  key=$(sed -n 's/^FIPSKEY=//p' "$source/Makefile")
  [[ -n $key ]] || return 1
  perl "$source/util/mk-fipsmodule-cnf.pl" -module "$result/lib/fips.so" -section_name fips_sect -key "$key" \
    >"$result/lib/fipsmodule.cnf"
}

# make_result WORK: source, build, then the finished parts in place of the old ones. An empty version says that the folder
# is ours and has nothing whole in it.
make_result() {
  local work=$1 log=$out/build.log version
  : >>"$out/version"
  : >"$log"
  say "looking for OpenSSL's source in this machine's Debian archive"
  version=$(fetch_source "$work" fits) || source_not_found
  unpack_source "$work" "$log"
  say "OpenSSL $version for L4Re on $arch: configuring (the build takes some minutes, once; log: $log)"
  { compile "$work/openssl" "$log" "$version" && collect "$work/openssl" "$work/result" >>"$log" 2>&1; } ||
    { show_log_tail "$log"; die "OpenSSL $version could not be built for L4Re on $arch"; }
  printf '%s\n' "$version" "$(l4re_recipe)" >"$work/version"
  : >"$out/version"
  rm -rf "${out:?}/include" "${out:?}/lib"
  mv "$work/result/include" "$work/result/lib" "$out/"
  mv "$work/version" "$out/version"
}

source_not_found() {
  local linux
  linux=$(linux_version)
  [[ -n $linux ]] || die "no acceptable OpenSSL source could be had (see the lines above)"
  die "the archive serves no source of OpenSSL $(upstream "$linux"), which the Linux build uses (see the lines above; scripts/openssl.sh --update takes a newer one for it)"
}

# claim_out: the folder is new, empty, or of an earlier run; and no other run is at it
claim_out() {
  [[ $out != *[[:space:]]* && $l4re_build != *[[:space:]]* ]] || wrong_usage "make can't cope with spaces in the names of folders"
  mkdir -p "$out" || wrong_usage "--out $out can't be made"
  out=$(cd -- "$out" && pwd -P)
  [[ -e $out/version || -e $out/.work || -z $(ls -A -- "$out") ]] ||
    wrong_usage "--out $out holds something that this script did not make; name a new or an empty folder"
  exec 9<"$out"
  if ! flock -n 9; then
    say "another run is at $out; waiting for it"
    flock 9
  fi
}

read_arguments() {
  while (($# > 0)); do
    case $1 in
      --l4re-build | --out)
        (($# > 1)) || wrong_usage "$1 needs a value"
        if [[ $1 == --out ]]; then out=$2; else l4re_build=$2; fi
        shift 2
        ;;
      --help | -h) usage && exit 0 ;;
      *) wrong_usage "unknown argument $1; see --help" ;;
    esac
  done
  [[ -n $l4re_build ]] || wrong_usage "--l4re-build is missing; see --help"
  [[ -n $out ]] || wrong_usage "--out is missing; see --help"
}

build_for_l4re() {
  read_arguments "$@"
  umask 022
  [[ -d $l4re_build ]] || wrong_usage "--l4re-build $l4re_build: there is no such folder"
  l4re_build=$(cd -- "$l4re_build" && pwd -P)
  check_l4re_build
  check_tools
  check_compiler
  claim_out
  rm -rf "$out/.work" # of a run that was killed; the lock is ours
  if made_before; then
    say "OpenSSL $(head -n 1 "$out/version") for L4Re on $arch is there"
  else
    trap 'rm -rf "$out/.work"' EXIT
    mkdir "$out/.work"
    make_result "$out/.work"
  fi
  printf '%s\n' "$out"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then build_for_l4re "$@"; fi
