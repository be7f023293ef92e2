#include "keystore/audit_head.h"

#include <algorithm>

namespace wvds::keystore {
namespace {

constexpr uint16_t kTag = 0x0001;
constexpr size_t kSize = 40;

}  // namespace

AuditHead audit_head_of(const Extensions& extensions) {
  AuditHead head;
  const auto found = std::ranges::find(extensions, kTag, &Extension::tag);
  if (found == extensions.end() || found->value.size() != kSize) return head;
  Reader reader{Bytes(found->value)};
  head.number = reader.u64();
  reader.copy(head.hash);
  return head;
}

void forget_audit_head(Extensions& extensions) {
  std::erase_if(extensions, [](const Extension& extension) { return extension.tag == kTag; });
}

void set_audit_head(Extensions& extensions, const AuditHead& head) {
  Extension extension{.tag = kTag, .value = std::vector<std::byte>(kSize)};
  Writer writer(extension.value);
  writer.u64(head.number);
  writer.bytes(head.hash);
  forget_audit_head(extensions);
  extensions.insert(std::ranges::upper_bound(extensions, kTag, {}, &Extension::tag), std::move(extension));
}

}  // namespace wvds::keystore
