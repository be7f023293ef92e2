#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "keystore/hsm/attributes.h"
#include "keystore/hsm/helper_messages.h"
#include "keystore/hsm/pkcs11_types.h"
#include "keystore/hsm/token_uri.h"
#include "keystore/hsm/wiped_bytes.h"

namespace wvds::keystore::hsm {

// Token does with a module's functions what the store needs: one token, one session. Runs in the helper; every call
// blocks as long as the module does. What a call makes in the token's memory it destroys again on every path. After a
// failure fault() is its kind; the detail names the function that failed and its answer, never a secret.
class Token {
 public:
  explicit Token(const Module& module) : module_(module), p11_(*module.functions) {}

  // open initialises the module, finds the one token that fits and opens a session on it.
  Result<> open(const TokenSelector& wanted);
  const TokenFacts& facts() const { return facts_; }
  uint64_t flags() const { return flags_; }  // TokenFlag

  Result<> login(Bytes pin);
  Result<> set_pin(Bytes pin, Bytes new_pin);

  // use_key finds the wrapping key of that label, or makes it with that id, and looks whether it is protected.
  struct UsedKey {
    std::vector<std::byte> id;
    uint64_t finding = 0;  // KeyFinding
  };
  Result<UsedKey> use_key(const std::string& label, Bytes new_id);

  struct Wrapped {
    CK_MECHANISM_TYPE mechanism = 0;
    std::vector<std::byte> bytes;
  };
  Result<Wrapped> wrap(Bytes key_id, CK_MECHANISM_TYPE mechanism, Bytes secret);
  Result<WipedBytes> unwrap(Bytes key_id, CK_MECHANISM_TYPE mechanism, Bytes wrapped);

  // Keys that live in the token (token_inside.cc)
  Result<std::vector<std::byte>> make_inside(Algorithm algorithm, Bytes id, const std::string& label);
  Result<std::vector<std::byte>> sign(Algorithm algorithm, Bytes id, bool deterministic, Bytes context, Bytes message);
  Result<WipedBytes> decapsulate(Algorithm algorithm, Bytes id, Bytes ciphertext);
  Result<> destroy(Bytes id);

  Fault fault() const { return fault_; }  // of the last failure since clear_fault
  void clear_fault() { fault_ = Fault::kNone; }

 private:
  std::unexpected<Error> refuse(Fault fault, std::string why);
  Result<> check(CK_RV answer, const char* function);
  bool can(CK_MECHANISM_TYPE mechanism, CK_FLAGS what) const;
  uint64_t flags_of(const CK_TOKEN_INFO& info) const;
  Result<std::vector<CK_SLOT_ID>> slots();
  Result<> choose_slot(const TokenSelector& wanted);
  Result<> open_session();

  Result<std::vector<CK_OBJECT_HANDLE>> find(Attributes& wanted);
  Result<CK_OBJECT_HANDLE> find_one(Attributes& wanted, const std::string& what);
  Result<CK_OBJECT_HANDLE> wrapping_key(Bytes id);
  Result<std::vector<std::byte>> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, size_t most);
  bool is(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool value);
  Result<> check_protected(CK_OBJECT_HANDLE key, const std::string& label);
  bool wraps_unextractable(CK_OBJECT_HANDLE key);
  Result<> make_key(const std::string& label, Bytes id);
  Result<CK_MECHANISM_TYPE> usable_mechanism(CK_MECHANISM_TYPE wanted);
  Result<std::vector<std::byte>> wrap_object(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes secret);
  Result<std::vector<std::byte>> encrypt(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes secret);
  Result<WipedBytes> unwrap_object(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes wrapped);
  Result<WipedBytes> decrypt(CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE key, Bytes wrapped);
  Result<WipedBytes> take_secret(CK_OBJECT_HANDLE object, size_t most);  // reads its value and destroys it
  std::unexpected<Error> not_unwrapped(CK_RV answer, const char* function);
  Result<CK_OBJECT_HANDLE> private_key(Algorithm algorithm, Bytes id);

  const Module module_;
  CK_FUNCTION_LIST& p11_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  TokenFacts facts_;
  uint64_t flags_ = 0;
  Fault fault_ = Fault::kNone;
};

// answer_text names a CK_RV: "CKR_PIN_LOCKED (0xa4)".
std::string answer_text(CK_RV answer);

inline constexpr size_t kMaxTokenKeyId = 64;

}  // namespace wvds::keystore::hsm
