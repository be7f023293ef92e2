#include "keystore/tpm/tpm_device.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "platform/linux/unique_fd.h"

namespace wvds::keystore {
namespace {

constexpr std::string_view kDeviceTcti = "device";
constexpr std::string_view kDefaultDevice = "/dev/tpm0";  // of libtss2-tcti-device

std::unexpected<Error> cannot_open(const std::string& device, int cause) {
  const auto refuse = [&](const std::string& why) { return fail(Status::kStorageError, device + ": " + why); };
  switch (cause) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return refuse("there is no TPM here (" + std::string(std::strerror(cause)) +
                    "): switch it on in the firmware, plug it in, or correct store.tpm.tcti; the store is unchanged");
    case EACCES:
    case EPERM:
      return refuse("no permission to use the TPM: add the service's user to the group tss (adduser USER tss)");
    case EBUSY: return refuse("another program has the TPM for itself: use /dev/tpmrm0, which programs can share");
    default: return refuse("cannot open: " + std::string(std::strerror(cause)));
  }
}

}  // namespace

std::optional<std::string> tpm_device_of(const std::string& tcti) {
  if (tcti == kDeviceTcti) return std::string(kDefaultDevice);
  if (!tcti.starts_with(kDeviceTcti) || tcti[kDeviceTcti.size()] != ':') return std::nullopt;
  const std::string device = tcti.substr(kDeviceTcti.size() + 1);
  return device.empty() ? std::string(kDefaultDevice) : device;
}

Result<> check_tpm_device(const std::string& tcti) {
  const auto device = tpm_device_of(tcti);
  if (!device) return {};
  const platform::UniqueFd fd(::open(device->c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return cannot_open(*device, errno);
  return {};
}

}  // namespace wvds::keystore
