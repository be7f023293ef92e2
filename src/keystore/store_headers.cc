#include "keystore/store_headers.h"

#include <algorithm>
#include <functional>

namespace wvds::keystore {
namespace {

constexpr std::string_view kHeaderLabel = "WvdS store v1 header";

Result<HeaderCopy> read_header(Medium& medium, const crypto::Library& library, std::string_view name) {
  HeaderCopy copy{.name = name, .blob = {}, .view = {}, .fields = {}};
  WVDS_ASSIGN(blob, medium.read(name));
  copy.blob = std::move(blob);
  WVDS_ASSIGN(view, parse_blob(library, name, BlobKind::kHeader, copy.blob));
  copy.view = view;
  WVDS_ASSIGN(fields, HeaderFields::decode(name, view.clear));
  copy.fields = std::move(fields);
  return copy;
}

}  // namespace

const char* place_word(Place place) {
  switch (place) {
    case Place::kMemory: return "memory";
    case Place::kFile: return "file";
    case Place::kTpm: return "tpm";
    case Place::kHsmWrapped:
    case Place::kHsmInside: return "hsm";
  }
  return "unknown";
}

Result<HeaderCopies> read_headers(Medium& medium, const crypto::Library& library) {
  HeaderCopies out;
  for (const std::string_view name : kHeaderNames) {
    auto copy = read_header(medium, library, name);
    if (copy) {
      out.whole.push_back(std::move(*copy));
    } else if (copy.error().status == Status::kUnsupported) {
      return forward_error(copy);
    } else if (copy.error().status != Status::kKeyNotFound) {
      out.lost += (out.lost.empty() ? "" : "; ") + copy.error().detail;
    }
  }
  if (out.whole.size() == 2 && out.whole[0].view.store != out.whole[1].view.store) {
    return refuse_blob("header-a and header-b", "belong to different stores: put the right one back");
  }
  std::ranges::stable_sort(out.whole, std::greater{}, [](const HeaderCopy& copy) { return copy.fields.generation; });
  return out;
}

Result<crypto::LockedBytes> open_header(const crypto::Library& library, const HeaderCopy& copy, Protector& protector) {
  if (copy.fields.protector != protector.place()) {
    const std::string word = place_word(copy.fields.protector);
    return refuse_blob(copy.name, "the store is protected by \"" + word + "\" and was opened with \"" +
                                      place_word(protector.place()) + "\": set \"protector\" to \"" + word + "\"");
  }
  WVDS_ASSIGN(protecting, protector.unlock(library, copy.fields.protector_header));
  WVDS_ASSIGN(header_key, derive_key(library, protecting.expose(), copy.view.store, as_bytes(kHeaderLabel)));
  WVDS_ASSIGN(store_key, open_sealed(library, copy.name, header_key.expose(), copy.view));
  if (store_key.size() != kAesKeySize) return refuse_blob(copy.name, "holds a store key of a wrong size");
  return store_key;
}

Result<std::vector<std::byte>> make_header(const crypto::Library& library, Protector& protector, const StoreId& store,
                                           Bytes store_key, uint64_t generation, const Extensions& extensions) {
  HeaderFields header{
      .generation = generation, .protector = protector.place(), .protector_header = {}, .extensions = extensions};
  WVDS_ASSIGN(protecting, protector.create(library, header.protector_header));
  WVDS_ASSIGN(header_key, derive_key(library, protecting.expose(), store, as_bytes(kHeaderLabel)));
  return seal_blob(library, header_key.expose(), BlobKind::kHeader, store, header.encode(), store_key);
}

}  // namespace wvds::keystore
