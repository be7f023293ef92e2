#include "soak/client.h"

#include <algorithm>
#include <cstdio>

namespace wvds::test {
namespace {

constexpr uint32_t kPatience = 60'000;  // ms: a watchdog, nothing is measured against it

// StepShare is a step and how often it comes, of kShares.
struct StepShare {
  uint32_t share;
  void (SoakClient::*step)();
};

}  // namespace

SoakClient::SoakClient(SoakBoard& board, size_t number, std::string address)
    : board_(board),
      mine_(board.clients[number]),
      address_(std::move(address)),
      label_("soak client " + std::to_string(number)),
      random_(static_cast<uint32_t>(number + 1)) {}

void SoakClient::run() {
  while (!board_.over) {
    if (board_.rests > board_.rests_over) {
      rest();
    } else if (!connected_) {
      connect();
    } else {
      step();
    }
  }
}

// rest closes the session, says so, and waits until the rest is over.
void SoakClient::rest() {
  const uint32_t number = board_.rests;
  wvds_disconnect(session_);
  session_ = nullptr;
  forget_session();
  mine_.at_rest = number;
  board_.wait_until([&] { return board_.rests_over >= number || board_.over; });
}

// connect waits until the test says that a service is ready: from then on a connection must come about, unless that
// service, too, is ended.
void SoakClient::connect() {
  const auto served = [&] { return board_.services == board_.outages; };
  board_.wait_until([&] { return served() || board_.over || board_.rests > board_.rests_over; });
  if (!served()) return;
  outages_known_ = board_.outages;
  const bool again = session_ != nullptr;
  const auto connecting = [&] {
    return again ? wvds_reconnect(session_, kPatience) : wvds_connect(&session_, address_.c_str(), kPatience);
  };
  const auto begun = std::chrono::steady_clock::now();
  const wvds_status status = connecting();
  if (status != WVDS_SUCCESS) {
    if (board_.outages == outages_known_) wrong(std::string("connecting: ") + wvds_status_name(status));
    return;
  }
  mine_.latencies[static_cast<size_t>(SoakOp::kConnect)].add(std::chrono::steady_clock::now() - begun);
  wvds_set_timeout(session_, kPatience);
  connected_ = true;
  look_for_lost_keys();
  if (connected_) make_session_keys();
}

// forget_session: the keys of the session have ended with it.
void SoakClient::forget_session() {
  connected_ = false;
  window_key_ = sign_key_ = kem_key_ = 0;
}

void SoakClient::make_session_keys() {
  wvds_key_template wanted{};
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  wanted.algorithm = WVDS_AES_256_GCM;
  if (!generate(SoakOp::kKeyCreate, window_key_, wanted)) return;
  wanted.algorithm = WVDS_MLDSA_65;
  if (!generate(SoakOp::kKeyCreate, sign_key_, wanted, &sign_public_)) return;
  if (plain_key_ != 0) return;
  wanted = {};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.lifetime = WVDS_LIFETIME_VOLATILE;
  wanted.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  generate(SoakOp::kKeyCreate, plain_key_, wanted);
}

// look_for_lost_keys compares what there is with what was promised: volatile keys live as long as the service, stored
// ones for good. A key whose making or deletion nobody answered may be there or not; it is cleared away.
void SoakClient::look_for_lost_keys() {
  uint64_t epoch = 0;
  if (!expect(wvds_epoch(session_, &epoch), WVDS_SUCCESS, "asking for the epoch")) return;
  const bool same_service = epoch == epoch_;
  wvds_key_details details{};
  if (plain_key_ != 0 && !expect(wvds_key_info(session_, &details, plain_key_),
                                 same_service ? WVDS_SUCCESS : WVDS_KEY_NOT_FOUND, "a volatile key"))
    return;
  if (!same_service) plain_key_ = 0;
  epoch_ = epoch;
  for (const StoredText& text : stored_) {
    if (!opens(text)) return;
  }
  std::vector<wvds_key_entry> entries(WVDS_MAX_KEY_LIST);
  std::vector<uint32_t> strays;
  size_t count = 0;
  int more = 1;
  for (uint32_t after = 0; more != 0; after = entries[count - 1].key_id) {
    if (!expect(wvds_key_list(session_, entries.data(), &count, entries.size(), &more, after), WVDS_SUCCESS, "a list"))
      return;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t id = entries[i].key_id;
      const bool known = std::ranges::any_of(stored_, [&](const StoredText& text) { return text.key == id; });
      if (entries[i].lifetime == WVDS_LIFETIME_PERSISTENT && entries[i].label == label_ && !known) strays.push_back(id);
    }
    if (count == 0) break;
  }
  if (!expect(strays.size() <= 1, "no more keys than the one request that was not answered can have left")) return;
  for (const uint32_t id : strays) {
    if (!remove(SoakOp::kStoredKeyDelete, id)) return;
  }
}

void SoakClient::step() {
  static constexpr StepShare kSteps[] = {
      {30, &SoakClient::aes_step},      {10, &SoakClient::pipeline_step}, {6, &SoakClient::stream_step},
      {12, &SoakClient::sign_step},     {12, &SoakClient::kem_step},      {6, &SoakClient::kem_to_key_step},
      {10, &SoakClient::random_step},   {10, &SoakClient::key_step},      {3, &SoakClient::stored_key_step},
      {1, &SoakClient::reconnect_step},
  };
  uint32_t left = below(100);
  for (const StepShare& entry : kSteps) {
    if (left < entry.share) return (this->*entry.step)();
    left -= entry.share;
  }
}

bool SoakClient::expect(wvds_status status, wvds_status wanted, const char* what) {
  if (status == WVDS_DISCONNECTED && wanted != WVDS_DISCONNECTED && board_.outages != outages_known_) {
    ++mine_.lost;
    forget_session();
    return false;
  }
  if (status == wanted) return ++mine_.checked, true;
  wrong(std::string(what) + ": " + wvds_status_name(status) + " in place of " + wvds_status_name(wanted));
  if (status == WVDS_DISCONNECTED) forget_session();
  return false;
}

bool SoakClient::expect(bool holds, const char* what) {
  if (holds) return ++mine_.checked, true;
  wrong(std::string("not so: ") + what);
  return false;
}

void SoakClient::wrong(const std::string& what) {
  if (++mine_.wrong == 1) {
    std::snprintf(mine_.first_wrong.data(), mine_.first_wrong.size(), "%s: %s", label_.c_str(), what.c_str());
  }
}

size_t SoakClient::any_size() {
  static constexpr uint32_t kBounds[] = {2, 64, 1024, 1024, 4096, 16'384, WVDS_AES_MAX_SIZE + 1};
  return below(kBounds[below(std::size(kBounds))]);
}

Octets SoakClient::any_octets(size_t size) {
  Octets out(size);
  uint32_t value = random_();
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>((value = value * 1'664'525 + 1'013'904'223) >> 24);
  return out;
}

}  // namespace wvds::test
