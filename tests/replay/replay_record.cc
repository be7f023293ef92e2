// wvds_replay_record RECORD KEYFILE STORE-FIRST STORE-SECTORS MARKS-FIRST: works on a new key store and records every
// write and flush in the format of Linux's dm-log-writes, with a mark for each acknowledged change, as QEMU does while
// l4re/storetest runs. The numbers are the partitions' places on the disk, in sectors.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "platform/ram_block_device.h"
#include "tests/replay/open_store.h"

namespace wvds::test {
namespace {

using platform::FlushPoint;
using platform::kSectorSize;

// Record is the file. Its first sector counts the entries, so it is written last.
class Record {
 public:
  explicit Record(const std::string& path) : file_(path, std::ios::binary | std::ios::trunc) {
    write_sector({kMagic, 1, 0, kSectorSize});
  }

  void add_write(uint64_t first, Bytes content) { add({first, content.size() / kSectorSize, 0, 0}, content); }
  void add_flush() { add({0, 0, kFlush, 0}, {}); }

  void add_mark(uint64_t first, const std::string& line) {
    std::array<std::byte, kSectorSize> sector{};
    std::memcpy(sector.data(), line.data(), line.size());
    add_write(first, sector);
  }

  bool finish() {
    file_.seekp(0);
    write_sector({kMagic, 1, entries_, kSectorSize});
    return file_.flush().good();
  }

 private:
  static constexpr uint64_t kMagic = 0x6a736677736872;
  static constexpr uint64_t kFlush = 1;

  void add(std::array<uint64_t, 4> entry, Bytes content) {
    ++entries_;
    write_sector(entry);
    file_.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  }

  void write_sector(std::array<uint64_t, 4> numbers) {
    std::array<char, kSectorSize> sector{};
    std::memcpy(sector.data(), numbers.data(), sizeof numbers);
    file_.write(sector.data(), sector.size());
  }

  std::ofstream file_;
  uint64_t entries_ = 0;
};

class RecordingDevice : public platform::BlockDevice {
 public:
  RecordingDevice(MutableBytes memory, uint64_t first, Record& record)
      : device_("recorded", memory), first_(first), record_(record) {}

  const std::string& name() const override { return device_.name(); }
  uint64_t sectors() const override { return device_.sectors(); }
  Result<> read(uint64_t first, MutableBytes out) override { return device_.read(first, out); }

  Result<> write(uint64_t first, Bytes content) override {
    record_.add_write(first_ + first, content);
    return device_.write(first, content);
  }

  Result<> flush(FlushPoint) override {
    record_.add_flush();
    return {};
  }

 private:
  platform::RamBlockDevice device_;
  const uint64_t first_;
  Record& record_;
};

class History {
 public:
  History(keystore::Store& store, Record& record, uint64_t marks) : store_(store), record_(record), mark_(marks) {}

  Result<> run() {
    for (int round = 0; round < 4; ++round) {
      WVDS_ASSIGN(signing, make(Algorithm::kMlDsa44));
      WVDS_TRY(store_.rotate(kOwner, 1, signing->id()));
      record_.add_mark(mark_++, describe(*signing));
      WVDS_ASSIGN(opening, make(Algorithm::kMlKem512));
      if (round % 2 == 0) continue;
      WVDS_TRY(store_.remove(kOwner, 1, opening->id(), 0));
      record_.add_mark(mark_++, "gone " + std::to_string(opening->id()));
    }
    return {};
  }

 private:
  Result<keystore::KeyRef> make(Algorithm algorithm) {
    keystore::KeySpec spec;
    spec.algorithm = algorithm;
    spec.usages = algorithm_info(algorithm)->default_usages;
    auto key = store_.generate(kOwner, 1, spec);
    if (key) record_.add_mark(mark_++, describe(**key));
    return key;
  }

  keystore::Store& store_;
  Record& record_;
  uint64_t mark_;
};

Result<> record(const std::string& path, const std::string& key_file, uint64_t first, size_t sectors, uint64_t marks) {
  Record record(path);
  std::vector<std::byte> memory(sectors * kSectorSize);
  {
    WVDS_ASSIGN(opened, open_store(std::make_unique<RecordingDevice>(memory, first, record), key_file));
    WVDS_TRY(History(*opened->store, record, marks).run());
  }
  return record.finish() ? Result<>{} : fail(Status::kStorageError, path + ": can't be written");
}

}  // namespace
}  // namespace wvds::test

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: wvds_replay_record RECORD KEYFILE STORE-FIRST STORE-SECTORS MARKS-FIRST\n";
    return 2;
  }
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  const auto done = wvds::test::record(argv[1], argv[2], number(3), number(4), number(5));
  if (!done) std::cerr << done.error().detail << '\n';
  return done ? 0 : 1;
}
