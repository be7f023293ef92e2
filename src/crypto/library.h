#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"

struct ossl_lib_ctx_st;

// The cryptographic library: providers, FIPS state, random numbers. Owns every object of OpenSSL together with the rest
// of crypto/.
namespace wvds::crypto {

enum class FipsMode : uint8_t { kOff = 0, kPreferred = 1, kRequired = 2 };
enum class FipsState : uint8_t { kOff = 0, kActive = 1, kUnavailable = 2 };

// EngineConfig is a further provider module that is to serve some algorithms in place of the mode's own provider.
struct EngineConfig {
  std::string module;                 // absolute path of the shared object
  std::vector<Algorithm> algorithms;  // of ML-DSA and ML-KEM; none of them in two engines
  std::string properties;             // what its implementations are fetched with, "provider=NAME"
};

struct LibraryConfig {
  FipsMode fips = FipsMode::kPreferred;
  std::string modules_dir;  // folder of fips.so; empty: the one OpenSSL was built with
  std::string fips_config;  // fipsmodule.cnf as `openssl fipsinstall` wrote it; empty: OpenSSL's own place
  size_t secure_heap_bytes =
      4 << 20;  // a power of two, at least 128 KB; locked memory for secrets, halved until it fits RLIMIT_MEMLOCK
  bool locked_memory_required =
      false;  // load and LockedBytes fail with kLimitReached instead of using memory that is not locked
  std::vector<EngineConfig> engines =
      {};  // not with FipsMode::kRequired, nor with locked_memory_required: kInvalidArgument
};

// SecureHeap is the locked memory: expanded keys take most of it (ML-DSA-44 21 KB, -65 37 KB, -87 41 KB, ML-KEM 2 to 4
// KB, ECDSA under 1 KB each).
struct SecureHeap {
  size_t size = 0;
  size_t used = 0;
};

// Serving says who serves an algorithm.
struct Serving {
  std::string provider;      // name and version, "OpenSSL FIPS Provider 3.6.3"; empty: nobody
  bool inside_fips = false;  // OpenSSL's FIPS module, and it works
};

// EngineInfo is an engine that serves.
struct EngineInfo {
  std::string title;  // name and version, as it says itself
  std::string module;
  std::vector<Algorithm> algorithms;
};

struct Fetched;

// Library is loaded once a process, before other code of the process uses OpenSSL: load keeps OpenSSL from reading
// OPENSSL_CONF. It must outlive every object that was made with it. All its functions are thread-safe.
class Library {
 public:
  // load makes a library context, loads the providers `config.fips` asks for and runs their self-tests. kRequired fails
  // with a detail that names the file and the cure when the FIPS provider is missing or its self-test fails; kPreferred
  // falls back to the default provider and says so in fips_state() and fips_detail(). An engine that does not load,
  // does not serve a chosen algorithm, or does not give the very results of OpenSSL's own implementation is
  // kCryptoError with a detail that names module, algorithm and cure: no other provider serves in its place.
  static Result<std::unique_ptr<Library>> load(const LibraryConfig& config);
  virtual ~Library() = default;

  virtual FipsState fips_state()
      const = 0;  // asks the module: kUnavailable also after a self-test failed while running
  virtual bool fips_required() const { return false; }  // loaded with FipsMode::kRequired
  virtual const std::string& fips_detail() const = 0;   // why FIPS is unavailable; empty otherwise
  virtual const std::string& version() const = 0;       // "OpenSSL 3.6.3 9 Jun 2026"
  virtual const std::string& provider() const = 0;      // "OpenSSL FIPS Provider 3.6.3"
  virtual const std::vector<EngineInfo>& engines() const = 0;

  // memory_locked: the secure heap is locked, and no secret is outside it. An engine keeps expanded keys where it
  // likes.
  virtual bool memory_locked() const = 0;
  virtual SecureHeap secure_heap() const = 0;
  virtual bool has(Algorithm algorithm) const = 0;
  virtual Serving serving(Algorithm algorithm) const = 0;

  // provider_of names the provider ("fips", "default") that serves an algorithm of this product; empty when none does.
  // HKDF, PBKDF2 and the random generator answer to their OpenSSL names.
  virtual std::string provider_of(const char* openssl_name) const = 0;

  // random fills `out` from the approved generator of the calling thread (SP 800-90A); random_secret from its private
  // twin. On failure (kCryptoError) `out` is wiped.
  virtual Result<> random(MutableBytes out) const = 0;
  virtual Result<> random_secret(MutableBytes out) const = 0;

  // context is for crypto/ and ossl_provider/ only.
  virtual ossl_lib_ctx_st* context() const = 0;

  // fetched is for crypto/ only: OpenSSL's implementations, looked up once.
  virtual const Fetched& fetched() const = 0;
};

// equal_constant_time compares secrets and tags; false when the lengths differ.
bool equal_constant_time(Bytes a, Bytes b);

}  // namespace wvds::crypto
