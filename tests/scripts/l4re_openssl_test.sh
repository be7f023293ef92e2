#!/bin/bash
# Tests of l4re/openssl: wrong calls, wrong L4Re build directories, missing compilers, what is taken as made already, and
# what the compiler's wrapper passes on. No network, and nothing of OpenSSL is compiled.
# shellcheck disable=SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # stand-ins replace functions that others call

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"
folder=$(cd -- "$scripts/../l4re/openssl" && pwd -P)
. "$folder/build.sh"
set +e

# make_l4re ARCH: a complete-looking build directory, for this machine's compiler under another name
make_l4re() {
  l4re=$tmp/l4re.$BASHPID
  local lib=$l4re/lib/fake/std
  mkdir -p "$l4re/include/config" "$lib"/{plain,l4f} "$l4re/headers"
  touch "$lib"/plain/{main_rel.ld,crti.s.o,crtbeginS.o,crtendS.o,crtn.s.o} "$lib"/l4f/{libc.so,libc_nonshared.p.a,libld-l4.so,libgcc.a}
  touch "$l4re"/headers/{stdio,pthread}.h
  printf 'CONFIG_BUILD_ARCH="%s"\nCONFIG_BUILD_ARCH_%s=y\n' "$1" "$1" >"$l4re/include/config/auto.conf"
  cat >"$l4re/l4defs.sh.inc" <<DEFS
L4_SYSTEM="fake"
L4_VARIANT="std"
L4_CC="fake-gcc"
L4_LD="fake-ld -m elf_fake"
L4_CPPFLAGS="-DFOR_L4RE -nostdinc -I$l4re/headers"
L4_LDFLAGS_LD_SHARED="-z noexecstack -L$lib/l4f"
DEFS
  make_tools
}

# make_tools: what the build directory and the processor want to be called
make_tools() {
  local triplet name
  bin=$tmp/bin.$BASHPID
  program "$bin" fake-gcc <<<'exec cc "$@"'
  program "$bin" fake-ld <<<'printf "%s\n" "$@"'
  for triplet in x86_64-linux-gnu aarch64-linux-gnu; do
    for name in ar ranlib; do program "$bin" "$triplet-$name" </dev/null; done
    program "$bin" "$triplet-strip" <<<'{ echo stripped; cat "$3"; } >"$2"'
  done
  PATH=$bin:$PATH
}

# said_with STATUS ARGUMENT...: what the program says; it must end with that status
said_with() {
  local wanted=$1 status=0 said
  shift
  said=$("$folder/build.sh" "$@" 2>&1) || status=$?
  [[ $status == "$wanted" ]] || fail "$*: exit status $status, said: $said"
  printf '%s\n' "$said"
}

test_help_names_every_option() {
  local said
  said=$(said_with 0 --help)
  expect_in help --l4re-build "$said"
  expect_in help --out "$said"
}

test_wrong_usage_is_told() {
  expect_in 'no argument' '--l4re-build is missing' "$(said_with 2)"
  expect_in 'no out' '--out is missing' "$(said_with 2 --l4re-build "$tmp")"
  expect_in 'no value' '--out needs a value' "$(said_with 2 --out)"
  expect_in unknown 'unknown argument --fast' "$(said_with 2 --fast)"
}

test_a_folder_that_is_no_l4re_build_directory_is_told() {
  local out=$tmp/out.wrong
  expect_in 'no folder' 'there is no such folder' "$(said_with 2 --l4re-build "$tmp/none" --out "$out")"
  mkdir "$tmp/empty"
  expect_in 'empty folder' 'no include/config/auto.conf' "$(said_with 2 --l4re-build "$tmp/empty" --out "$out")"
  [[ ! -e $out ]] || fail 'a folder was made all the same'
}

test_another_processor_is_refused() {
  make_l4re riscv
  expect_in said 'neither for amd64 nor for arm64' "$(said_with 2 --l4re-build "$l4re" --out "$tmp/out.riscv")"
}

test_every_file_that_an_unfinished_build_directory_lacks_is_told() {
  local file count=0
  make_l4re arm64
  while read -r file; do
    mv "$l4re/$file" "$l4re/away"
    expect_in "without $file" "there is no $file in it" "$(said_with 2 --l4re-build "$l4re" --out "$tmp/out.part")"
    mv "$l4re/away" "$l4re/$file"
    count=$((count + 1))
  done < <(cd "$l4re" && find l4defs.sh.inc lib -type f)
  expect_eq 'files tried' 10 "$count"
}

test_a_missing_cross_compiler_is_told_with_its_package() {
  make_l4re arm64
  sed -i 's/fake-gcc/aarch64-none-gcc/' "$l4re/l4defs.sh.inc"
  program "$bin" dpkg <<<'echo amd64'
  expect_in 'on amd64' 'aarch64-none-gcc is missing: install the Debian package gcc-aarch64-linux-gnu' \
    "$(said_with 1 --l4re-build "$l4re" --out "$tmp/out.cross")"
  program "$bin" dpkg <<<'echo arm64'
  expect_eq 'package on arm64' gcc "$(arch=arm64 triplet=aarch64-linux-gnu compiler_package)"
  expect_eq 'package for amd64 on arm64' gcc-x86-64-linux-gnu "$(arch=amd64 triplet=x86_64-linux-gnu compiler_package)"
}

test_perl_without_its_modules_is_told() {
  make_l4re amd64
  program "$bin" perl <<<'exit 2'
  expect_in said 'install the Debian package perl' "$(said_with 1 --l4re-build "$l4re" --out "$tmp/out.perl")"
}

test_a_moved_build_directory_is_told_before_anything_is_made() {
  make_l4re amd64
  sed -i 's|-I[^ "]*|-I/nowhere|' "$l4re/l4defs.sh.inc"
  local said
  said=$(said_with 1 --l4re-build "$l4re" --out "$tmp/out.moved")
  expect_in said 'was it moved' "$said"
  expect_in said 'stdio.h' "$said"
  [[ ! -e $tmp/out.moved ]] || fail 'a folder was made all the same'
}

test_headers_of_this_machines_own_c_library_are_refused() {
  make_l4re amd64
  sed -i 's|-nostdinc -I[^ "]*||' "$l4re/l4defs.sh.inc"
  expect_in said "/stdio.h instead of L4Re's" "$(said_with 1 --l4re-build "$l4re" --out "$tmp/out.host")"
}

test_a_folder_of_something_else_is_refused_and_left_alone() {
  make_l4re amd64
  mkdir -p "$tmp/mine/lib"
  touch "$tmp/mine/lib/precious"
  expect_in said 'did not make' "$(said_with 2 --l4re-build "$l4re" --out "$tmp/mine")"
  [[ -e $tmp/mine/lib/precious ]] || fail 'it was emptied'
}

# stand_ins: everything after the checks without network and compiler; calls are counted
stand_ins() {
  wvds_cache=$tmp/cache.$BASHPID wvds_root=$tmp/root.$BASHPID compiled=$tmp/compiled.$BASHPID
  out=$tmp/made.$BASHPID
  mkdir -p "$wvds_cache" "$wvds_root/build/openssl"
  ln -s "$scripts" "$wvds_root/scripts"
  echo 3.6.3-1 >"$wvds_root/build/openssl/version"
  : >"$compiled"
  fetch_source() { "$2" 3.6.3-1 && echo 3.6.3-1; }
  unpack_source() { mkdir -p "$1/openssl/include/openssl" "$1/openssl"/{providers,util}; }
  compile() {
    echo compiled >>"$compiled"
    touch "$1"/include/openssl/{evp,configuration}.h "$1"/lib{crypto,ssl}.a
    echo module >"$1/providers/fips.so"
    echo FIPSKEY=00ff >"$1/Makefile"
    echo '$/ = undef; open my $f, "<", $ARGV[1]; print "@ARGV[4, 5] of ", <$f>' >"$1/util/mk-fipsmodule-cnf.pl"
  }
}

make_it() { (build_for_l4re --l4re-build "$l4re" --out "$out") 2>&1; }

test_the_checksum_is_of_the_stripped_module() {
  make_l4re arm64
  stand_ins
  expect_in 'last line' "$out" "$(make_it)"
  expect_eq module $'stripped\nmodule' "$(<"$out/lib/fips.so")"
  expect_eq checksum $'-key 00ff of stripped\nmodule' "$(<"$out/lib/fipsmodule.cnf")"
  [[ -e $out/include/nlohmann/json.hpp && -e $out/include/boost/version.hpp ]] || fail 'not complete'
  [[ -e $out/lib/libcrypto.a && -e $out/lib/libssl.a && -e $out/include/openssl/evp.h ]] || fail 'not complete'
  [[ ! -e $out/.work ]] || fail 'the working folder was left'
}

test_a_second_call_does_nothing_until_something_changes() {
  make_l4re amd64
  stand_ins
  accepts make_it
  expect_in 'second call' 'is there' "$(make_it)"
  expect_eq 'builds for two calls' 1 "$(wc -l <"$compiled")"
  rm "$out/lib/libssl.a"
  accepts make_it
  expect_eq 'builds without libssl.a' 2 "$(wc -l <"$compiled")"
  echo '# built anew' >>"$l4re/l4defs.sh.inc"
  accepts make_it
  expect_eq 'builds after a change of the build directory' 3 "$(wc -l <"$compiled")"
  l4re_options+=(no-something)
  accepts make_it
  expect_eq 'builds after a change of the options' 4 "$(wc -l <"$compiled")"
  accepts make_it
  expect_eq 'builds in the end' 4 "$(wc -l <"$compiled")"
}

test_a_failed_build_shows_the_log_and_can_be_repeated() {
  make_l4re amd64
  stand_ins
  accepts make_it
  l4re_options+=(no-something)
  local said
  said=$(compile() { echo 'the compiler said why' >>"$2"; return 1; }; make_it) && fail 'a failed build was accepted'
  expect_in said 'the compiler said why' "$said"
  [[ ! -e $out/.work ]] || fail 'the working folder was left'
  expect_eq 'files of the earlier result' $'stripped\nmodule' "$(<"$out/lib/fips.so")"
  accepts make_it
  expect_eq builds 2 "$(wc -l <"$compiled")"
  rm -rf "$out"
  said=$(compile() { return 1; }; make_it) && fail 'a failed build was accepted'
  accepts make_it
}

test_what_a_killed_run_left_is_made_anew() {
  make_l4re amd64
  stand_ins
  accepts make_it
  : >"$out/version"
  mkdir "$out/.work"
  accepts make_it
  expect_eq builds 2 "$(wc -l <"$compiled")"
}

test_only_the_linux_builds_version_fits() {
  stand_ins
  accepts fits 3.6.3-1
  accepts fits 3.6.3-2
  refuses fits 3.6.4-1
  refuses fits 3.6.30-1
  echo 3.6.4-1 >"$wvds_root/build/openssl/version"
  refuses fits 3.6.3-1
  rm "$wvds_root/build/openssl/version"
  accepts fits 3.6.4-1
  refuses fits 3.4.1-1
}

test_an_archive_without_the_linux_builds_version_is_told() {
  make_l4re amd64
  stand_ins
  echo 3.6.4-1 >"$wvds_root/build/openssl/version"
  local said
  said=$(make_it) && fail 'another version was built'
  expect_in said 'no source of OpenSSL 3.6.4' "$said"
}

test_the_compiler_gets_the_build_directorys_flags_and_no_linux() {
  make_l4re amd64
  local said
  said=$(printf '%s\n' '#ifdef __linux__' 'linux' '#endif' '#if FOR_L4RE' 'for l4re' '#endif' |
    WVDS_L4RE_BUILD=$l4re "$folder/l4re-cc" -E -P -x c -)
  expect_eq said 'for l4re' "$said"
}

test_a_module_is_linked_with_l4res_start_files_and_the_linkers_own_options() {
  make_l4re amd64
  local plain=$l4re/lib/fake/std/plain said
  said=$(WVDS_L4RE_BUILD=$l4re "$folder/l4re-cc" -fPIC -O2 -Wl,-z,defs -shared -Wl,--version-script=fips.ld -o fips.so a.o b.a | tr '\n' ' ')
  expect_in linker "-m elf_fake -shared -nostdlib " "$said"
  expect_in order "-dT $plain/main_rel.ld $plain/crti.s.o $plain/crtbeginS.o -z defs --version-script=fips.ld -o fips.so a.o b.a -lc" "$said"
  expect_in end "$plain/crtendS.o $plain/crtn.s.o " "$said"
  expect_not_in 'compiler options' -fPIC "$said"
}

run_all
