// victim ADDRESS: a client that works until it is killed. On its standard output it tells the id of each stored key
// that was acknowledged, 4 bytes each; the first is 0 and says that it works.
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "wvds_crypto.h"

namespace {

constexpr int kMostStored = 3;

void tell(uint32_t key) {
  if (write(STDOUT_FILENO, &key, sizeof key) != sizeof key) std::_Exit(1);
}

uint32_t make_key(wvds_session* session, wvds_algorithm algorithm, wvds_lifetime lifetime) {
  wvds_key_template wanted{};
  wanted.algorithm = algorithm;
  wanted.lifetime = lifetime;
  uint32_t key = 0;
  if (wvds_key_generate(session, &key, nullptr, nullptr, 0, &wanted) != WVDS_SUCCESS) std::_Exit(2);
  return key;
}

void encrypt(wvds_session* session, uint32_t key, std::vector<uint8_t>& sealed, const std::vector<uint8_t>& plaintext) {
  size_t length = 0;
  if (wvds_aes_encrypt(session, sealed.data(), &length, sealed.size(), key, plaintext.data(), plaintext.size(), nullptr,
                       0) != WVDS_SUCCESS)
    std::_Exit(3);
}

// submit_and_forget leaves a request in flight, which nobody collects before the session ends.
void submit_and_forget(wvds_session* session) {
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  if (wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0) == WVDS_SUCCESS) wvds_submit(call);
}

}  // namespace

int main(int count, char** arguments) {
  wvds_session* session = nullptr;
  if (count != 2 || wvds_connect(&session, arguments[1], 60'000) != WVDS_SUCCESS) return 1;
  const std::vector<uint8_t> plaintext(60'000, 'x');
  std::vector<uint8_t> sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size()));
  tell(0);
  submit_and_forget(session);
  for (int round = 0;; ++round) {
    if (round < kMostStored) tell(make_key(session, WVDS_AES_256_GCM, WVDS_LIFETIME_PERSISTENT));
    const uint32_t key = make_key(session, WVDS_AES_256_GCM, WVDS_LIFETIME_SESSION);
    for (int i = 0; i < 20; ++i) encrypt(session, key, sealed, plaintext);
    const uint32_t pair = make_key(session, WVDS_MLKEM_768, WVDS_LIFETIME_SESSION);
    if (round < 100) continue;  // the limits of its user bound what it may hold
    if (wvds_key_delete(session, key, 0) != WVDS_SUCCESS || wvds_key_delete(session, pair, 0) != WVDS_SUCCESS) return 4;
  }
}
