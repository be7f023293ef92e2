#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "keystore/blob.h"
#include "keystore/key.h"

// The clear parts of the three kinds of blobs, field by field as docs/storage-format.md has them. A decoder accepts
// exactly what the encoder writes: encode(decode(x)) == x. Errors of decoders begin with `name`: kUnsupported for what
// a newer program may have written, kStorageError for what no program writes.
namespace wvds::keystore {

inline constexpr size_t kMaxOwnerSize = 32;  // ASCII letters, digits, '-', '_', '.'
inline constexpr size_t kMaxLabelSize = 64;  // UTF-8 bytes, no control characters
inline constexpr size_t kMaxProtectorHeader = 16384;
inline constexpr size_t kMaxVersions = 1 + kRetainedVersions;

bool is_owner_name(std::string_view name);
bool is_label(std::string_view label);

// Extension is a field that later programs add: policies, limits. A tag from kCriticalTag on says that whoever does not
// know it must not use what it belongs to; any other one is kept as it is when a blob is written again.
struct Extension {
  uint16_t tag = 0;
  std::vector<std::byte> value = {};
  bool operator==(const Extension&) const = default;
};
inline constexpr uint16_t kCriticalTag = 0x8000;
inline constexpr uint16_t kRollbackTag = 0x8002;  // of an index: the value of the rollback counter
inline constexpr uint16_t kLimitsTag = 0x8001;    // of a record: the key's limits, where it has any
using Extensions = std::vector<Extension>;        // by ascending tag, each tag once

// HeaderFields: what opens a store. Two copies, "header-a" and "header-b"; the newer one that is whole counts.
struct HeaderFields {
  uint64_t generation = 0;  // grows with each change
  Place protector = Place::kMemory;
  std::vector<std::byte> protector_header = {};
  Extensions extensions = {};

  static Result<HeaderFields> decode(std::string_view name, Bytes clear);
  std::vector<std::byte> encode() const;
};

struct IndexedVersion {
  uint32_t number = 0;
  uint64_t uses = 0;  // upper bound of the uses that were made
};

struct IndexedKey {
  uint32_t id = 0;
  uint32_t generation = 0;    // of the record: an older one has been put back by somebody
  uint32_t record_bytes = 0;  // size of the record's blob
  std::string owner = {};
  std::vector<IndexedVersion> versions = {};  // those that are counted (versions_are_counted), newest first
  KeyLimits limits = {};                      // as in the record
  bool retired = false;                       // kept only of a key that has limits
};

// IndexFields: what the store must know of its keys without reading them. Two copies, "index-a" and "index-b", both
// written before anything relies on either.
struct IndexFields {
  uint64_t generation = 0;
  uint32_t next_stored_id = 0;        // no id from here on was ever given to a persistent key
  uint32_t next_memory_id = 0;        // the same for session and volatile keys
  uint32_t listed_below = 0;          // every key with a lower id is listed, so a record that is not was deleted
  std::vector<IndexedKey> keys = {};  // by ascending id
  Extensions extensions = {};

  static Result<IndexFields> decode(std::string_view name, Bytes clear);
  std::vector<std::byte> encode() const;
};

enum class SecretForm : uint8_t {
  kSealed = 1,      // in this record's sealed part
  kPublicOnly = 2,  // there is none: the key only verifies or encapsulates
  kInToken = 3,     // in a token; the sealed part has the id by which the token finds it
};

struct RecordVersion {
  uint32_t number = 0;
  VersionState state = VersionState::kActive;
  SecretForm form = SecretForm::kSealed;
  uint64_t uses = 0;  // of an active version that is counted, what this record grants before the index knows it; of a
                      // retired one, an upper bound of all its uses
  std::vector<std::byte> public_key = {};
};

// RecordFields: one key. The sealed part holds the secrets of the versions that have one, one after the other.
struct RecordFields {
  uint32_t id = 0;
  uint32_t generation = 0;  // grows with each change
  KeySpec spec = {};        // lifetime is kPersistent
  std::string owner = {};
  std::vector<RecordVersion> versions = {};  // newest first
  Extensions extensions = {};

  static Result<RecordFields> decode(std::string_view name, Bytes clear);
  std::vector<std::byte> encode() const;

  // secret_size is the size of the sealed part.
  size_t secret_size() const;
};

// secret_size_of is what a version has in the record's sealed part.
size_t secret_size_of(const RecordVersion& version, Algorithm algorithm);

// Parts of the codecs. encoded_size and write of extensions; read fails the reader's way and refuses critical tags but
// those of `known`.
size_t encoded_size(const Extensions& extensions);
void write_extensions(Writer& writer, const Extensions& extensions);
Result<Extensions> read_extensions(std::string_view name, Reader& reader, std::initializer_list<uint16_t> known = {});
std::unexpected<Error> malformed(std::string_view name, std::string_view why);
std::unexpected<Error> from_newer(std::string_view name, std::string_view what);

}  // namespace wvds::keystore
