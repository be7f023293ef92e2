#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <memory>
#include <string>

#include "base/result.h"

// The TPM software stack (TCG TSS 2.0), loaded at run time: the program starts on devices that have no TPM and no such
// libraries.
namespace wvds::keystore {

// WVDS_TSS_FUNCTIONS lists what is used of it: the library, then the function.
#define WVDS_TSS_FUNCTIONS(F)                  \
  F(kTctiLoader, Tss2_TctiLdr_Initialize)      \
  F(kTctiLoader, Tss2_TctiLdr_Finalize)        \
  F(kMarshal, Tss2_MU_TPM2B_PUBLIC_Marshal)    \
  F(kMarshal, Tss2_MU_TPM2B_PUBLIC_Unmarshal)  \
  F(kMarshal, Tss2_MU_TPM2B_PRIVATE_Marshal)   \
  F(kMarshal, Tss2_MU_TPM2B_PRIVATE_Unmarshal) \
  F(kEsys, Esys_Initialize)                    \
  F(kEsys, Esys_Finalize)                      \
  F(kEsys, Esys_Free)                          \
  F(kEsys, Esys_FlushContext)                  \
  F(kEsys, Esys_TR_FromTPMPublic)              \
  F(kEsys, Esys_TR_SetAuth)                    \
  F(kEsys, Esys_TR_GetName)                    \
  F(kEsys, Esys_TRSess_SetAttributes)          \
  F(kEsys, Esys_StartAuthSession)              \
  F(kEsys, Esys_CreatePrimary)                 \
  F(kEsys, Esys_Create)                        \
  F(kEsys, Esys_Load)                          \
  F(kEsys, Esys_Unseal)                        \
  F(kEsys, Esys_GetCapability)                 \
  F(kEsys, Esys_PCR_Read)                      \
  F(kEsys, Esys_PolicyPCR)                     \
  F(kEsys, Esys_PolicyAuthValue)               \
  F(kEsys, Esys_NV_DefineSpace)                \
  F(kEsys, Esys_NV_ReadPublic)                 \
  F(kEsys, Esys_NV_Read)                       \
  F(kEsys, Esys_NV_Increment)

// keep_way_loaded keeps the library for good that reaches the TPM as `tcti` says ("device:/dev/tpmrm0"): each
// connection would load it anew otherwise, which a process can't do once it is confined. Nothing happens where there is
// none.
void keep_way_loaded(const std::string& tcti);

// TssLibrary is the loaded functions, each under its own name.
struct TssLibrary {
#define WVDS_TSS_MEMBER(library, function) decltype(&::function) function = nullptr;
  WVDS_TSS_FUNCTIONS(WVDS_TSS_MEMBER)
#undef WVDS_TSS_MEMBER
  decltype(&::Tss2_RC_Decode) Tss2_RC_Decode = nullptr;  // null where libtss2-rc is not installed

  // Files are the libraries' names; other ones are for tests.
  struct Files {
    std::string tcti_loader = "libtss2-tctildr.so.0";
    std::string marshal = "libtss2-mu.so.0";
    std::string esys = "libtss2-esys.so.0";
    std::string error_texts = "libtss2-rc.so.0";
  };
  static Result<TssLibrary> load_from(const Files& files);

  // load gives the functions, loaded once for the process and never unloaded. kUnsupported, naming the missing library
  // and the package, when a library or a function is not there. Call it first while no other thread changes or reads
  // the environment.
  static Result<const TssLibrary*> load();

  // finalize closes a context and wipes the memory that it held: secrets pass through its buffers.
  void finalize(ESYS_CONTEXT* esys) const;

  // Freed releases what an Esys function has allocated.
  struct Freed {
    const TssLibrary* tss;
    void operator()(void* object) const { tss->Esys_Free(object); }
  };
  template <class Object>
  using Owned = std::unique_ptr<Object, Freed>;
  template <class Object>
  Owned<Object> own(Object* object) const {
    return Owned<Object>(object, Freed{this});
  }
};

}  // namespace wvds::keystore
