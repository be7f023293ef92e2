#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "soak/board.h"
#include "wvds_crypto.h"

namespace wvds::test {

using Octets = std::vector<uint8_t>;

// SoakClient is one client of the soak: it makes requests of all kinds and compares each answer with what it must be.
// Whatever is not as it must be is counted on the board; the first is told there.
class SoakClient {
 public:
  SoakClient(SoakBoard& board, size_t number, std::string address);
  ~SoakClient() { wvds_disconnect(session_); }
  SoakClient(const SoakClient&) = delete;
  SoakClient& operator=(const SoakClient&) = delete;

  // run works until the board says that all is over.
  void run();

 private:
  // StoredText is a text and what a stored key made of it: it must open after every restart.
  struct StoredText {
    uint32_t key = 0;
    Octets plaintext;
    Octets sealed;
  };

  // client.cc: the session's life
  void rest();
  void connect();
  void make_session_keys();
  void look_for_lost_keys();
  void forget_session();
  void step();

  // steps.cc: each makes some requests; it ends at the first that is not as it must be
  void aes_step();
  void pipeline_step();
  void stream_step();
  void sign_step();
  void kem_step();
  void kem_to_key_step();
  void random_step();
  void key_step();
  void stored_key_step();
  void reconnect_step();

  // What steps are made of: false where the step ends
  bool timed(SoakOp op, wvds_status wanted, const auto& call);
  bool expect(wvds_status status, wvds_status wanted, const char* what);
  bool expect(bool holds, const char* what);
  void wrong(const std::string& what);
  bool generate(SoakOp op, uint32_t& key, const wvds_key_template& wanted, Octets* public_key = nullptr);
  bool remove(SoakOp op, uint32_t key);
  bool encrypt(uint32_t key, const Octets& plaintext, const Octets& aad, Octets& sealed);
  bool decrypt(uint32_t key, const Octets& sealed, const Octets& aad, wvds_status wanted, Octets& plaintext);
  bool opens(const StoredText& text);
  bool stream_through(SoakOp op, wvds_status wanted, const Octets& in, Octets& out);

  uint32_t below(uint32_t bound) { return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_); }
  size_t any_size();
  Octets any_octets(size_t size);

  SoakBoard& board_;
  ClientBoard& mine_;
  const std::string address_;
  const std::string label_;
  std::minstd_rand random_;

  wvds_session* session_ = nullptr;
  bool connected_ = false;
  uint32_t outages_known_ = 0;  // when the session began
  uint64_t epoch_ = 0;
  uint32_t newest_stored_ = 0;  // ids only grow: those of stored keys, and all others
  uint32_t newest_in_memory_ = 0;

  uint32_t window_key_ = 0;  // AES, for the session, with a replay window
  uint32_t plain_key_ = 0;   // AES, volatile, without
  uint32_t sign_key_ = 0;    // ML-DSA-65, for the session
  Octets sign_public_;
  uint32_t kem_key_ = 0;  // ML-KEM-768, for the session
  Octets kem_public_;
  Octets last_random_;
  std::deque<StoredText> stored_;
};

}  // namespace wvds::test
