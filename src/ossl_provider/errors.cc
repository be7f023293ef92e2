#include "ossl_provider/errors.h"

#include <array>
#include <cstdarg>

namespace wvds::ossl_provider {
namespace {

constexpr int kFirstLocalStatus = 0x80;
constexpr int kNumServiceStatuses = static_cast<int>(kLastServiceStatus);
constexpr int kNumLocalStatuses = static_cast<int>(Status::kCallbackFailed) - kFirstLocalStatus + 1;

// The core's function takes a va_list, so one must be made. NOLINTNEXTLINE(cert-dcl50-cpp): hence the dots
void set_error(OSSL_FUNC_core_vset_error_fn* set, const OSSL_CORE_HANDLE* core, uint32_t reason, const char* format,
               ...) {
  va_list arguments;
  va_start(arguments, format);
  set(core, reason, format, arguments);
  va_end(arguments);
}

OSSL_ITEM reason_of(int status) {
  const char* name = wvds_status_name(static_cast<wvds_status>(status));
  return {static_cast<unsigned>(status), const_cast<char*>(name)};  // OpenSSL does not write to it
}

using Reasons = std::array<OSSL_ITEM, kNumServiceStatuses + kNumLocalStatuses + 1>;

Reasons all_reasons() {
  Reasons reasons{};
  size_t count = 0;
  for (int status = 1; status <= kNumServiceStatuses; ++status) reasons[count++] = reason_of(status);
  for (int i = 0; i < kNumLocalStatuses; ++i) reasons[count++] = reason_of(kFirstLocalStatus + i);
  return reasons;
}

}  // namespace

ErrorQueue::ErrorQueue(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* core_functions) : core_(core) {
  for (; core_functions->function_id != 0; ++core_functions) {
    switch (core_functions->function_id) {
      case OSSL_FUNC_CORE_NEW_ERROR: new_error_ = OSSL_FUNC_core_new_error(core_functions); break;
      case OSSL_FUNC_CORE_SET_ERROR_DEBUG: set_debug_ = OSSL_FUNC_core_set_error_debug(core_functions); break;
      case OSSL_FUNC_CORE_VSET_ERROR: set_error_ = OSSL_FUNC_core_vset_error(core_functions); break;
      default: break;
    }
  }
}

void ErrorQueue::raise(Status status, const char* detail, const char* function) const noexcept {
  if (new_error_ == nullptr || set_error_ == nullptr) return;
  new_error_(core_);
  if (set_debug_ != nullptr) set_debug_(core_, "ossl_provider", 0, function);
  set_error(set_error_, core_, static_cast<uint32_t>(status), "%s", detail);
}

const OSSL_ITEM* reason_strings() {
  static const Reasons reasons = all_reasons();
  return reasons.data();
}

std::unexpected<Error> service_failure(wvds_status status, const std::string& what) {
  return fail(static_cast<Status>(status), what + ": " + wvds_status_text(status));
}

}  // namespace wvds::ossl_provider
