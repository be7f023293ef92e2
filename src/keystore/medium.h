#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wvds::keystore {

inline constexpr size_t kMaxBlobSize = 64 << 20;
inline constexpr size_t kMaxArchiveSize = 1 << 30;

// Medium keeps named blobs durably: a folder on Linux (platform/), raw sectors or a boot module on L4Re, memory in
// tests. Names are short ASCII words made by the store. It knows nothing of keys: every blob it gets is already
// encrypted or authenticated. One call at a time (the store serialises); each call blocks as long as the disk does.
class Medium {
 public:
  virtual ~Medium() = default;

  // list names all blobs, in no order.
  virtual Result<std::vector<std::string>> list() = 0;

  // read returns the whole blob; kKeyNotFound when there is none of that name, kStorageError when it can't be read.
  virtual Result<std::vector<std::byte>> read(std::string_view name) = 0;

  // replace makes `content` the blob of that name. On success it is durable and whole; on failure (kStorageError,
  // detail names the file and the cause) the former blob is still there, durable and whole. A crash at any instant
  // leaves one or the other. The exception is a device that fails the very last sync: which blob a power cut leaves
  // can't be known then, and the medium refuses every further change until it is opened again.
  virtual Result<> replace(std::string_view name, Bytes content) = 0;

  // remove is final and durable on success; removing what is not there succeeds. Failures as with replace.
  virtual Result<> remove(std::string_view name) = 0;
};

}  // namespace wvds::keystore
