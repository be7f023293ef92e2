#include <utility>

#include "bench/aes_state.h"

namespace wvds::bench {
namespace {

Result<Case> encrypt_case(World& world, size_t size) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, size));
  WVDS_ASSIGN(key, import_key(builder, *state));
  builder.in_process([state](Work& work) { return state->seal(work.data(), work.output()); });
  builder.hand_over();
  builder.simple([session = builder.handle(), key](Work& work) { return AesState::encrypt(session, key, work); });
  builder.in_place(WVDS_OP_AES_ENCRYPT, key);
  builder.pipeline(WVDS_OP_AES_ENCRYPT, key);
  return builder.finish([state] { return state->fresh_plaintext(); });
}

Result<Case> decrypt_case(World& world, size_t size) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  WVDS_ASSIGN(state, make_aes_state(world, size));
  WVDS_ASSIGN(simple_key, import_key(builder, *state));
  WVDS_ASSIGN(in_place_key, import_key(builder, *state));
  WVDS_ASSIGN(pipeline_key, import_key(builder, *state));
  builder.in_process([state](Work& work) { return state->open(work.data(), work.output()); });
  builder.hand_over();
  builder.simple([session = builder.handle(), key = simple_key](Work& work) {
    size_t length = 0;
    return checked(wvds_aes_decrypt(session, receives(work.output()), &length, work.output().size(), key,
                                    sends(work.data()), work.data().size(), nullptr, 0),
                   "wvds_aes_decrypt");
  });
  builder.in_place(WVDS_OP_AES_DECRYPT, in_place_key);
  builder.pipeline(WVDS_OP_AES_DECRYPT, pipeline_key);
  return builder.finish([state] { return state->fresh_sealed(); });
}

}  // namespace

std::vector<Definition> aes_definitions() {
  // 65,502 bytes are the most that one request can decrypt again
  constexpr std::pair<size_t, Effort> kSizes[] = {
      {64, {512, 64, 8}}, {1024, {512, 64, 8}}, {16384, {96, 96, 8}}, {WVDS_AES_MAX_SIZE, {40, 152, 8}}};
  std::vector<Definition> all;
  for (const auto& [size, effort] : kSizes) {
    const std::string suffix = "/" + std::to_string(size);
    all.push_back({"aes_encrypt" + suffix, effort, [size](World& world) { return encrypt_case(world, size); }});
    all.push_back({"aes_decrypt" + suffix, effort, [size](World& world) { return decrypt_case(world, size); }});
  }
  return all;
}

}  // namespace wvds::bench
