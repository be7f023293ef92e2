#pragma once

#include <memory>
#include <string>

#include "platform/block_device.h"

namespace wvds::platform {

// open_block_device gives the sectors at `path`: "/cap/NAME" is the capability of that name, an L4virtio block device
// or a dataspace (memory: nothing outlives its owner), and "/rom/NAME" a boot module, which can't be written.
// kStorageError with the cause when there is no such thing.
Result<std::unique_ptr<BlockDevice>> open_block_device(const std::string& path);

}  // namespace wvds::platform
