# shellcheck shell=bash
# Takes the system's own OpenSSL where it is recent enough and has the FIPS provider. Sourced by
# openssl.sh. The folder it makes in the cache has the layout of a built one and consists of
# symlinks; only the FIPS module's configuration is a file of its own.
# shellcheck disable=SC2154  # wvds_cache comes from lib.sh, layout from openssl.sh

system_root= # tests put a folder here

# system_version -> the Debian version of the system's development files, if all parts are there
system_version() {
  local root=$system_root arch lib file
  arch=$("${CC:-cc}" -print-multiarch 2>/dev/null) || return 1
  lib=$root/usr/lib/$arch
  for file in "$lib"/{libcrypto.so,libcrypto.a,libssl.so,libssl.a,ossl-modules/fips.so} \
    "$root"/usr/include/openssl/evp.h "$root"/usr/bin/openssl; do
    [[ -e $file ]] || return 1
  done
  # shellcheck disable=SC2016  # dpkg-query expands it
  dpkg-query ${root:+--admindir="$root/var/lib/dpkg"} -W -f '${Version}\n' libssl-dev 2>/dev/null | head -n 1
}

# link_system FOLDER: fills the folder with links
link_system() {
  local folder=$1 root=$system_root arch lib include
  arch=$("${CC:-cc}" -print-multiarch)
  lib=$root/usr/lib/$arch
  mkdir -p "$folder"/{bin,include/openssl,lib,ssl}
  ln -s "$root/usr/bin/openssl" "$folder/bin/openssl"
  # one folder of links, not a link to the system's include folder: that one would pull in every
  # other header, too, and part of OpenSSL's are in the architecture's folder
  for include in "$root/usr/include/openssl" "$root/usr/include/$arch/openssl"; do
    [[ ! -d $include ]] || ln -sf "$include"/*.h "$folder/include/openssl/"
  done
  ln -s "$lib"/libcrypto.{so,so.3,a} "$lib"/libssl.{so,so.3,a} "$lib/ossl-modules" "$folder/lib/"
  ln -s "$root/etc/ssl/openssl.cnf" "$folder/ssl/openssl.cnf"
}

# system_openssl -> the folder, made where it does not exist yet for just these files; fails
# where the system's OpenSSL is not to be used
system_openssl() {
  local version folder hash stage
  version=$(system_version) || return 1
  [[ -n $version ]] && new_enough "$version" && not_below_last_built "$version" || return 1
  hash=$({ echo "$version $layout"; cat "$system_root/usr/lib/$("${CC:-cc}" -print-multiarch)/ossl-modules/fips.so"; } |
    sha256sum | cut -c1-12)
  folder=$wvds_cache/openssl-system-$(tr '~+:' '---' <<<"$version")-$hash
  if ! complete "$folder"; then
    say "using the system's OpenSSL $version"
    stage=$(mktemp -d "$wvds_cache/system.XXXXXX")
    link_system "$stage"
    chmod 755 "$stage"
    if ! install_fips_config "$stage" >"$stage/fips.log" 2>&1; then
      say "its FIPS provider does not pass its self-tests, so it is not used"
      rm -rf "$stage"
      return 1
    fi
    printf '%s\n' "$version" >"$stage/version"
    rm -rf "$folder"
    mv -T "$stage" "$folder"
  fi
  printf '%s\n' "$folder"
}
