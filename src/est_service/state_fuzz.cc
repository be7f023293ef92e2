// certificate_state_from and trust_state_from: whatever is read can be written and read again, and says the same.
#include <cstdlib>
#include <string_view>

#include "est/testing/fuzz_library.h"
#include "est_service/state.h"

namespace {

template <class Read>
void check(std::string_view text, Read read) {
  const auto& library = wvds::est::fuzz_library();
  const auto state = read(library, text);
  if (!state) return;
  const std::string written = wvds::est_service::to_text(*state);
  const auto again = read(library, written);
  if (!again || wvds::est_service::to_text(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, wvds::est_service::certificate_state_from);
  check(text, wvds::est_service::trust_state_from);
  return 0;
}
