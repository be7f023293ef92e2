#include "platform/testing/fake_disk.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace wvds::platform::testing {
namespace {

using Names = std::map<std::string, int, std::less<>>;
using Content = std::vector<std::byte>;

void apply(const NameStep& step, Names& names) {
  if (!step.erased.empty()) names.erase(step.erased);
  if (!step.made.empty()) names[step.made] = step.file;
}

void add_ordered_subsets(const std::vector<NameStep>& steps, std::vector<size_t>& chosen, const Names& before,
                         std::set<Names>& out) {
  out.insert(before);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (std::ranges::find(chosen, i) != chosen.end()) continue;
    Names after = before;
    apply(steps[i], after);
    chosen.push_back(i);
    add_ordered_subsets(steps, chosen, after, out);
    chosen.pop_back();
  }
}

void add_random_subsets(const std::vector<NameStep>& steps, const Names& before, size_t count, std::mt19937_64& random,
                        std::set<Names>& out) {
  std::vector<size_t> order(steps.size());
  std::iota(order.begin(), order.end(), 0);
  for (size_t n = 0; n < count; ++n) {
    std::ranges::shuffle(order, random);
    Names after = before;
    const size_t taken = random() % (steps.size() + 1);
    for (size_t i = 0; i < taken; ++i) apply(steps[order[i]], after);
    out.insert(std::move(after));
  }
}

std::set<Names> possible_names(const FakeVolume& volume, std::mt19937_64& random) {
  constexpr size_t kAllUpTo = 4;
  std::set<Names> out{volume.durable_names, volume.cached_names};
  std::vector<size_t> chosen;
  if (volume.unsynced_names.size() <= kAllUpTo) {
    add_ordered_subsets(volume.unsynced_names, chosen, volume.durable_names, out);
  } else {
    add_random_subsets(volume.unsynced_names, volume.durable_names, 64, random, out);
  }
  return out;
}

// What may be found of a file whose content was not synced.
std::vector<Content> possible_contents(const FakeFile& file) {
  if (!file.dirty) return {file.durable};
  const size_t half = file.cached.size() / 2;
  Content torn_front = file.cached, torn_back = file.cached;
  std::fill(torn_front.begin(), torn_front.begin() + static_cast<std::ptrdiff_t>(half), std::byte{0xa5});
  std::fill(torn_back.begin() + static_cast<std::ptrdiff_t>(half), torn_back.end(), std::byte{0});
  Content shorter(file.cached.begin(), file.cached.begin() + static_cast<std::ptrdiff_t>(half));
  return {file.durable,          file.cached,         std::move(shorter), Content(file.cached.size()),
          std::move(torn_front), std::move(torn_back)};
}

FakeVolume settled(const Names& names, const std::vector<Content>& contents) {
  FakeVolume out;
  out.folder_cached = out.folder_durable = true;
  for (const Content& content : contents) out.files.push_back({content, content, false});
  out.cached_names = out.durable_names = names;
  return out;
}

// One state for each choice of contents, counting through them like an odometer.
void add_states(const FakeVolume& volume, const Names& names, size_t limit, std::mt19937_64& random,
                std::vector<FakeVolume>& out) {
  std::vector<std::vector<Content>> choices;
  size_t combinations = 1;
  for (size_t i = 0; i < volume.files.size(); ++i) {
    const bool named = std::ranges::any_of(names, [i](const auto& name) { return name.second == static_cast<int>(i); });
    choices.push_back(named ? possible_contents(volume.files[i]) : std::vector<Content>{{}});
    combinations = std::min(limit + 1, combinations * choices.back().size());
  }
  const bool all = combinations <= limit;
  for (size_t n = 0; n < std::min(combinations, limit); ++n) {
    std::vector<Content> contents;
    size_t rest = n;
    for (const auto& choice : choices) {
      const size_t index = all ? rest % choice.size() : random() % choice.size();
      if (all) rest /= choice.size();
      contents.push_back(choice[index]);
    }
    out.push_back(settled(names, contents));
  }
}

}  // namespace

std::vector<FakeVolume> after_power_cut(const FakeVolume& volume, size_t limit, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<FakeVolume> out;
  if (!volume.folder_durable) out.emplace_back();
  if (!volume.folder_cached) return out;
  const std::set<Names> names = possible_names(volume, random);
  for (const Names& one : names) add_states(volume, one, std::max<size_t>(1, limit / names.size()), random, out);
  return out;
}

class FakeDiskFile : public DiskFile {
 public:
  FakeDiskFile(FakeDisk& disk, int file) : disk_(disk), file_(file) {}

  Result<> write(Bytes content) override {
    WVDS_TRY(disk_.step(FakeDisk::Step::kSpace, "write"));
    FakeFile& file = disk_.volume_.files[static_cast<size_t>(file_)];
    file.cached.insert(file.cached.end(), content.begin(), content.end());
    file.dirty = true;
    return {};
  }

  Result<> sync(SyncPoint point) override {
    WVDS_ASSIGN(effective, disk_.sync_step(point));
    FakeFile& file = disk_.volume_.files[static_cast<size_t>(file_)];
    if (effective) file = {file.cached, file.cached, false};
    return {};
  }

 private:
  FakeDisk& disk_;
  const int file_;
};

Result<> FakeDisk::step(Step kind, std::string_view what) {
  const size_t number = faults_.steps++;
  const std::string where = path_ + ": cannot " + std::string(what);
  if (number >= faults_.power_off_at) return fail(Status::kStorageError, where + ": the power is off");
  if (faults_.read_only && kind != Step::kSync) return fail(Status::kStorageError, where + ": read-only");
  if (number == faults_.fail_at) return fail(Status::kStorageError, where + ": made to fail");
  if (number >= faults_.full_from && kind == Step::kSpace)
    return fail(Status::kStorageError, where + ": no space left");
  return {};
}

Result<bool> FakeDisk::sync_step(SyncPoint point) {
  WVDS_TRY(step(Step::kSync, "sync"));
  if (faults_.failing_sync == point) return fail(Status::kStorageError, path_ + ": cannot sync: made to fail");
  return faults_.ignored_sync != point;
}

Result<> FakeDisk::make_folder() {
  if (volume_.folder_cached) return {};
  WVDS_TRY(step(Step::kSpace, "make this folder"));
  volume_.folder_cached = true;
  return {};
}

Result<> FakeDisk::use_folder() {
  if (volume_.folder_cached) return {};
  return fail(Status::kStorageError, path_ + ": cannot open this folder: no such folder");
}

Result<std::vector<std::string>> FakeDisk::list() {
  std::vector<std::string> names;
  for (const auto& [name, file] : volume_.cached_names) names.push_back(name);
  return names;
}

Result<std::vector<std::byte>> FakeDisk::read(std::string_view name, size_t limit) {
  const auto found = volume_.cached_names.find(name);
  if (found == volume_.cached_names.end()) return fail(Status::kKeyNotFound, path_ + ": no such file");
  const FakeFile& file = volume_.files[static_cast<size_t>(found->second)];
  if (file.cached.size() > limit) return fail(Status::kStorageError, path_ + ": too long");
  return file.cached;
}

Result<size_t> FakeDisk::read_secret(std::string_view name, MutableBytes out) {
  if (faults_.others_can_read_secrets) return fail(Status::kStorageError, path_ + ": everybody can read this file");
  WVDS_ASSIGN(content, read(name, out.size()));
  std::ranges::copy(content, out.begin());
  return content.size();
}

Result<std::unique_ptr<DiskFile>> FakeDisk::create(std::string_view name) {
  WVDS_TRY(step(Step::kSpace, "create"));
  if (volume_.cached_names.contains(name)) return fail(Status::kStorageError, path_ + ": cannot create: exists");
  const int file = static_cast<int>(volume_.files.size());
  volume_.files.emplace_back();
  const NameStep made{"", std::string(name), file};
  apply(made, volume_.cached_names);
  volume_.unsynced_names.push_back(made);
  return std::make_unique<FakeDiskFile>(*this, file);
}

Result<> FakeDisk::rename(std::string_view from, std::string_view to) {
  WVDS_TRY(step(Step::kName, "rename"));
  const auto found = volume_.cached_names.find(from);
  if (found == volume_.cached_names.end()) return fail(Status::kStorageError, path_ + ": cannot rename: no such file");
  const NameStep moved{std::string(from), std::string(to), found->second};
  apply(moved, volume_.cached_names);
  volume_.unsynced_names.push_back(moved);
  return {};
}

Result<> FakeDisk::unlink(std::string_view name) {
  if (!volume_.cached_names.contains(name)) return {};
  WVDS_TRY(step(Step::kName, "remove"));
  const NameStep gone{std::string(name), "", 0};
  apply(gone, volume_.cached_names);
  volume_.unsynced_names.push_back(gone);
  return {};
}

Result<> FakeDisk::sync_folder(SyncPoint point) {
  WVDS_ASSIGN(effective, sync_step(point));
  if (!effective) return {};
  volume_.durable_names = volume_.cached_names;
  volume_.unsynced_names.clear();
  return {};
}

Result<> FakeDisk::sync_parent(SyncPoint point) {
  WVDS_ASSIGN(effective, sync_step(point));
  if (effective) volume_.folder_durable = volume_.folder_cached;
  return {};
}

}  // namespace wvds::platform::testing
