// wvds.so, which OpenSSL loads into any program.

#include <openssl/core_dispatch.h>
#include <unistd.h>

#include "ossl_provider/provider_context.h"

namespace {

uint64_t this_process() { return static_cast<uint64_t>(getpid()); }

}  // namespace

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                                         const OSSL_DISPATCH* core_functions,
                                                                         const OSSL_DISPATCH** functions,
                                                                         void** provider_context) {
  return wvds::ossl_provider::start_provider(core, core_functions, functions, provider_context, &this_process);
}
