# shellcheck shell=bash
# Builds OpenSSL's libraries and FIPS module for another architecture, in the version that this machine's own build uses.
# Sourced by openssl.sh after its functions. The folder has bin/openssl, include/openssl/, lib/libcrypto.so,
# lib/libssl.so, lib/ossl-modules/fips.so (stripped), ssl/openssl.cnf, ssl/fipsmodule.cnf and version; no static
# libraries.
# The same source and compiler give the same bytes, wherever they are built: nothing of the machine gets in.
# shellcheck disable=SC2154  # the variables are openssl.sh's and lib.sh's

cross_layout=1 # raise it when the steps below produce something else from the same options
cross_arch='' # set by provide_cross
mapfile -t cross_hardening < <(hardening aarch64)
cross_options=(
  "--prefix=$baked_prefix" "--openssldir=$baked_prefix/ssl" --libdir=lib
  shared enable-fips enable-ec_nistp_64_gcc_128 no-tests no-docs no-engine no-legacy
  -O3 "${cross_hardening[@]}" "-Wl,-rpath,'\$\$ORIGIN:\$\$ORIGIN/../lib'"
)

cross_recipe() {
  { printf '%s\n' "$cross_layout" "$cross_arch" "${cross_options[@]}"
    "$cross_arch-linux-gnu-gcc" -dumpfullversion; } | sha256sum | cut -c1-12
}

cross_complete() {
  local file
  for file in version bin/openssl include/openssl/{evp,configuration}.h lib/lib{crypto,ssl}.so.3 lib/ossl-modules/fips.so ssl/{openssl,fipsmodule}.cnf; do
    [[ -e $1/$file ]] || return 1
  done
}

# native_version -> the Debian version of this machine's build
native_version() {
  cat "$wvds_root/build/openssl/version" 2>/dev/null || die "build OpenSSL for this machine first: scripts/openssl.sh"
}

# same_version VERSION: upstream's. A Debian revision may be in the archive as binaries only.
same_version() { [[ $(upstream "$(native_version)") == "$(upstream "$1")" ]] && acceptable "$1"; }

# compile_cross SOURCE LOG VERSION: in the source's own folder, so that the paths in the result are relative
compile_cross() {
  local source=$1 log=$2 version=$3 total
  local -a targets=(libcrypto.so libssl.so providers/fips.so apps/openssl)
  local -a clean=(env -u CROSS_COMPILE -u CPPFLAGS -u CFLAGS -u LDFLAGS -u LDLIBS -u MAKEFLAGS -u MAKELEVEL
    "SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Timestamp)")
  (cd "$source" && "${clean[@]}" perl Configure "linux-$cross_arch" "--cross-compile-prefix=$cross_arch-linux-gnu-" \
    "${cross_options[@]}") >>"$log" 2>&1 || return 1
  "${clean[@]}" make -C "$source" -j"$(nproc)" build_generated >>"$log" 2>&1 || return 1
  total=$("${clean[@]}" make -C "$source" -n "${targets[@]}" 2>>"$log" | grep -c ' -c -o ') || return 1
  "${clean[@]}" make -C "$source" -j"$(nproc)" "${targets[@]}" 2>&1 | tee -a "$log" |
    progress "OpenSSL $version for $cross_arch: compiling" "$total" ' -c -o '
}

# collect_cross SOURCE RESULT VERSION. The module is stripped before its checksum is made: whoever strips it afterwards
# makes it refuse to start. The checksum is made as on a machine of that architecture, by a program of that architecture,
# which runs the module's self-tests (in an emulator).
collect_cross() {
  local source=$1 result=$2 library
  local -a openssl=("qemu-$cross_arch" -L "$wvds_root/build/sysroot-$cross_arch" "$result/bin/openssl")
  mkdir -p "$result"/{bin,include/openssl,lib/ossl-modules,ssl} || return 1
  cp "$source/apps/openssl" "$result/bin/" || return 1
  cp "$source"/include/openssl/*.h "$result/include/openssl/" || return 1
  for library in libcrypto libssl; do
    cp "$source/$library.so.3" "$result/lib/" && ln -s "$library.so.3" "$result/lib/$library.so" || return 1
  done
  "$cross_arch-linux-gnu-strip" -o "$result/lib/ossl-modules/fips.so" "$source/providers/fips.so" || return 1
  cp "$source/apps/openssl.cnf" "$result/ssl/" || return 1
  "${openssl[@]}" fipsinstall -quiet -module "$result/lib/ossl-modules/fips.so" -out "$result/ssl/fipsmodule.cnf" || return 1
  printf '%s\n' "$3" >"$result/version"
}

# obtain_cross PREFIX: source, build, rename into the cache; one call at a time
obtain_cross() {
  local prefix=$1 work version log=$wvds_cache/openssl-$cross_arch-build.log
  rm -rf "$wvds_cache"/cross.?????? # of a run that was killed; the lock is ours
  work=$(mktemp -d "$wvds_cache/cross.XXXXXX")
  # shellcheck disable=SC2064  # the folder is known now, not at the exit
  trap "rm -rf '$work'" EXIT
  : >"$log"
  say "looking for OpenSSL's source in this machine's Debian archive"
  version=$(fetch_source "$work" same_version) ||
    die "the archive serves no source of OpenSSL $(upstream "$(native_version)"), which this machine's own build uses (see the lines above)"
  unpack_source "$work" "$log"
  say "OpenSSL $version for $cross_arch: configuring (the build takes some minutes, once; log: $log)"
  { compile_cross "$work/openssl" "$log" "$version" && collect_cross "$work/openssl" "$work/result" "$version" >>"$log" 2>&1; } ||
    { show_log_tail "$log"; die "OpenSSL $version could not be built for $cross_arch"; }
  cross_complete "$work/result" || die "OpenSSL $version for $cross_arch is not complete (log: $log)"
  rm -rf "$prefix"
  mv -T "$work/result" "$prefix"
}

# provide_cross ARCH: prints the folder; build/openssl-ARCH becomes a symlink to it
provide_cross() {
  local prefix tool
  cross_arch=$1
  [[ $cross_arch == aarch64 ]] || die "unknown target $cross_arch: there is aarch64"
  for tool in "$cross_arch"-linux-gnu-{gcc,strip} "qemu-$cross_arch"; do
    command -v "$tool" >/dev/null || die "$tool is missing: run scripts/packages.sh check"
  done
  [[ -e $wvds_root/build/sysroot-$cross_arch ]] || die "libraries for $cross_arch are missing: run scripts/sysroot.sh"
  prefix=$wvds_cache/openssl-$cross_arch-$(upstream "$(native_version)")-$(cross_recipe)
  if ! cross_complete "$prefix"; then
    exec 9>"$wvds_cache/openssl-$cross_arch.lock"
    flock 9
    if ! cross_complete "$prefix"; then obtain_cross "$prefix"; fi
  fi
  link_into_project "$prefix" "openssl-$cross_arch"
  printf '%s\n' "$prefix"
}
