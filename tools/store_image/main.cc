// wvds_store_image: copies a key store from a folder to an image of raw sectors, for L4Re: as a boot module with
// provisioned keys, or to be written to a disk. What it copies is encrypted; it needs no key and reads none.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "crypto/library.h"
#include "keystore/block_medium.h"
#include "keystore/folder_medium.h"
#include "keystore/store_files.h"
#include "keystore/store_headers.h"
#include "platform/durable.h"
#include "platform/ram_block_device.h"

namespace {

using wvds::Result;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

struct Wanted {
  std::string store;
  std::string image;
  size_t kilobytes = 1024;
};

bool is_of_a_store(std::string_view name) {
  using namespace wvds::keystore;
  const auto is_name = [&](std::string_view known) { return known == name; };
  return std::ranges::any_of(kHeaderNames, is_name) || std::ranges::any_of(kIndexNames, is_name) ||
         id_of_record(name).has_value();
}

Result<size_t> copy_blobs(wvds::keystore::Medium& from, wvds::keystore::Medium& to) {
  WVDS_ASSIGN(names, from.list());
  std::erase_if(names, [](const std::string& name) { return !is_of_a_store(name); });  // the audit log stays
  for (const std::string& name : names) {
    WVDS_ASSIGN(blob, from.read(name));
    WVDS_TRY(to.replace(name, blob));
  }
  return names.size();
}

Result<size_t> fill(const Wanted& wanted, std::vector<std::byte>& sectors) {
  wvds::crypto::LibraryConfig config;
  config.fips = wvds::crypto::FipsMode::kOff;  // checksums only
  WVDS_ASSIGN(library, wvds::crypto::Library::load(config));
  WVDS_ASSIGN(from, wvds::keystore::open_folder_medium(wvds::platform::open_disk(wanted.store)));
  auto device = std::make_unique<wvds::platform::RamBlockDevice>(wanted.image, sectors);
  WVDS_TRY(wvds::keystore::format_block_medium(*device, *library));
  WVDS_ASSIGN(to, wvds::keystore::open_block_medium(std::move(device), *library));
  return copy_blobs(*from, *to);
}

Result<> write_image(const std::string& path, wvds::Bytes content) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const auto disk = wvds::platform::open_disk(folder);
  WVDS_TRY(disk->use_folder());
  const auto written = wvds::platform::durable_replace(*disk, path.substr(slash + 1), content);
  if (!written) return std::unexpected(written.error().error);
  return {};
}

// The folder must be a store: opening makes one that is missing, which nobody wants here.
Result<size_t> run(const Wanted& wanted) {
  WVDS_TRY(wvds::platform::open_disk(wanted.store)->use_folder());
  std::vector<std::byte> sectors(wanted.kilobytes * 1024);
  WVDS_ASSIGN(count, fill(wanted, sectors));
  if (count == 0) return wvds::fail(wvds::Status::kStorageError, wanted.store + ": no key store");
  WVDS_TRY(write_image(wanted.image, sectors));
  return count;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the program
int main(int argc, char** argv) {
  CLI::App app(
      "Copies a key store from a folder to an image of raw sectors, for L4Re. The service must not be running.\n"
      "Exit codes: 0 done, 1 failure, 2 wrong command line.",
      "wvds_store_image");
  Wanted wanted;
  app.add_option("--store", wanted.store, "folder of the key store")->required()->type_name("DIR");
  app.add_option("--image", wanted.image, "file to make, or to replace")->required()->type_name("FILE");
  app.add_option("--kilobytes", wanted.kilobytes, "size of the image; leave room for keys that are made later")
      ->capture_default_str()
      ->check(CLI::Range(64, 4 * 1024 * 1024));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const Result<size_t> copied = run(wanted);
  if (!copied) {
    std::fprintf(stderr, "wvds_store_image: %s\n", copied.error().detail.c_str());
    return kExitFailure;
  }
  std::printf("%s: %zu KB, %zu blobs of the store\n", wanted.image.c_str(), wanted.kilobytes, *copied);
  return 0;
}
