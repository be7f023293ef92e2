#include "est_service/folder.h"

#include "platform/durable.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr size_t kMaxFile = 1 << 20;
constexpr const char* kTrustFile = "trust.json";

// A certificate may be called "trust" too.
std::string file_of(const std::string& name) { return "certificate-" + name + ".json"; }

std::unexpected<est::Failure> unreadable(const platform::Disk& disk, const std::string& file, const std::string& why) {
  return failed(FailureKind::kStorage, disk.path() + "/" + file + " " + why);
}

}  // namespace

Outcome<Folder> Folder::open(const crypto::Library& library, platform::Disk& disk) {
  if (const auto opened = platform::open_folder(disk); !opened)
    return failed(FailureKind::kStorage, opened.error().detail);
  return Folder(library, disk);
}

// A missing file is an empty text.
Outcome<std::string> Folder::read(const std::string& file) const {
  const auto bytes = disk_.read(file, kMaxFile);
  if (bytes) return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (bytes.error().status == Status::kKeyNotFound) return std::string();
  return failed(FailureKind::kStorage, bytes.error().detail);
}

Outcome<> Folder::save(const std::string& file, const std::string& text) {
  if (const auto saved = platform::durable_replace(disk_, file, as_bytes(text)); !saved)
    return failed(FailureKind::kStorage, saved.error().error.detail);
  return {};
}

Outcome<CertificateState> Folder::read_certificate(const std::string& name) const {
  const auto text = read(file_of(name));
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return CertificateState{};
  auto state = certificate_state_from(library_, *text);
  if (!state) return unreadable(disk_, file_of(name), state.error().detail);
  return state;
}

Outcome<TrustState> Folder::read_trust() const {
  const auto text = read(kTrustFile);
  if (!text) return std::unexpected(text.error());
  if (text->empty()) return TrustState{};
  auto state = trust_state_from(library_, *text);
  if (!state) return unreadable(disk_, kTrustFile, state.error().detail);
  return state;
}

Outcome<> Folder::set_aside(const std::string& file) {
  if (const auto renamed = disk_.rename(file, file + ".damaged"); !renamed)
    return failed(FailureKind::kStorage, renamed.error().detail);
  return {};
}

Outcome<> Folder::set_certificate_aside(const std::string& name) { return set_aside(file_of(name)); }
Outcome<> Folder::set_trust_aside() { return set_aside(kTrustFile); }

Outcome<> Folder::save_certificate(const std::string& name, const CertificateState& state) {
  return save(file_of(name), to_text(state));
}

Outcome<> Folder::save_trust(const TrustState& state) { return save(kTrustFile, to_text(state)); }

}  // namespace wvds::est_service
