#pragma once

#include <cstddef>
#include <memory>

namespace wvds::test {

// OpensslAes encrypts with AES-256-GCM in this task: what the service's figures are compared with.
class OpensslAes {
 public:
  OpensslAes();
  ~OpensslAes();

  // encrypt encrypts `size` bytes, at most 65,536, under the next nonce; false when OpenSSL fails.
  bool encrypt(size_t size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wvds::test
