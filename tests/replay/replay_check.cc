// wvds_replay_check IMAGE KEYFILE: opens the key store on an image of its disk, in memory, and writes what it holds,
// one line for each key as l4re/storetest does, and with "next" the id that a new key gets. Exit status: 0; 1 when the
// store is not whole, with the reason on standard error; 2 wrong usage.
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "platform/ram_block_device.h"
#include "tests/replay/open_store.h"

namespace wvds::test {
namespace {

Result<> check(MutableBytes image, const std::string& key_file) {
  WVDS_ASSIGN(opened, open_store(std::make_unique<platform::RamBlockDevice>("image", image), key_file));
  keystore::Store& store = *opened->store;
  WVDS_ASSIGN(keys, store.list(kOwner, 1, 0, 10'000));
  for (const auto& access : keys) {
    // a key that was listed may have a record that can't be read
    WVDS_ASSIGN(found, store.find(kOwner, 1, access.key->id()));
    std::cout << describe(*found.key) << '\n';
  }
  if (!store.warnings().empty()) return fail(Status::kStorageError, store.warnings().front());
  keystore::KeySpec spec;
  spec.algorithm = Algorithm::kMlDsa44;
  spec.usages = algorithm_info(spec.algorithm)->default_usages;
  WVDS_ASSIGN(made, store.generate(kOwner, 1, spec));
  std::cout << "next " << made->id() << '\n';
  return {};
}

int run(const std::string& path, const std::string& key_file) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> image{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (image.empty()) {
    std::cerr << path << ": can't be read\n";
    return 2;
  }
  const Result<> whole = check(std::as_writable_bytes(std::span(image)), key_file);
  if (whole) return 0;
  std::cerr << whole.error().detail << '\n';
  return 1;
}

}  // namespace
}  // namespace wvds::test

int main(int argc, char** argv) {
  if (argc == 3) return wvds::test::run(argv[1], argv[2]);
  std::cerr << "usage: wvds_replay_check IMAGE KEYFILE\n";
  return 2;
}
