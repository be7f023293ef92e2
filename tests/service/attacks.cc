#include "service/attacks.h"

#include <grp.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "channel/linux/futex.h"
#include "protocol/aes_messages.h"
#include "protocol/key_messages.h"
#include "protocol/mlkem_messages.h"
#include "service/hostile_session.h"

namespace wvds::test {
namespace {

using channel::SetupType;
using channel::testing::ChildProcess;
using channel::testing::Pipe;
using channel::testing::RawClient;
using protocol::Operation;
using Sessions = std::vector<std::unique_ptr<HostileSession>>;

constexpr size_t kSessionsOfAClient = 8;  // the limit unless configured

// Swing tells once, after some rounds.
class Swing {
 public:
  explicit Swing(Pipe& pipe, int rounds = 100) : pipe_(pipe), left_(rounds) {}
  void round() {
    if (left_ > 0 && --left_ == 0) pipe_.tell();
  }

 private:
  Pipe& pipe_;
  int left_;
};

Octets much_random() {
  return frame_of(Operation::kRandom, Octets{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});
}

uint32_t make_key(HostileSession& session, Algorithm algorithm, Lifetime lifetime, uint8_t flags = 0) {
  protocol::KeyGenerateRequest request;
  request.key = {algorithm, lifetime, 0, flags, ""};
  Octets payload(64);
  payload.resize(request.encode(payload).value_or(0));
  const HostileAnswer answer = session.call(frame_of(Operation::kKeyGenerate, payload));
  const auto created = protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload));
  return answer.status == Status::kSuccess && created ? created->key_id : 0;
}

Octets id_bytes(uint32_t id) {
  Octets out(4);
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(id >> (8 * i));
  return out;
}

void garbage_in_control_words(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  const channel::Region region = session.region();
  channel::Control& control = region.control();
  channel::Word* const words[] = {&control.service_sleeping, &control.service_bell, &control.client_sleeping,
                                  &control.client_bell, &control.client_processor};
  std::minstd_rand random(1);
  Swing swing(pipe);
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      channel::store(*words[random() % std::size(words)], static_cast<uint32_t>(random()));
      channel::Slot& slot = region.slot(random() % region.slot_count());
      channel::store(random() % 2 == 0 ? slot.request_word : slot.answer_word, static_cast<uint32_t>(random()));
    }
    session.ring();
    swing.round();
  }
}

void garbage_over_the_region(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  std::minstd_rand random(2);
  Swing swing(pipe, 3);
  for (;;) {
    for (size_t i = 0; i + 4 <= session.client().size(); i += 4) {
      channel::store(*reinterpret_cast<channel::Word*>(session.client().base() + i), static_cast<uint32_t>(random()));
    }
    session.ring();
    swing.round();
  }
}

void garbage_in_requests(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  const auto operations = protocol::operations();
  std::minstd_rand random(3);
  Swing swing(pipe);
  for (uint32_t round = 0;; ++round) {
    Octets payload(random() % 300);
    for (std::byte& byte : payload) byte = static_cast<std::byte>(random() >> 8);
    Octets frame = frame_of(operations[random() % operations.size()].operation, payload);
    if (round % 4 == 0) frame[random() % 8] = static_cast<std::byte>(random() >> 8);
    ASSERT_LE(session.call(frame).status, kLastServiceStatus);
    swing.round();
  }
}

void fill_all_slots(HostileSession& session, Bytes frame) {
  for (uint32_t slot = 0; slot < session.region().slot_count(); ++slot) session.fill(slot, frame);
}

void submit_all_slots(HostileSession& session) {
  for (uint32_t slot = 0; slot < session.region().slot_count(); ++slot) session.submit(slot);
}

void flood_of_requests(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  fill_all_slots(session, much_random());
  Swing swing(pipe);
  for (;;) {
    submit_all_slots(session);
    if (!session.await(0)) return;
    swing.round();
  }
}

Sessions all_sessions(const Daemon& daemon) {
  Sessions sessions;
  for (size_t i = 0; i < kSessionsOfAClient; ++i) sessions.push_back(std::make_unique<HostileSession>(daemon));
  return sessions;
}

void flood_in_all_sessions(const Daemon& daemon, Pipe& pipe) {
  const Sessions sessions = all_sessions(daemon);
  for (const auto& session : sessions) fill_all_slots(*session, much_random());
  Swing swing(pipe);
  for (;;) {
    for (const auto& session : sessions) submit_all_slots(*session);
    for (const auto& session : sessions) {
      if (!session->await(0)) return;
    }
    swing.round();
  }
}

// Each key is another one than before, so that none is found in the service's cache of expanded keys.
void signatures_with_many_keys(const Daemon& daemon, Pipe& pipe) {
  const Connection connection(daemon);
  std::vector<uint32_t> keys(100);
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_MLDSA_87;
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  for (uint32_t& key : keys) {
    while (wvds_key_generate(connection.get(), &key, nullptr, nullptr, 0, &wanted) == WVDS_RATE_LIMITED) {
    }
  }
  std::vector<uint8_t> signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  Swing swing(pipe);
  for (size_t i = 0;; ++i) {
    const wvds_status status = wvds_mldsa_sign(connection.get(), signature.data(), &length, signature.size(),
                                               keys[i % keys.size()], nullptr, 0, nullptr, 0, 0);
    ASSERT_TRUE(status == WVDS_SUCCESS || status == WVDS_RATE_LIMITED) << wvds_status_name(status);
    swing.round();
  }
}

void wake_ups_for_nothing(const Daemon& daemon, Pipe& pipe) {
  const Sessions sessions = all_sessions(daemon);
  Swing swing(pipe);
  for (;;) {
    for (const auto& session : sessions) session->ring();
    swing.round();
  }
}

void theft_of_sleeping_workers(const Daemon& daemon, Pipe& pipe) {
  const Sessions sessions = all_sessions(daemon);
  alignas(4) static uint32_t elsewhere = 0;
  Swing swing(pipe);
  for (;;) {
    for (const auto& session : sessions) {
      channel::Word& bell = session->region().control().service_bell;
      syscall(SYS_futex, &bell, FUTEX_CMP_REQUEUE, 0, INT_MAX, &elsewhere, channel::load(bell));
      session->ring();
    }
    swing.round();
  }
}

void a_request_that_changes(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  const uint32_t key = make_key(session, Algorithm::kAes256Gcm, Lifetime::kSession, protocol::kKeyFlagReplayWindowOff);
  Octets head(protocol::kAesRequestFixedSize);
  ASSERT_TRUE(protocol::encode_aes_request_head(key, 0, head).has_value());
  const Octets plaintext(60'000, std::byte{0x5a});
  const Octets sealed = session.call(frame_of(Operation::kAesEncrypt, joined({head, plaintext}))).payload;
  const Octets frame = frame_of(Operation::kAesDecrypt, joined({head, sealed}));
  session.fill(0, frame);
  const size_t place = frame.size() / 2;
  const Flipper flipper(session.request_area(0) + place, frame[place], frame[place] ^ std::byte{1});
  Swing swing(pipe);
  for (;;) {
    session.submit(0);
    const auto answer = session.await(0);
    ASSERT_TRUE(answer.has_value());
    ASSERT_TRUE(answer->status != Status::kSuccess || answer->payload == plaintext);
    swing.round();
  }
}

// The oldest of many connections gives way to the next. None says anything.
void connections_that_say_nothing(const Daemon& daemon, Pipe& pipe) {
  std::deque<std::unique_ptr<RawClient>> held;
  Swing swing(pipe);
  for (;;) {
    held.push_back(std::make_unique<RawClient>(daemon.socket_path()));
    if (held.size() > 200) held.pop_front();
    swing.round();
  }
}

// got_region says hello and maps what is offered; false when nothing is.
bool got_region(RawClient& client) {
  if (!client.say(SetupType::kHello) || !client.hear() || client.memory() < 0) return false;
  client.map();
  return true;
}

void sessions_without_end(const Daemon& daemon, Pipe& pipe) {
  Swing swing(pipe, 20);
  for (;;) {
    RawClient client(daemon.socket_path());
    if (got_region(client) && client.say(SetupType::kMapped)) (void)client.hear();
    swing.round();
  }
}

void closing_at_each_step(const Daemon& daemon, Pipe& pipe) {
  Swing swing(pipe, 20);
  const Octets frame = much_random();
  for (uint32_t round = 0;; ++round) {
    RawClient client(daemon.socket_path());
    const uint32_t steps = round % 5;
    if (steps == 1) (void)client.say(SetupType::kHello);
    if (steps > 1 && got_region(client)) {
      if (steps > 2) (void)client.say(SetupType::kMapped);
      if (steps > 3 && client.hear()) {
        channel::Slot& slot = client.region().slot(0);
        std::ranges::copy(frame, slot.request_area);
        channel::store(slot.request_word, 1);
        channel::store(client.region().control().service_bell, 1);
        channel::shared_wake(client.region().control().service_bell);
      }
    }
    swing.round();
  }
}

void all_its_sessions_and_more(const Daemon& daemon, Pipe& pipe) {
  std::vector<std::unique_ptr<Connection>> held;
  Swing swing(pipe, 20);
  for (;;) {
    auto next = std::make_unique<Connection>(daemon);
    if (next->status() == WVDS_SUCCESS) held.push_back(std::move(next));
    ASSERT_LE(held.size(), kSessionsOfAClient);
    swing.round();
  }
}

// keys_to_the_limit makes keys until there may be no more, deletes them, and begins again.
void keys_to_the_limit(const Daemon& daemon, Pipe& pipe, Lifetime lifetime) {
  HostileSession session(daemon);
  std::vector<uint32_t> keys;
  Swing swing(pipe, 50);
  for (;;) {
    const uint32_t key = make_key(session, Algorithm::kMlDsa87, lifetime);
    if (key != 0) {
      keys.push_back(key);
    } else if (!keys.empty()) {
      session.call(frame_of(Operation::kKeyDelete, joined({id_bytes(keys.back()), id_bytes(0)})));
      keys.pop_back();
    }
    swing.round();
  }
}

void keys_in_memory(const Daemon& daemon, Pipe& pipe) { keys_to_the_limit(daemon, pipe, Lifetime::kVolatile); }
void keys_on_disk(const Daemon& daemon, Pipe& pipe) { keys_to_the_limit(daemon, pipe, Lifetime::kPersistent); }

// No id but its own, of which it has none, is anything to it, whatever it asks for.
void ids_of_others(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  const Operation with_key[] = {Operation::kAesEncrypt, Operation::kAesDecrypt, Operation::kMlDsaSign,
                                Operation::kKeyInfo,    Operation::kKeyDelete,  Operation::kKeyRetire,
                                Operation::kKeyRotate,  Operation::kKeyPublic,  Operation::kMlKemDecaps};
  Swing swing(pipe);
  for (uint32_t round = 0;; ++round) {
    const Octets payload = joined({id_bytes(round % 5000), Octets(1100)});
    const Status status = session.call(frame_of(with_key[round % std::size(with_key)], payload)).status;
    ASSERT_TRUE(status == Status::kKeyNotFound || status == Status::kInvalidPayload || status == Status::kRateLimited)
        << static_cast<int>(status);
    swing.round();
  }
}

constexpr Attack kAttacks[] = {
    {"garbage in the control words", garbage_in_control_words},
    {"garbage over the whole region", garbage_over_the_region},
    {"garbage in requests", garbage_in_requests},
    {"requests without end in all slots", flood_of_requests},
    {"requests without end in 8 sessions", flood_in_all_sessions},
    {"signatures with 100 keys in turn", signatures_with_many_keys},
    {"wake-ups for nothing in 8 sessions", wake_ups_for_nothing},
    {"theft of sleeping workers", theft_of_sleeping_workers},
    {"a request that changes while it is read", a_request_that_changes},
    {"connections that say nothing", connections_that_say_nothing},
    {"sessions opened and closed without end", sessions_without_end},
    {"closing at each step", closing_at_each_step},
    {"all its sessions, and more", all_its_sessions_and_more},
    {"keys in memory to the limit", keys_in_memory},
    {"stored keys to the limit", keys_on_disk},
    {"key ids of others", ids_of_others},
};

}  // namespace

std::string attacker(const std::string& members) {
  return R"({"name": "attacker", "uid": )" + std::to_string(kAttacker) + R"(, "operations": )" + all_operations() +
         (members.empty() ? "" : ", " + members) + "}";
}

void become_attacker() {
  ASSERT_EQ(setgroups(0, nullptr), 0);
  ASSERT_EQ(setresgid(kAttacker, kAttacker, kAttacker), 0);
  ASSERT_EQ(setresuid(kAttacker, kAttacker, kAttacker), 0);
}

std::span<const Attack> attacks() { return kAttacks; }

void compute(const Daemon&, Pipe& pipe) {
  pipe.tell();
  for (std::atomic<uint64_t> count{0};;) ++count;
}

void compute_twice(const Daemon& daemon, Pipe& pipe) {
  Pipe other_pipe;
  const ChildProcess other([&] { compute(daemon, other_pipe); });
  compute(daemon, pipe);
}

}  // namespace wvds::test
