// Fuzzes parse_csr_attributes and obey (csr_attributes.h).
// Property: a request that can't obey leaves its spec as it was; one that obeys keeps a subject that can be written.

#include "est/csr_attributes.h"
#include "est/testing/fuzz_library.h"

namespace wvds::est {
namespace {

CsrSpec device() {
  CsrSpec spec;
  spec.key_type = "P-384";
  spec.subject = {{"O", "WvdS"}, {"CN", "gw-17"}};
  spec.names.dns = {"gw-17.example"};
  return spec;
}

void obey_all(const CsrDemands& demands) {
  CsrSpec spec = device();
  if (obey(demands, spec)) return;
  const CsrSpec untouched = device();
  require(spec.subject == untouched.subject && spec.names == untouched.names && spec.extensions.empty() &&
          !spec.wants_binding);
}

}  // namespace
}  // namespace wvds::est

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::est;
  static_cast<void>(fuzz_library());
  const auto demands = parse_csr_attributes(std::as_bytes(std::span(data, size)));
  if (demands) {
    obey_all(*demands);
  } else {
    require(demands.error().kind == FailureKind::kBadAttributes || demands.error().kind == FailureKind::kTooLarge);
  }
  return 0;
}
