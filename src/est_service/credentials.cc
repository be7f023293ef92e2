#include "est_service/credentials.h"

#include "platform/durable.h"
#include "platform/file_name.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr size_t kMaxPassword = 1024;
constexpr size_t kMaxKeyFile = 64 << 10;

Result<platform::FileName> in_its_folder(const std::string& path) {
  platform::FileName file = platform::file_name(path);
  WVDS_TRY(file.folder->use_folder());
  return file;
}

Result<crypto::LockedBytes> read_secret(const std::string& path, size_t limit) {
  WVDS_ASSIGN(file, in_its_folder(path));
  WVDS_ASSIGN(content, crypto::LockedBytes::of_size(limit));
  const auto size = file.folder->read_secret(file.name, content.expose_for_writing());
  if (!size && size.error().status == Status::kKeyNotFound)
    return fail(Status::kStorageError, "there is no file " + path);
  if (!size) return fail(size.error().status, size.error().detail);
  return crypto::LockedBytes::copy_of(content.expose().first(*size));
}

}  // namespace

Result<crypto::LockedBytes> read_password(const std::string& path) {
  WVDS_ASSIGN(content, read_secret(path, kMaxPassword));
  Bytes password = content.expose();
  if (!password.empty() && password.back() == std::byte{'\n'}) password = password.first(password.size() - 1);
  if (!password.empty() && password.back() == std::byte{'\r'}) password = password.first(password.size() - 1);
  if (password.empty()) return fail(Status::kStorageError, path + " is empty");
  return crypto::LockedBytes::copy_of(password);
}

Outcome<std::vector<est::Certificate>> read_certificates(const crypto::Library& library, const std::string& path) {
  const auto file = in_its_folder(path);
  if (!file) return failed(FailureKind::kStorage, file.error().detail);
  const auto bytes = file->folder->read(file->name, est::kMaxPemBytes);
  if (!bytes) {
    const bool missing = bytes.error().status == Status::kKeyNotFound;
    return failed(FailureKind::kStorage, missing ? "there is no file " + path : bytes.error().detail);
  }
  auto list = est::Certificate::list_from_pem(library, text_of(*bytes));
  if (!list) return failed(FailureKind::kConfiguration, path + ": " + list.error().detail);
  return std::move(*list);
}

Outcome<> save_credential(const std::string& path, const std::string& pem) {
  const auto file = in_its_folder(path);
  if (!file) return failed(FailureKind::kStorage, file.error().detail);
  if (const auto saved = platform::durable_replace(*file->folder, file->name, as_bytes(pem)); !saved)
    return failed(FailureKind::kStorage, saved.error().error.detail);
  return {};
}

Outcome<Identity> read_file_identity(const crypto::Library& library, const config::EstCredential& credential,
                                     KeyService& keys) {
  auto chain = read_certificates(library, credential.certificate_file);
  if (!chain) return std::unexpected(chain.error());
  Identity identity{std::move(*chain), nullptr};
  if (credential.key_file.empty()) {
    auto key = keys.open_key(credential.key_id);
    if (!key) return std::unexpected(key.error());
    identity.key = std::move(*key);
  } else {
    const auto text = read_secret(credential.key_file, kMaxKeyFile);
    if (!text) return failed(FailureKind::kStorage, text.error().detail);
    auto key = crypto::key_from_pem(library, text->expose());
    if (!key) return failed(FailureKind::kConfiguration, credential.key_file + ": " + key.error().detail);
    identity.key = std::move(*key);
  }
  if (identity.chain.front().has_key(identity.key.get())) return identity;
  return failed(FailureKind::kConfiguration,
                "the key does not belong to the first certificate in " + credential.certificate_file);
}

}  // namespace wvds::est_service
