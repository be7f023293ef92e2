#include "keystore/store_rewrap.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "platform/durable.h"

namespace wvds::keystore {
namespace {

Result<crypto::LockedBytes> open_with(const HeaderCopy& copy, const crypto::Library& library,
                                      const std::vector<Protector*>& protectors) {
  std::optional<Error> first;
  for (Protector* protector : protectors) {
    auto key = open_header(library, copy, *protector);
    if (key) return key;
    if (!first) first = std::move(key.error());
  }
  if (first) return std::unexpected(std::move(*first));
  return fail(Status::kStorageError, std::string(copy.name) + ": there is no protector to open it with");
}

// keep_opened makes both headers the one that was opened, so that either may be replaced next.
Result<> keep_opened(Medium& medium, const OpenedStore& opened) {
  for (const std::string_view name : kHeaderNames) {
    const auto found = medium.read(name);
    if (!found || *found != opened.header.blob) WVDS_TRY(medium.replace(name, opened.header.blob));
  }
  return {};
}

}  // namespace

Result<OpenedStore> open_store(Medium& medium, const crypto::Library& library, const ProtectorChoice& protectors) {
  WVDS_ASSIGN(headers, read_headers(medium, library));
  std::optional<Error> first;
  for (HeaderCopy& copy : headers.whole) {
    auto choice = protectors(copy.fields.protector);
    auto key = choice ? open_with(copy, library, *choice) : forward_error(choice);
    if (key) return OpenedStore{std::move(*key), std::move(copy)};
    if (!first) first = std::move(key.error());
  }
  if (first) return std::unexpected(std::move(*first));
  if (!headers.lost.empty()) return fail(Status::kStorageError, headers.lost);
  return fail(Status::kKeyNotFound, "header-a and header-b: missing");
}

Result<> rewrap_store(Medium& medium, const OpenedStore& opened, const Rewrap& change) {
  WVDS_TRY(keep_opened(medium, opened));
  const HeaderFields& fields = opened.header.fields;
  WVDS_ASSIGN(blob, make_header(change.library, change.next, opened.id(), opened.key.expose(), fields.generation + 1,
                                fields.extensions));
  WVDS_TRY(medium.replace(kHeaderNames[0], blob));
  if (change.between) WVDS_TRY(change.between());
  return medium.replace(kHeaderNames[1], blob);
}

Result<> change_secret(Medium& medium, const OpenedStore& opened, const crypto::Library& library,
                       const SecretFile& secret) {
  const std::string next_name = secret.name + ".next";
  if (auto written = platform::durable_replace(secret.folder, next_name, secret.content); !written)
    return std::unexpected(std::move(written.error().error));
  const auto next = secret.protector(next_name);
  const auto exchange_files = [&]() -> Result<> {
    WVDS_TRY(secret.folder.rename(next_name, secret.name));
    return secret.folder.sync_folder(platform::SyncPoint::kNewName);
  };
  auto changed = rewrap_store(medium, opened, {.library = library, .next = *next, .between = exchange_files});
  // The cause of the failure is worth more than that of a failed clean-up; the next try cleans up, too.
  if (!changed) static_cast<void>(secret.folder.unlink(next_name).has_value());
  return changed;
}

}  // namespace wvds::keystore
