#include "keystore/hsm/linux/module_loader.h"

#include <dlfcn.h>

#include "platform/linux/trusted_file.h"

namespace wvds::keystore::hsm {
namespace {

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Status::kStorageError, "the PKCS#11 module " + path + " can't be used: " + why);
}

}  // namespace

Result<Module> load_module(const std::string& path) {
  const auto file = platform::trusted_file(path);
  if (!file) return refuse(path, file.error().detail);
  void* const library = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = ::dlerror();
    return refuse(path, why != nullptr ? why : "it can't be loaded");
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr) return refuse(path, "it is no PKCS#11 module: it has no C_GetFunctionList");
  Module out;
  if (get_list(&out.functions) != CKR_OK || out.functions == nullptr)
    return refuse(path, "its C_GetFunctionList gives no functions");
  const auto [major, minor] = out.functions->version;
  if (major != 2 && major != 3)
    return refuse(path, "it speaks PKCS#11 " + std::to_string(major) + "." + std::to_string(minor) + ", not 2 or 3");
  // Modules of PKCS#11 3.2 export it like the older functions; those that don't are used without ML-KEM.
  out.decapsulate = reinterpret_cast<DecapsulateKeyFunction>(::dlsym(library, "C_DecapsulateKey"));
  return out;
}

}  // namespace wvds::keystore::hsm
