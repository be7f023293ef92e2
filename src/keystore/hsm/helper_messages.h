#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "keystore/hsm/wiped_bytes.h"

// What the service and its helper, in which a vendor's PKCS#11 module runs, say to each other: one request, one answer,
// each a packet of its own. Both ends are the same program, so the format has no version; the helper's answers are
// nevertheless checked like a stranger's, for the module may have taken it over.
//   u8 kind, u8 number of fields, then for each field u32 size and the bytes
namespace wvds::keystore::hsm {

inline constexpr size_t kMaxHelperMessage = 128 << 10;
inline constexpr size_t kMaxHelperFields = 8;
inline constexpr size_t kMaxTokenText = 64;  // label, serial, manufacturer, model
inline constexpr size_t kMaxDetail = 1024;   // the sentence of a Fault
// A token may hand a public key out as an ASN.1 structure around what FIPS 203 and 204 define.
inline constexpr size_t kMaxPublicKeyAnswer = kMaxPublicKeySize + 128;

// What is asked, with the fields of request and answer. A number is a field of 8 bytes.
enum class Request : uint8_t {
  kOpen = 1,         // module, label, serial, manufacturer, model, slot (empty: any)
                     //   -> label, serial, manufacturer, model, slot, TokenFlag bits
  kLogin = 2,        // PIN ->
  kUseKey = 3,       // label, id for a new key -> id, KeyFinding
  kWrap = 4,         // key's id, mechanism (0: the best the token has), secret -> mechanism, wrapped
  kUnwrap = 5,       // key's id, mechanism, wrapped -> secret
  kSetPin = 6,       // PIN, new PIN ->
  kMakeInside = 7,   // algorithm, id, label -> public key as the token has it
  kSign = 8,         // algorithm, id, deterministic, context, message -> signature
  kDecapsulate = 9,  // algorithm, id, ciphertext -> shared secret
  kDestroy = 10,     // id -> ; nothing there is no failure
};

// Bits of kOpen's answer
enum TokenFlag : uint64_t {
  kPinCountLow = 1,  // a wrong PIN was tried since the last right one
  kPinFinalTry = 2,  // one more wrong PIN locks the token
  kPinLocked = 4,
  kOffersMlDsa = 8,  // makes keys and signs
  kOffersMlKem = 16,
};

// Bits of kUseKey's answer
enum KeyFinding : uint64_t {
  kMadeNow = 1,
  kWrapsUnextractable = 2,  // the token let the key be wrapped although it says that it can't be extracted
};

// Fault is the kind of an answer; its only field is then a sentence.
enum class Fault : uint8_t {
  kNone = 0,
  kFailed = 1,        // anything else
  kBadModule = 2,     // missing, can be written by others, not a PKCS#11 module
  kTokenAbsent = 3,   // no such token
  kTokenDoubled = 4,  // several
  kPinWrong = 5,
  kPinLocked = 6,
  kPinRefused = 7,   // of a length or with characters that the token does not take, expired, not set yet
  kSessionLost = 8,  // also a token that was taken out: opening it again tells
  kKeyAbsent = 9,
  kKeyDoubled = 10,
  kKeyUnprotected = 11,  // can be read out
  kNoMechanism = 12,
  kWrongWrap = 13,  // what was to be unwrapped is not what the key wrapped
  kLast = kWrongWrap,
};

// Message is one of either direction; `kind` is a Request or a Fault.
struct Message {
  uint8_t kind = 0;
  std::vector<WipedBytes> fields;

  // Each is a field, or kInvalidPayload where it is missing or not of the right size.
  Result<Bytes> bytes(size_t field, size_t least, size_t most) const;
  Result<std::string> text(size_t field, size_t most) const;
  Result<uint64_t> number(size_t field) const;

  void add(Bytes bytes) { fields.emplace_back(bytes); }
  void add_text(std::string_view text) { fields.emplace_back(as_bytes(text)); }
  void add_number(uint64_t number);

  // decode accepts exactly what encode writes; kInvalidPayload otherwise.
  static Result<Message> decode(Bytes packet);
  WipedBytes encode() const;
};

}  // namespace wvds::keystore::hsm
