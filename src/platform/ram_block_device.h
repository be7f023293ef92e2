#pragma once

#include <string>

#include "platform/block_device.h"

namespace wvds::platform {

// RamBlockDevice keeps its sectors in memory of the caller's, which must outlive it and belong to no other program: a
// dataspace, or an image of a disk in a test. Bytes after the last whole sector stay unused. Nothing outlives the
// memory; a flush has nothing to do.
class RamBlockDevice : public BlockDevice {
 public:
  RamBlockDevice(std::string name, MutableBytes memory) : name_(std::move(name)), memory_(memory) {}

  const std::string& name() const override { return name_; }
  uint64_t sectors() const override { return memory_.size() / kSectorSize; }
  Result<> read(uint64_t first, MutableBytes out) override;
  Result<> write(uint64_t first, Bytes content) override;
  Result<> flush(FlushPoint) override { return {}; }

 private:
  const std::string name_;
  const MutableBytes memory_;
};

}  // namespace wvds::platform
