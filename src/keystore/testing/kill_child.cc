#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>

#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "keystore/store.h"
#include "keystore/testing/kill_messages.h"
#include "keystore/testing/store_bed.h"

// The child of the SIGKILL test: `kill_child FOLDER SEED` works on the store in FOLDER/store until it is killed.
namespace wvds::keystore::testing {
namespace {

constexpr size_t kMostKeys = 12;

class Child {
 public:
  Child(Store& store, uint64_t seed) : store_(store), random_(seed) {
    const auto keys = store.list("alice", 1, 0, 10'000).value();
    for (const KeyAccess& access : keys) ids_.push_back(access.key->id());
  }

  void work() {
    const uint64_t choice = random_() % 10;
    if (ids_.size() < 3 || (choice < 3 && ids_.size() < kMostKeys)) return generate();
    if (choice == 3) return generate_in_memory();
    const size_t place = random_() % ids_.size();
    const uint32_t id = ids_[place];
    if (choice < 6) return use(id);
    if (choice < 8) return change(KillStep::kRotate, id, [&] { return store_.rotate("alice", 1, id).has_value(); });
    if (choice == 8 && random_() % 4 == 0)
      return change(KillStep::kRetire, id, [&] { return store_.retire("alice", 1, id).has_value(); });
    change(KillStep::kRemove, id, [&] {
      ids_.erase(ids_.begin() + static_cast<std::ptrdiff_t>(place));
      return store_.remove("alice", 1, id, 0).has_value();
    });
  }

 private:
  static void tell(const KillMessage& message) {
    if (::write(STDOUT_FILENO, &message, sizeof message) != sizeof message) std::_Exit(1);
  }

  KillMessage describe(KillStep step, uint32_t id) {
    KillMessage message;
    message.step = step;
    message.acknowledged = 1;
    message.id = id;
    const auto found = store_.find("alice", 1, id);
    if (!found) return message;
    const auto newest = found->key->versions().front();
    message.version = newest->number();
    std::memcpy(&message.fingerprint, newest->aes_key().data(), sizeof message.fingerprint);
    return message;
  }

  void generate() {
    KillMessage intent;
    tell(intent);
    const auto key = store_.generate("alice", 1, spec_of(Algorithm::kAes256Gcm));
    if (!key) std::_Exit(2);
    ids_.push_back((*key)->id());
    tell(describe(KillStep::kGenerate, (*key)->id()));
  }

  void generate_in_memory() {
    const auto key = store_.generate("alice", 1, spec_of(Algorithm::kAes256Gcm, Lifetime::kSession));
    if (!key) std::_Exit(2);
    tell(describe(KillStep::kGenerateInMemory, (*key)->id()));
    if (!store_.remove("alice", 1, (*key)->id(), 0)) std::_Exit(2);
  }

  // Changes may be refused (a retired key, too many versions); only what is acknowledged is told.
  template <class Act>
  void change(KillStep step, uint32_t id, Act act) {
    KillMessage intent;
    intent.step = step;
    intent.id = id;
    tell(intent);
    if (act()) tell(describe(step, id));
  }

  void use(uint32_t id) {
    const auto found = store_.find("alice", 1, id);
    if (!found) std::_Exit(2);
    const auto version = found->key->active();
    if (!version) return;
    uint32_t& uses = uses_[{id, (*version)->number()}];
    const uint64_t times = random_() % 300;
    for (uint64_t i = 0; i < times; ++i) uses += (*version)->count_use().has_value();
    KillMessage message = describe(KillStep::kUse, id);
    message.uses = uses;
    tell(message);
  }

  Store& store_;
  std::mt19937_64 random_;
  std::vector<uint32_t> ids_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> uses_;
};

int run(const std::string& folder, uint64_t seed) {
  auto medium = open_folder_medium(platform::open_disk(folder + "/store"));
  if (!medium) {
    std::cerr << medium.error().detail << '\n';
    return 1;
  }
  auto protector = make_key_file_protector(file_name(folder + "/key"));
  StoreConfig config;
  config.use_block = 100;
  StoreOptions options;
  options.write_delay = std::chrono::milliseconds(3);
  options.stored_id_block = 8;
  options.memory_id_block = 8;
  auto store =
      Store::open(**medium, *protector, library(), config,
                  {Principal{.name = "alice", .limits = {.keys_per_minute = 1'000'000}, .grants = {}}}, options);
  if (!store) {
    std::cerr << store.error().detail << '\n';
    return 1;
  }
  Child child(**store, seed);
  for (;;) child.work();
}

}  // namespace
}  // namespace wvds::keystore::testing

int main(int count, char** arguments) {
  if (count != 3) return 64;
  return wvds::keystore::testing::run(arguments[1], std::strtoull(arguments[2], nullptr, 10));
}
