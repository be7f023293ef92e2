#include "client/arguments.h"

#include <algorithm>
#include <limits>

#include "base/secret.h"

namespace wvds::client {

Result<> require(bool holds) {
  if (!holds) return fail(Status::kInvalidArgument);
  return {};
}

Result<Bytes> input_bytes(const uint8_t* bytes, size_t length) {
  WVDS_TRY(require(bytes != nullptr || length == 0));
  return std::as_bytes(std::span(bytes, length));
}

Result<Algorithm> algorithm_argument(wvds_algorithm algorithm) {
  WVDS_TRY(require(algorithm <= std::numeric_limits<uint8_t>::max()));
  const auto value = static_cast<Algorithm>(algorithm);
  WVDS_TRY(require(algorithm_info(value) != nullptr));
  return value;
}

Result<Lifetime> lifetime_argument(wvds_lifetime lifetime) {
  WVDS_TRY(require(lifetime <= WVDS_LIFETIME_PERSISTENT));
  return static_cast<Lifetime>(lifetime);
}

Result<protocol::Operation> operation_argument(wvds_operation operation) {
  WVDS_TRY(require(operation <= std::numeric_limits<uint8_t>::max()));
  const protocol::OperationInfo* info = protocol::operation_info(static_cast<uint8_t>(operation));
  WVDS_TRY(require(info != nullptr));
  return info->operation;
}

Result<Usages> usages_argument(uint32_t usages) {
  WVDS_TRY(require(usages <= std::numeric_limits<Usages>::max()));
  return static_cast<Usages>(usages);
}

Result<Bytes> ciphertext_argument(const uint8_t* ciphertext, size_t length) {
  WVDS_ASSIGN(bytes, input_bytes(ciphertext, length));
  if (bytes.size() > kMaxKemCiphertextSize) return fail(Status::kInvalidPayload);
  return bytes;
}

Result<PublicKeyArgument> public_key_argument(const wvds_public_key* key) {
  WVDS_TRY(require(key != nullptr));
  if (key->key_id != 0) {
    WVDS_TRY(require(key->algorithm == 0 && key->len == 0));
    return PublicKeyArgument{key->key_id, Algorithm::kNone, {}};
  }
  WVDS_ASSIGN(algorithm, algorithm_argument(key->algorithm));
  WVDS_ASSIGN(bytes, input_bytes(key->bytes, key->len));
  WVDS_TRY(require(!bytes.empty() && bytes.size() == algorithm_info(algorithm)->public_key));
  return PublicKeyArgument{0, algorithm, bytes};
}

void copy_text(std::string_view text, MutableText out) {
  constexpr auto continues = [](char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; };
  size_t length = std::min(text.size(), out.size() - 1);
  while (length != 0 && length < text.size() && continues(text[length])) --length;
  *std::ranges::copy(text.substr(0, length), out.begin()).out = '\0';
}

Output::Output(uint8_t* out, size_t* out_len, size_t max_out) : Output(out, out_len, max_out, Length::kReported) {}

Output::Output(uint8_t* out, size_t* out_len, size_t max_out, Length length)
    : out_(out), out_len_(out_len), max_out_(max_out), length_(length) {
  clear(out_len_);
}

Output::~Output() {
  if (!committed_ && out_ != nullptr) secure_wipe(out_, max_out_);
}

Result<> Output::require_room(size_t needed) const {
  WVDS_TRY(require(length_ == Length::kFixed || out_len_ != nullptr));
  WVDS_TRY(require(out_ != nullptr || max_out_ == 0));
  if (needed > max_out_) return fail(Status::kBufferTooSmall);
  return {};
}

Result<> Output::fill(UntrustedBytes answer) {
  if (answer.size() > max_out_) return fail(Status::kBufferTooSmall);
  filled_ = answer.copy_to(std::as_writable_bytes(std::span(out_, max_out_))).size();
  return {};
}

void Output::commit() {
  committed_ = true;
  if (out_len_ != nullptr) *out_len_ = filled_;
}

}  // namespace wvds::client
