#include "keystore/rollback_guard.h"

#include <algorithm>

#include "base/log.h"

namespace wvds::keystore {
namespace {

constexpr platform::Duration kBetweenAdvances = std::chrono::seconds(1);  // a counter wears out

// RollbackMark is the value of the index's extension kRollbackTag.
struct RollbackMark {
  RollbackBinding binding{};
  uint64_t value = 0;

  static constexpr size_t kSize = 24;
};

std::vector<std::byte> encode(const RollbackMark& mark) {
  std::vector<std::byte> out(RollbackMark::kSize);
  Writer writer(out);
  writer.bytes(mark.binding);
  writer.u64(mark.value);
  return out;
}

// mark_in returns nothing where the index carries none.
Result<std::optional<RollbackMark>> mark_in(const Extensions& index) {
  const auto found = std::ranges::find(index, kRollbackTag, &Extension::tag);
  if (found == index.end()) return std::optional<RollbackMark>();
  Reader reader(Bytes(found->value));
  RollbackMark mark;
  reader.copy(mark.binding);
  mark.value = reader.u64();
  if (!reader.finish()) return malformed("index-a and index-b", "their rollback value is malformed");
  return std::optional(mark);
}

std::unexpected<Error> older_store(const std::string& store, uint64_t counter) {
  return fail(Status::kStorageError,
              "index-a and index-b: an older state of the whole store was put back (it carries " + store +
                  ", the rollback counter shows " + std::to_string(counter) +
                  "). Put the newest state back. If it is a backup that you restored on purpose, accept it with wvds "
                  "store migrate --to tpm");
}

std::unexpected<Error> older_counter(uint64_t store, uint64_t counter) {
  return fail(Status::kStorageError,
              "index-a and index-b: the store carries " + std::to_string(store) +
                  ", but the rollback counter shows only " + std::to_string(counter) +
                  ": it was replaced. If you did that on purpose, accept it with wvds store migrate --to tpm");
}

}  // namespace

Result<> RollbackGuard::adopt(const Extensions& index) {
  if (!in_use()) return {};
  WVDS_ASSIGN(mark, mark_in(index));
  WVDS_ASSIGN(shown, counter_->read());
  known_ = carried_ = shown;
  const bool is_bound = mark && mark->binding == counter_->binding();
  // An index from before the header was made is right as long as nothing was written since.
  if (!is_bound) return shown == counter_->first() ? Result<>{} : older_store("no value of this counter", shown);
  if (mark->value < shown) return older_store(std::to_string(mark->value), shown);
  if (mark->value > shown + 1) return older_counter(mark->value, shown);
  carried_ = mark->value;
  return {};
}

bool RollbackGuard::is_due(platform::TimePoint now) const { return !last_try_ || now - *last_try_ >= kBetweenAdvances; }

void RollbackGuard::mark(Extensions& index, platform::TimePoint now, bool is_last) {
  std::erase_if(index, [](const Extension& extension) { return extension.tag == kRollbackTag; });
  if (!in_use()) return;
  marks_change_ = changed_ && (is_last || is_due(now));
  marked_ = marks_change_ ? known_ + 1 : carried_;
  const auto place = std::ranges::upper_bound(index, kRollbackTag, {}, &Extension::tag);
  index.insert(place, {.tag = kRollbackTag, .value = encode({counter_->binding(), marked_})});
}

void RollbackGuard::written(platform::TimePoint now) {
  if (!in_use()) return;
  carried_ = marked_;
  if (marks_change_) changed_ = false;
  if (carried_ == known_ || (!marks_change_ && !is_due(now))) return;
  last_try_ = now;
  const auto advanced = counter_->advance_to(carried_);
  if (advanced) known_ = carried_;
  const std::string failure = advanced ? std::string() : advanced.error().detail;
  if (!failure.empty() && failure != failure_) log_error("the rollback counter stands still", {{"cause", failure}});
  failure_ = failure;
}

}  // namespace wvds::keystore
