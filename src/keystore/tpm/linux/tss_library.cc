#include "keystore/tpm/tss_library.h"

#include <dlfcn.h>
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace wvds::keystore {
namespace {

enum TssPart : uint8_t { kTctiLoader, kMarshal, kEsys };

struct LibraryName {
  std::string TssLibrary::Files::* file;
  const char* package;  // of Debian 12; later releases add a suffix
};
constexpr std::array<LibraryName, 3> kLibraries{{{&TssLibrary::Files::tcti_loader, "libtss2-tctildr0"},
                                                 {&TssLibrary::Files::marshal, "libtss2-mu0"},
                                                 {&TssLibrary::Files::esys, "libtss2-esys-3.0.2-0"}}};

using Handles = std::array<void*, kLibraries.size()>;

std::string last_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "unknown cause" : text;
}

Result<Handles> open_libraries(const TssLibrary::Files& files) {
  Handles handles{};
  for (size_t i = 0; i < kLibraries.size(); ++i) {
    const std::string& file = files.*kLibraries[i].file;
    handles[i] = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handles[i] == nullptr) {
      return fail(Status::kUnsupported, "protector tpm needs the library " + file + ", which can't be loaded (" +
                                            last_error() + "): install the TPM software stack (Debian: package " +
                                            kLibraries[i].package + ")");
    }
  }
  return handles;
}

template <class Function>
Result<> find(const Handles& handles, TssPart part, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(handles[part], name));
  if (out != nullptr) return {};
  return fail(Status::kUnsupported,
              std::string("the TPM software stack has no function ") + name + ": install version 3.2 or later of it");
}

}  // namespace

// The names are those that libtss2-tctildr tries.
void keep_way_loaded(const std::string& tcti) {
  const std::string name = tcti.substr(0, tcti.find(':'));
  const std::string stem = "libtss2-tcti-" + name + ".so";
  for (const std::string& file : {name, stem + ".0", stem}) {
    if (!file.empty() && ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return;
  }
}

Result<TssLibrary> TssLibrary::load_from(const Files& files) {
  // The libraries would write each refusal of the TPM to standard error, and at a higher level secrets too.
  ::setenv("TSS2_LOG", "all+NONE", 1);
  WVDS_ASSIGN(handles, open_libraries(files));
  TssLibrary out;
#define WVDS_TSS_FIND(library, function) WVDS_TRY(find(handles, library, #function, out.function));
  WVDS_TSS_FUNCTIONS(WVDS_TSS_FIND)
#undef WVDS_TSS_FIND
  if (void* const texts = ::dlopen(files.error_texts.c_str(), RTLD_NOW | RTLD_LOCAL); texts != nullptr)
    out.Tss2_RC_Decode = reinterpret_cast<decltype(out.Tss2_RC_Decode)>(::dlsym(texts, "Tss2_RC_Decode"));
  return out;
}

// The software stack frees its buffers as they are. glibc overwrites what is freed while M_PERTURB is set, but for
// chunks of at most 1,032 bytes; the context and the command buffer are larger.
void TssLibrary::finalize(ESYS_CONTEXT* esys) const {
  constexpr int kFill = 0xa5;
  ::mallopt(M_PERTURB, kFill);
  Esys_Finalize(&esys);
  ::mallopt(M_PERTURB, 0);
}

Result<const TssLibrary*> TssLibrary::load() {
  static std::mutex mutex;
  static TssLibrary loaded;
  static bool is_loaded = false;
  const std::lock_guard lock(mutex);
  if (!is_loaded) {
    WVDS_ASSIGN(functions, load_from({}));
    loaded = functions;
    is_loaded = true;
  }
  return &loaded;
}

}  // namespace wvds::keystore
