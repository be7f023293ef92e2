#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "keystore/format.h"
#include "keystore/medium.h"
#include "keystore/protector.h"

// The two copies of a store's header: docs/storage-format.md, "Header".
namespace wvds::keystore {

inline constexpr std::array<std::string_view, 2> kHeaderNames{"header-a", "header-b"};

// place_word is what config.json calls a protector.
const char* place_word(Place place);

// HeaderCopy is a header that is whole; it is authentic only once it was opened.
struct HeaderCopy {
  std::string_view name;
  std::vector<std::byte> blob;
  BlobView view;
  HeaderFields fields;
};

struct HeaderCopies {
  std::vector<HeaderCopy> whole;  // the newest first, header-a first among equals
  std::string lost;               // what is wrong with those that are there and not whole; empty: nothing
};

// read_headers changes nothing. kUnsupported when either copy was written by a newer program, kStorageError when they
// belong to different stores.
Result<HeaderCopies> read_headers(Medium& medium, const crypto::Library& library);

// open_header returns the store key, of 32 bytes. kStorageError with a detail that names the cause: another kind of
// protector, what its unlock says, a changed header.
Result<crypto::LockedBytes> open_header(const crypto::Library& library, const HeaderCopy& copy, Protector& protector);

// make_header makes a header blob by which `protector` opens the store: a new key-encryption key wraps the store key.
Result<std::vector<std::byte>> make_header(const crypto::Library& library, Protector& protector, const StoreId& store,
                                           Bytes store_key, uint64_t generation, const Extensions& extensions = {});

}  // namespace wvds::keystore
