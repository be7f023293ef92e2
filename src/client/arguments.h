#pragma once

#include <cstddef>
#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "protocol/operations.h"
#include "wvds_crypto.h"

// What a C caller passes in, checked before it is used, and where results go.
namespace wvds::client {

// require is kInvalidArgument when `holds` is false.
Result<> require(bool holds);

// input_bytes accepts NULL with length 0 only.
Result<Bytes> input_bytes(const uint8_t* bytes, size_t length);

// algorithm_argument refuses values that are no algorithm.
Result<Algorithm> algorithm_argument(wvds_algorithm algorithm);
Result<Lifetime> lifetime_argument(wvds_lifetime lifetime);

Result<protocol::Operation> operation_argument(wvds_operation operation);

// usages_argument passes every bit that the wire can carry: which ones a key may have is the service's to judge.
Result<Usages> usages_argument(uint32_t usages);

// ciphertext_argument leaves the exact length to the service, which knows the key: kInvalidPayload for what no ML-KEM
// has.
Result<Bytes> ciphertext_argument(const uint8_t* ciphertext, size_t length);

// PublicKeyArgument is a checked wvds_public_key: an id, or an algorithm and as many bytes as it fixes.
struct PublicKeyArgument {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Bytes bytes;
};
Result<PublicKeyArgument> public_key_argument(const wvds_public_key* key);

// trusting_no_service turns a decoder's complaint about an answer into kProtocolError: the service broke the protocol.
template <class T>
Result<T> trusting_no_service(Result<T> decoded) {
  if (!decoded) return fail(Status::kProtocolError, decoded.error().detail);
  return decoded;
}
inline Result<> require_of_service(bool holds) {
  if (!holds) return fail(Status::kProtocolError);
  return {};
}

// Output is a caller's buffer. The length it reports is 0 from the start; unless commit() is reached the buffer is
// wiped when the Output goes. Inputs may overlap it, so nothing is written before fill().
class Output {
 public:
  Output(uint8_t* out, size_t* out_len, size_t max_out);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  // require_room checks the caller's pointers (kInvalidArgument) and that `needed` bytes fit (kBufferTooSmall).
  Result<> require_room(size_t needed) const;

  // fill copies an answer out, once; commit makes it the caller's.
  Result<> fill(UntrustedBytes answer);
  void commit();

 protected:
  enum class Length : bool { kReported, kFixed };
  Output(uint8_t* out, size_t* out_len, size_t max_out, Length length);

  uint8_t* const out_;

 private:
  size_t* const out_len_;
  const size_t max_out_;
  const Length length_;
  size_t filled_ = 0;
  bool committed_ = false;
};

// FixedOutput is an Output of a size that the function fixes, so that no length is reported.
class FixedOutput : public Output {
 public:
  FixedOutput(uint8_t* out, size_t size) : Output(out, nullptr, size, Length::kFixed) {}
};

// OptionalOutput is an Output that the caller may decline with NULL.
class OptionalOutput : public Output {
 public:
  using Output::Output;
  bool wanted() const { return out_ != nullptr; }
  Result<> require_room(size_t needed) const { return wanted() ? Output::require_room(needed) : Result<>{}; }
  Result<> fill(UntrustedBytes answer) { return wanted() ? Output::fill(answer) : Result<>{}; }
};

inline uint8_t* to_c(MutableBytes bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

// copy_text writes as much of a text as fits in front of a final NUL. Texts from the service are well-formed UTF-8; one
// that is cut, is cut between characters.
using MutableText = std::span<char>;
void copy_text(std::string_view text, MutableText out);

// clear sets a result to zero before anything can fail.
template <class T>
void clear(T* out) {
  if (out != nullptr) *out = T{};
}

}  // namespace wvds::client
