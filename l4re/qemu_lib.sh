# shellcheck shell=bash
# What run-qemu and run-nvme have in common: options, building, and a system in QEMU whose console tells how it went.
# To be sourced, with `program`, the script's name, `here`, this folder, and `usage`, a function, set before.
# shellcheck disable=SC2154

l4re_source='' l4re_build='' fiasco_build='' deps='' image='' timeout=1800 build=yes
qemu_arguments=()
scratch='' qemu_pid=''

fail() {
  echo "$program: $*" >&2
  exit 2
}

# parse_options OPTION... -- ARGUMENT...: sets the variable of each option that is common or listed; "--some-name" is
# some_name.
parse_options() {
  local values=" --l4re-source --l4re-build --fiasco-build --deps --image --timeout" option
  while [[ $1 != -- ]]; do
    values+=" $1"
    shift
  done
  shift
  while (($# > 0)); do
    case $1 in
      --no-build) build=no && shift ;;
      --help | -h) usage && exit 0 ;;
      --) qemu_arguments=("${@:2}") && break ;;
      *)
        [[ "$values " == *" $1 "* ]] || { usage >&2 && fail "unknown argument $1"; }
        (($# > 1)) || fail "$1 needs a value"
        option=${1#--}
        printf -v "${option//-/_}" '%s' "$2"
        shift 2
        ;;
    esac
  done
}

# need_folder OPTION FILE...: the option's folder has these files.
need_folder() {
  local name=${1#--} file
  local folder=${name//-/_}
  folder=${!folder}
  [[ -n $folder ]] || fail "$1 is missing; see --help"
  for file in "${@:2}"; do
    [[ -e $folder/$file ]] || fail "$1 $folder: there is no $file in it"
  done
}

# check_options looks at the common ones, and chooses the machine by the processor that the build directory is for.
check_options() {
  need_folder --l4re-source mk/prog.mk
  need_folder --l4re-build include/config/auto.conf
  need_folder --fiasco-build fiasco
  need_folder --deps include/openssl include/nlohmann lib/libcrypto.a lib/fips.so lib/fipsmodule.cnf
  [[ $timeout =~ ^[1-9][0-9]*$ ]] || fail "--timeout must be a number of seconds, not \"$timeout\""
  processor=$(sed -n 's/^CONFIG_BUILD_ARCH="\{0,1\}\([a-z0-9]*\)"\{0,1\}$/\1/p' "$l4re_build/include/config/auto.conf")
  case $processor in
    amd64) qemu=(qemu-system-x86_64 -M q35) ;;
    arm64) qemu=(qemu-system-aarch64 -M virt) ;;
    *) fail "--l4re-build $l4re_build: neither for amd64 nor for arm64" ;;
  esac
  command -v "${qemu[0]}" >/dev/null || fail "${qemu[0]} is not installed"
}

stop_qemu() {
  [[ -n $qemu_pid ]] || return 0
  kill "$qemu_pid" 2>/dev/null || true
  wait "$qemu_pid" 2>/dev/null || true
  qemu_pid=''
}

finish() {
  stop_qemu
  rm -rf "$scratch"
}

# make_scratch makes the folder $scratch, which is gone at the end, and $image where it was not given.
make_scratch() {
  scratch=$(mktemp -d)
  trap finish EXIT
  image=${image:-$scratch/image}
  mkdir -p "$image"
}

# build_parts PART...: builds folders of the package.
build_parts() {
  local part
  [[ $build == yes ]] || return 0
  echo "$program: building the package"
  export WVDS_L4RE_DEPS=$deps
  for part in "$@"; do
    make -j"$(nproc)" -C "$here/$part" L4DIR="$l4re_source" O="$l4re_build" >"$scratch/build.log" 2>&1 || {
      tail -n 40 "$scratch/build.log"
      fail "$part does not build"
    }
  done
}

# make_image ENTRY LIST [FOLDER]: makes the image that LIST, a file in $image, describes.
make_image() {
  echo "$program: making the image"
  make -C "$l4re_build" elfimage E="$1" MODULES_LIST="$image/$2" \
    MODULE_SEARCH_PATH="$fiasco_build:$image:$deps/lib${3:+:$3}" >"$scratch/image.log" 2>&1 || {
    tail -n 40 "$scratch/image.log"
    fail "the image can't be made"
  }
}

# boot ENTRY CONSOLE [QEMU-ARGUMENT...]: shows the console and keeps it in the file CONSOLE. The system never powers
# itself off: its last line ends the run.
boot() {
  local console=$2
  echo "$program: booting"
  "${qemu[@]}" -cpu max -m 1G -smp 1 -kernel "$l4re_build/images/bootstrap_$1.elf" -nodefaults -display none \
    -serial stdio -monitor none -no-reboot "${@:3}" "${qemu_arguments[@]}" >"$console" 2>&1 </dev/null &
  qemu_pid=$!
  timeout "$timeout" tail -n +1 -f --pid="$qemu_pid" "$console" | sed '/wvds: END OF RUN/q' || true
  stop_qemu
}
