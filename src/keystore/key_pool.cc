#include "keystore/key_pool.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace wvds::keystore {
namespace {

constexpr size_t kThreadStack = size_t{256} * 1024;

constexpr std::array kPooled{Algorithm::kMlDsa44,  Algorithm::kMlDsa65,  Algorithm::kMlDsa87,
                             Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};

std::optional<size_t> shelf_of(Algorithm algorithm) {
  const auto found = std::ranges::find(kPooled, algorithm);
  if (found == kPooled.end()) return std::nullopt;
  return static_cast<size_t>(found - kPooled.begin());
}

}  // namespace

Result<> KeyPool::start(platform::Duration quiet) {
  if (size_.mldsa == 0 && size_.mlkem == 0) return {};
  WVDS_ASSIGN(thread, platform::Thread::start("key pool", kThreadStack, [this, quiet] { run(quiet); }));
  thread_ = std::move(thread);
  return {};
}

void KeyPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

Result<Material> KeyPool::take(Algorithm algorithm) {
  if (const auto place = shelf_of(algorithm)) {
    const std::lock_guard lock(mutex_);
    Shelf& shelf = shelves_[*place];
    ++taken_;
    shelf.wanted = true;
    if (resting_) refill_due_.store(true, std::memory_order_relaxed);
    if (!shelf.keys.empty()) {
      Material ready = std::move(shelf.keys.front());
      shelf.keys.pop_front();
      return ready;
    }
  }
  return new_material(library_, expanded_, algorithm);
}

void KeyPool::refill() {
  if (!refill_due_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  refill_due_ = false;
  resting_ = false;
  changed_.notify_all();
}

size_t KeyPool::ready(Algorithm algorithm) const {
  const std::lock_guard lock(mutex_);
  const auto place = shelf_of(algorithm);
  return place ? shelves_[*place].keys.size() : 0;
}

bool KeyPool::idle() const {
  const std::lock_guard lock(mutex_);
  return next_to_make() == Algorithm::kNone;
}

size_t KeyPool::size_of(size_t shelf) const {
  return algorithm_info(kPooled[shelf])->kem_ciphertext == 0 ? size_.mldsa : size_.mlkem;
}

Algorithm KeyPool::next_to_make() const {
  for (size_t i = 0; i < shelves_.size(); ++i) {
    if (shelves_[i].wanted && shelves_[i].keys.size() < size_of(i)) return kPooled[i];
  }
  return Algorithm::kNone;
}

// Once nobody has asked for `quiet`, keys are made one after the other until somebody asks. A shelf whose key can't be
// made is left alone until it is asked for again.
void KeyPool::run(platform::Duration quiet) {
  ExpandedKeys nothing_to_give_up(0);
  std::optional<uint64_t> calm_since;  // the value of taken_ after which nobody asked for `quiet`
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    resting_ = next_to_make() == Algorithm::kNone;
    changed_.wait(lock, [this] { return stopped_ || !resting_; });
    if (next_to_make() == Algorithm::kNone) continue;
    if (calm_since != taken_) {
      const uint64_t taken = taken_;
      changed_.wait_until(lock, platform::monotonic_now() + quiet, [this] { return stopped_; });
      if (taken_ != taken) continue;
      calm_since = taken;
    }
    if (stopped_) return;
    const Algorithm algorithm = next_to_make();
    Shelf& shelf = shelves_[*shelf_of(algorithm)];
    lock.unlock();
    auto made = make_ahead(nothing_to_give_up, algorithm);
    lock.lock();
    if (made.empty()) shelf.wanted = false;
    shelf.keys.splice(shelf.keys.end(), made);
  }
}

// make_ahead gives one key, or none.
std::list<Material> KeyPool::make_ahead(ExpandedKeys& expanded, Algorithm algorithm) const try {
  std::list<Material> made;
  if (auto material = new_material(library_, expanded, algorithm)) made.push_back(std::move(*material));
  return made;
} catch (const std::bad_alloc&) {
  return {};
}

}  // namespace wvds::keystore
