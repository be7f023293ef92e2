#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"

namespace wvds::bench {

struct Range {
  size_t offset = 0;
  size_t length = 0;
};

// Request is the data of one request: the payload as docs/protocol.md gives it, with key id 0, and where in it the
// caller's inputs are. Every variant gets the same bytes.
struct Request {
  std::vector<std::byte> payload;
  Range data;        // plaintext, sealed message, message to sign or verify, KEM ciphertext
  Range public_key;  // raw, where the request carries one
  Range signature;
  size_t answer_size = 0;
};

// Work is what one variant works on: inputs that this processor has just written, and room for the answer.
class Work {
 public:
  Work();

  // load copies the request's bytes to where the variant takes them from.
  void load(const Request& request);

  Bytes payload() const { return Bytes(input_).first(request_->payload.size()); }
  Bytes data() const { return part(request_->data); }
  Bytes public_key() const { return part(request_->public_key); }
  Bytes signature() const { return part(request_->signature); }
  size_t answer_size() const { return request_->answer_size; }
  MutableBytes output() { return output_; }

 private:
  Bytes part(Range range) const { return Bytes(input_).subspan(range.offset, range.length); }

  const Request* request_ = nullptr;
  std::vector<std::byte> input_;
  std::vector<std::byte> output_;
};

// fill_random writes statistically random bytes ; not for secrets.
void fill_random(MutableBytes out);

// read_all reads every byte once, as a caller does who uses an answer.
void read_all(Bytes bytes);

}  // namespace wvds::bench
