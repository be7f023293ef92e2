#include "platform/l4re/block_device.h"

#include <algorithm>
#include <cstring>
#include <l4/l4virtio/client/virtio-block>
#include <l4/re/dataspace>
#include <l4/re/env>
#include <l4/re/namespace>
#include <l4/re/rm>
#include <l4/re/util/cap_alloc>
#include <l4/re/util/unique_cap>
#include <span>
#include <utility>

#include "platform/ram_block_device.h"

namespace wvds::platform {
namespace {

constexpr std::string_view kCapabilities = "/cap/";
constexpr std::string_view kModules = "/rom/";

using L4Re::Util::Unique_cap;

// DataspaceDevice is memory that some server hands out, seen as a disk.
class DataspaceDevice : public BlockDevice {
 public:
  using Memory = L4Re::Rm::Unique_region<std::byte*>;

  DataspaceDevice(const std::string& name, Unique_cap<L4Re::Dataspace> owned, Memory memory, size_t size, bool writable)
      : owned_(std::move(owned)),
        memory_(std::move(memory)),
        device_(name, MutableBytes(memory_.get(), size)),
        writable_(writable) {}

  const std::string& name() const override { return device_.name(); }
  uint64_t sectors() const override { return device_.sectors(); }
  Result<> read(uint64_t first, MutableBytes out) override { return device_.read(first, out); }
  Result<> flush(FlushPoint point) override { return device_.flush(point); }

  Result<> write(uint64_t first, Bytes content) override {
    if (!writable_) return fail(Status::kStorageError, name() + ": a boot module can't be written");
    return device_.write(first, content);
  }

 private:
  Unique_cap<L4Re::Dataspace> owned_;  // empty where the capability is the task's own
  Memory memory_;
  RamBlockDevice device_;
  const bool writable_;
};

Result<std::unique_ptr<BlockDevice>> attach(const std::string& name, L4::Cap<L4Re::Dataspace> dataspace, bool writable,
                                            Unique_cap<L4Re::Dataspace> owned = {}) {
  using Flags = L4Re::Rm::F;
  const auto size = dataspace->size();
  DataspaceDevice::Memory memory;
  const auto rights = writable ? Flags::RW : Flags::R;
  const auto capability = writable ? L4::Ipc::make_cap_rw(dataspace) : L4::Ipc::make_cap(dataspace, L4_CAP_FPAGE_RO);
  if (L4Re::Env::env()->rm()->attach(&memory, size, Flags::Search_addr | rights, capability) < 0)
    return fail(Status::kStorageError, name + ": the dataspace can't be attached");
  return std::make_unique<DataspaceDevice>(name, std::move(owned), std::move(memory), size, writable);
}

// VirtioDevice is a disk behind the L4virtio block protocol: one request at a time, through a buffer that the driver
// may read and write.
class VirtioDevice : public BlockDevice {
 public:
  explicit VirtioDevice(std::string name) : name_(std::move(name)) {}

  // open may throw, as the driver's library does. The driver can write the configuration at any time, so it is read
  // once. Features that a driver offers are negotiated by the library.
  Result<> open(L4::Cap<L4virtio::Device> capability) {
    void* memory = nullptr;
    driver_.setup_device(capability, kBufferSize, &memory, driver_address_);
    buffer_ = static_cast<std::byte*>(memory);
    sectors_ = driver_.device_config().capacity;
    writable_ = !driver_.feature_negotiated(L4VIRTIO_BLOCK_F_RO);
    if (!writable_ || driver_.feature_negotiated(L4VIRTIO_BLOCK_F_FLUSH)) return {};
    return fail(Status::kStorageError, name_ + ": its driver offers no FLUSH, so nothing could be made durable");
  }

  const std::string& name() const override { return name_; }
  uint64_t sectors() const override { return sectors_; }

  Result<> read(uint64_t first, MutableBytes out) override {
    WVDS_TRY(check_sectors(*this, first, out.size()));
    for (size_t done = 0; done < out.size(); done += kBufferSize) {
      const MutableBytes part = out.subspan(done, std::min(kBufferSize, out.size() - done));
      WVDS_TRY(transfer(L4VIRTIO_BLOCK_T_IN, first + done / kSectorSize, part.size()));
      std::memcpy(part.data(), buffer_, part.size());
    }
    return {};
  }

  Result<> write(uint64_t first, Bytes content) override {
    if (!writable_) return fail(Status::kStorageError, name_ + ": the device can't be written: it is read-only");
    WVDS_TRY(check_sectors(*this, first, content.size()));
    for (size_t done = 0; done < content.size(); done += kBufferSize) {
      const Bytes part = content.subspan(done, std::min(kBufferSize, content.size() - done));
      std::memcpy(buffer_, part.data(), part.size());
      WVDS_TRY(transfer(L4VIRTIO_BLOCK_T_OUT, first + done / kSectorSize, part.size()));
    }
    return {};
  }

  Result<> flush(FlushPoint) override { return writable_ ? transfer(L4VIRTIO_BLOCK_T_FLUSH, 0, 0) : Result<>{}; }

 private:
  static constexpr size_t kBufferSize = 64 * 1024;

  Result<> transfer(l4_uint32_t type, uint64_t first, size_t size) {
    auto request = driver_.start_request(first, type, nullptr);
    if (!request.valid()) return failed(type, L4VIRTIO_BLOCK_S_IOERR);
    if (size > 0 && driver_.add_block(request, driver_address_, static_cast<l4_uint32_t>(size)) < 0)
      return failed(type, L4VIRTIO_BLOCK_S_IOERR);
    const int status = driver_.process_request(request);
    return status == L4VIRTIO_BLOCK_S_OK ? Result<>{} : failed(type, status);
  }

  Result<> failed(l4_uint32_t type, int status) const {
    const char* what = type == L4VIRTIO_BLOCK_T_IN ? "read" : type == L4VIRTIO_BLOCK_T_OUT ? "write" : "flush";
    return fail(Status::kStorageError, name_ + ": " + what + " failed with status " + std::to_string(status));
  }

  const std::string name_;
  uint64_t sectors_ = 0;
  bool writable_ = false;
  L4virtio::Driver::Block_device driver_;
  L4virtio::Ptr<void> driver_address_;
  std::byte* buffer_ = nullptr;
};

Result<std::unique_ptr<BlockDevice>> open_virtio(const std::string& path, L4::Cap<L4virtio::Device> capability) try {
  auto device = std::make_unique<VirtioDevice>(path);
  WVDS_TRY(device->open(capability));
  return device;
} catch (const L4::Runtime_error& error) {
  return fail(Status::kStorageError, path + ": the block device does not answer: " + error.str());
}

Result<std::unique_ptr<BlockDevice>> open_capability(const std::string& path, const std::string& name) {
  const auto capability = L4Re::Env::env()->get_cap<void>(name.c_str());
  if (!capability.is_valid()) return fail(Status::kStorageError, path + ": this task was given no such capability");
  const auto dataspace = L4::cap_dynamic_cast<L4Re::Dataspace>(capability);
  if (dataspace.is_valid()) return attach(path, dataspace, true);
  // An object can't be asked whether it is an L4virtio device: that protocol has number 0. Every such device signals
  // through an Icu, and what else does is found out when its configuration is read.
  const auto icu = L4::cap_dynamic_cast<L4::Icu>(capability);
  if (icu.is_valid()) return open_virtio(path, L4::cap_cast<L4virtio::Device>(icu));
  return fail(Status::kStorageError, path + ": neither a block device nor a dataspace");
}

Result<std::unique_ptr<BlockDevice>> open_module(const std::string& path, const std::string& name) {
  const auto modules = L4Re::Env::env()->get_cap<L4Re::Namespace>("rom");
  auto dataspace = L4Re::Util::make_unique_cap<L4Re::Dataspace>();
  if (!modules.is_valid() || !dataspace.is_valid() || modules->query(name.c_str(), dataspace.get()) < 0) {
    return fail(Status::kStorageError, path + ": no such boot module");
  }
  const L4::Cap<L4Re::Dataspace> module = dataspace.get();
  return attach(path, module, false, std::move(dataspace));
}

}  // namespace

Result<std::unique_ptr<BlockDevice>> open_block_device(const std::string& path) {
  if (path.starts_with(kCapabilities)) return open_capability(path, path.substr(kCapabilities.size()));
  if (path.starts_with(kModules)) return open_module(path, path.substr(kModules.size()));
  return fail(Status::kStorageError,
              path + ": a store on L4Re is /cap/NAME (a capability) or /rom/NAME (a boot module)");
}

}  // namespace wvds::platform
