#include "keystore/hsm/pin_source.h"

#include <algorithm>

#include "base/bytes.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::LockedBytes;

std::unexpected<Error> refuse(const FileName& file, const char* why) {
  return fail(Status::kStorageError, file.folder->path() + "/" + file.name + ": " + why);
}

class FilePin final : public PinSource {
 public:
  explicit FilePin(FileName file) : file_(std::move(file)) {}

  Result<LockedBytes> read() override {
    auto pin = read_pin(file_);
    if (!pin && pin.error().status == Status::kKeyNotFound)
      return refuse(file_, "the file with the token's PIN is missing");
    return pin;
  }

  std::string advice() override {
    const auto names = file_.folder->list();
    if (!names || std::ranges::find(*names, new_pin_name(file_)) == names->end()) return {};
    return "; a change of the PIN was interrupted: \"wvds store pin\" without --new-pin-file finishes it";
  }

 private:
  FileName file_;
};

}  // namespace

std::string new_pin_name(const FileName& file) { return file.name + ".next"; }

Result<LockedBytes> read_pin(const FileName& file) {
  WVDS_TRY(file.folder->use_folder());
  WVDS_ASSIGN(content, LockedBytes::of_size(kMaxPin + 2));
  WVDS_ASSIGN(size, file.folder->read_secret(file.name, content.expose_for_writing()));
  Bytes pin = content.expose().first(size);
  for (const char end : {'\n', '\r'}) {
    if (!pin.empty() && pin.back() == static_cast<std::byte>(end)) pin = pin.first(pin.size() - 1);
  }
  if (pin.empty() || pin.size() > kMaxPin) return refuse(file, "a PIN has 1 to 255 bytes");
  return LockedBytes::copy_of(pin);
}

std::unique_ptr<PinSource> make_file_pin(FileName file) { return std::make_unique<FilePin>(std::move(file)); }

}  // namespace wvds::keystore::hsm
