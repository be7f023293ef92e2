#pragma once

#include <functional>
#include <memory>
#include <string>

#include "keystore/hsm/helper_messages.h"
#include "keystore/hsm/token.h"

namespace wvds::keystore::hsm {

// HelperServer answers requests in the helper process: it decodes them, asks the token, and encodes what came of it.
class HelperServer {
 public:
  // LoadModule loads the module at a path; a failure's detail says why it can't be used.
  using LoadModule = std::function<Result<Module>(const std::string& path)>;
  explicit HelperServer(LoadModule load_module) : load_module_(std::move(load_module)) {}

  WipedBytes answer(Bytes packet);

 private:
  Result<Message> handle(const Message& request);
  Result<Message> open(const Message& request);
  Result<Message> login(const Message& request);
  Result<Message> use_key(const Message& request);
  Result<Message> wrap(const Message& request);
  Result<Message> unwrap(const Message& request);
  Result<Message> set_pin(const Message& request);
  Result<Message> make_inside(const Message& request);
  Result<Message> sign(const Message& request);
  Result<Message> decapsulate(const Message& request);
  Result<Message> destroy(const Message& request);
  Message failure(const Error& error) const;

  LoadModule load_module_;
  bool loaded_ = false;
  std::unique_ptr<Token> token_;
};

inline constexpr size_t kMaxPinSize = 255;

}  // namespace wvds::keystore::hsm
