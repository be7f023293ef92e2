#!/bin/bash
# Tests l4re/check_syntax.sh: that the declarations refuse what L4Re's own headers refuse.
# shellcheck disable=SC1091,SC2154 # what assert.sh sets

. "$(dirname -- "${BASH_SOURCE[0]}")/assert.sh"

# tree: a project with the script, the declarations, and one L4Re folder
tree() {
  root=$tmp/tree.$BASHPID
  mkdir -p "$root/l4re" "$root/src/some/l4re" "$root/examples"
  cp "$scripts/../l4re/check_syntax.sh" "$root/l4re/"
  cp -r "$scripts/../l4re/declarations" "$root/l4re/"
}

# source_is LINE...: what the tree's one source has behind a fixed beginning
source_is() {
  {
    cat <<'END'
#include <l4/re/env>
#include <l4/re/util/unique_cap>
#include <l4/sys/cxx/ipc_epiface>
#include <l4/sys/semaphore>
struct Gate : L4::Kobject_t<Gate, L4::Kobject> {
  L4_INLINE_RPC(long, bell, (l4_uint32_t number, L4::Ipc::Out<L4::Cap<L4::Irq>> out));
  L4_INLINE_RPC_OP(7, long, take, (L4::Ipc::Cap<L4Re::Dataspace> region));
  typedef L4::Typeid::Rpcs<bell_t, take_t> Rpcs;
};
struct Wider : L4::Kobject_t<Wider, Gate> {
  L4_INLINE_RPC(long, more, ());
  typedef L4::Typeid::Rpcs<more_t> Rpcs;
};
END
    printf '%s\n' "$@"
  } >"$root/src/some/l4re/source.cc"
}

check() { "$root/l4re/check_syntax.sh"; }

test_takes_a_right_client_and_server() {
  tree
  source_is 'struct Server : L4::Epiface_t<Server, Gate> {' \
    '  long op_bell(Gate::Rights, l4_uint32_t, L4::Ipc::Cap<L4::Irq>& out) { return out.is_valid() ? 0 : -L4_EIO; }' \
    '  long op_take(Gate::Rights, L4::Ipc::Snd_fpage) { return 0; }' \
    '};' \
    'Server& server() { static Server made; return made; }' \
    'long ask(L4::Cap<Gate> gate, L4::Cap<L4::Irq> bell) { return gate->bell(1, bell); }'
  accepts check
}

test_refuses_a_server_that_misses_a_call() {
  tree
  source_is 'struct Server : L4::Epiface_t<Server, Gate> {' \
    '  long op_bell(Gate::Rights, l4_uint32_t, L4::Ipc::Cap<L4::Irq>&) { return 0; }' \
    '};' \
    'Server& server() { static Server made; return made; }'
  refuses check
}

test_refuses_a_server_that_misses_a_call_of_the_interface_below() {
  tree
  source_is 'struct Server : L4::Epiface_t<Server, Wider> {' \
    '  long op_more(Wider::Rights) { return 0; }' \
    '  long op_bell(Gate::Rights, l4_uint32_t, L4::Ipc::Cap<L4::Irq>&) { return 0; }' \
    '};' \
    'Server& server() { static Server made; return made; }'
  refuses check
}

test_refuses_a_server_with_another_parameter() {
  tree
  source_is 'struct Server : L4::Epiface_t<Server, Gate> {' \
    '  long op_bell(Gate::Rights, l4_uint32_t, L4::Ipc::Cap<L4::Semaphore>&) { return 0; }' \
    '  long op_take(Gate::Rights, L4::Ipc::Snd_fpage) { return 0; }' \
    '};' \
    'Server& server() { static Server made; return made; }'
  refuses check
}

test_refuses_a_capability_of_another_kind() {
  tree
  source_is 'long ask(L4::Cap<Gate> gate, L4::Cap<L4::Semaphore> bell) { return gate->bell(1, bell); }'
  refuses check
  source_is 'L4Re::Util::Unique_cap<L4::Irq> slot() { return L4Re::Util::make_unique_del_cap<L4::Irq>(); }'
  refuses check
  source_is 'L4::Cap<Wider> wider(L4::Cap<Gate> gate) { return gate; }'
  refuses check
  source_is 'L4::Cap<Gate> gate(L4::Cap<Wider> wider) { return wider; }'
  accepts check
}

test_a_warning_fails_and_so_does_a_file_of_c() {
  tree
  source_is 'void nothing(int unused) {}'
  refuses check
  source_is
  accepts check
  mkdir -p "$root/examples/l4re"
  printf '%s\n' '#include <l4/re/env.h>' 'int clock_of(void) { return l4re_kip()->clock; }' >"$root/examples/l4re/file.c"
  refuses check
}

test_fails_where_there_is_no_source() {
  tree
  refuses check
}

test_fails_without_the_build_directory_that_was_asked_for() {
  tree
  source_is
  refuses "$root/l4re/check_syntax.sh" --real "$tmp"
  refuses "$root/l4re/check_syntax.sh" --real
}

run_all
