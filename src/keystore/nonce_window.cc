#include "keystore/nonce_window.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace wvds::keystore {
namespace {

using crypto::Nonce;

constexpr uint32_t kFirstEntries = 64;

__extension__ using Wide = unsigned __int128;

uint64_t fold(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

bool WindowBudget::take(size_t bytes) {
  size_t used = used_.load();
  do {
    const size_t limit = limit_.load();
    if (used > limit || bytes > limit - used) return false;  // a lowered limit may be below
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

void WindowBudget::give_back(size_t bytes) { used_.fetch_sub(bytes); }

uint64_t nonce_hash(const HashSeed& seed, const Nonce& nonce) {
  uint64_t low = 0;
  uint32_t high = 0;
  std::memcpy(&low, nonce.data(), sizeof low);
  std::memcpy(&high, nonce.data() + sizeof low, sizeof high);
  constexpr uint64_t kOdd1 = 0x9e3779b97f4a7c15, kOdd2 = 0xd6e8feb86659fd93;
  const uint64_t first = fold(low ^ seed[0] ^ kOdd1, kOdd2 ^ seed[1]);
  return fold(first ^ seed[0], (high ^ seed[1]) * kOdd1 ^ kOdd2);
}

// Table is a ring of nonces in the order of their arrival, and an index into it by hash: open addressing with linear
// probing, at most half full. A slot is 0 (empty) or the ring position + 1 in its low bits and a part of the hash above
// them, so that a lookup rarely has to look into the ring. Removing closes the gap at once, so there are no tombstones
// to search through.
struct NonceWindow::Table {
  static std::unique_ptr<Table> make(uint32_t entries, const HashSeed& seed) {
    std::unique_ptr<Table> table(new (std::nothrow) Table);
    if (table == nullptr) return nullptr;
    table->seed = seed;
    table->entries = entries;
    table->index_bits = std::bit_width(entries);
    table->mask = slots_for(entries) - 1;
    table->ring.reset(new (std::nothrow) Nonce[entries]);
    table->slots.reset(new (std::nothrow) uint32_t[slots_for(entries)]());
    if (table->ring == nullptr || table->slots == nullptr) return nullptr;
    return table;
  }

  static size_t slots_for(uint32_t entries) { return std::bit_ceil(size_t{entries} * 2); }
  static size_t bytes_for(uint32_t entries) { return entries * sizeof(Nonce) + slots_for(entries) * sizeof(uint32_t); }

  uint64_t hash(const Nonce& nonce) const { return nonce_hash(seed, nonce); }
  uint32_t part_of(uint64_t hash) const {
    return static_cast<uint32_t>(hash >> 32 & 0xffffffffull >> index_bits) << (index_bits & 31);
  }
  uint32_t position_bits() const { return static_cast<uint32_t>((1ull << index_bits) - 1); }
  uint32_t position_in(uint32_t slot) const { return (slot & position_bits()) - 1; }

  bool contains(const Nonce& nonce, uint64_t hash) const {
    const uint32_t part = part_of(hash);
    for (size_t i = hash & mask; slots[i] != 0; i = (i + 1) & mask) {
      if ((slots[i] & ~position_bits()) == part && ring[position_in(slots[i])] == nonce) return true;
    }
    return false;
  }

  void insert(const Nonce& nonce, uint64_t hash) {
    size_t i = hash & mask;
    while (slots[i] != 0) i = (i + 1) & mask;
    slots[i] = part_of(hash) | (next + 1);
    ring[next] = nonce;
    next = next + 1 == entries ? 0 : next + 1;
    used = std::min(used + 1, entries);
  }

  // forget_oldest makes room at `next`, which is where the oldest stands once the ring is full.
  void forget_oldest() {
    size_t hole = hash(ring[next]) & mask;
    while (position_in(slots[hole]) != next) hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; slots[i] != 0; i = (i + 1) & mask) {
      const size_t home = hash(ring[position_in(slots[i])]) & mask;
      // An entry may move into the hole unless its home lies behind the hole.
      if (((i - home) & mask) >= ((i - hole) & mask)) slots[std::exchange(hole, i)] = slots[i];
    }
    slots[hole] = 0;
    --used;
  }

  HashSeed seed{};
  uint32_t entries = 0;
  uint32_t index_bits = 0;
  size_t mask = 0;
  uint32_t next = 0;  // ring position of the next nonce
  uint32_t used = 0;
  std::unique_ptr<Nonce[]> ring;
  std::unique_ptr<uint32_t[]> slots;
};

NonceWindow::NonceWindow(uint32_t capacity, WindowBudget* of_service, WindowBudget* of_principal, HashSeed seed)
    : capacity_(capacity), of_service_(of_service), of_principal_(of_principal), seed_(seed) {}

NonceWindow::~NonceWindow() {
  if (table_ == nullptr) return;
  const size_t bytes = Table::bytes_for(table_->entries);
  if (of_service_ != nullptr) of_service_->give_back(bytes);
  if (of_principal_ != nullptr) of_principal_->give_back(bytes);
}

// grow is called before anything was ever forgotten, so the ring is in order from its start.
Result<> NonceWindow::grow() {
  const uint32_t before = table_ == nullptr ? 0 : table_->entries;
  const auto wanted =
      static_cast<uint32_t>(std::min<uint64_t>(capacity_, std::max<uint64_t>(kFirstEntries, 2ull * before)));
  const size_t more = Table::bytes_for(wanted) - (before == 0 ? 0 : Table::bytes_for(before));
  if (of_service_ != nullptr && !of_service_->take(more)) {
    return fail(Status::kLimitReached, "the nonce windows of the service have no memory left");
  }
  if (of_principal_ != nullptr && !of_principal_->take(more)) {
    if (of_service_ != nullptr) of_service_->give_back(more);
    return fail(Status::kLimitReached, "the nonce windows of the principal have no memory left");
  }
  auto larger = Table::make(wanted, seed_);
  if (larger == nullptr) {
    if (of_service_ != nullptr) of_service_->give_back(more);
    if (of_principal_ != nullptr) of_principal_->give_back(more);
    return fail(Status::kLimitReached, "no memory for a larger nonce window");
  }
  for (uint32_t i = 0; i < before; ++i) larger->insert(table_->ring[i], larger->hash(table_->ring[i]));
  table_ = std::move(larger);
  return {};
}

Result<> NonceWindow::accept(const Nonce& nonce) {
  if (capacity_ == 0) return {};
  const uint64_t hash = nonce_hash(seed_, nonce);
  const std::lock_guard lock(mutex_);
  if (table_ != nullptr && table_->contains(nonce, hash)) return fail(Status::kNonceReuse);
  if (table_ == nullptr || table_->used == table_->entries) {
    if (table_ == nullptr || table_->entries < capacity_) {
      WVDS_TRY(grow());
    } else {
      table_->forget_oldest();
    }
  }
  table_->insert(nonce, hash);
  return {};
}

uint32_t NonceWindow::used() const {
  const std::lock_guard lock(mutex_);
  return table_ == nullptr ? 0 : table_->used;
}

}  // namespace wvds::keystore
