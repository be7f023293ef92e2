#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "crypto/locked_secret.h"
#include "keystore/hsm/helper.h"
#include "keystore/hsm/helper_messages.h"
#include "keystore/hsm/pin_source.h"
#include "keystore/hsm/token_uri.h"

namespace wvds::keystore::hsm {

// SessionSettings say where the token is.
struct SessionSettings {
  std::string module;  // path of the PKCS#11 module
  TokenSelector token;
};

// OpenedToken is what the token said when it was opened.
struct OpenedToken {
  TokenFacts facts;
  uint64_t flags = 0;  // TokenFlag
};

// TokenSession is the service's side of the token: it opens it in the helper when it is needed, logs in, and opens it
// again once where the session was lost. Where the module crashed or hung, the call fails and the next one starts a new
// helper. Thread-safe; one call at a time, each blocks up to the helper's deadline.
//
// A PIN that the token called wrong, or whose trial had no answer, is never tried again by this object: tokens count.
// Nor is one tried when the token says that one more wrong PIN locks it: then only the vendor's tools may.
//
// Every failure is kStorageError, kUnsupported where the token lacks a mechanism, with a detail that names the cause.
class TokenSession {
 public:
  TokenSession(SessionSettings settings, std::unique_ptr<PinSource> pin, std::unique_ptr<Helper> helper)
      : settings_(std::move(settings)), pin_source_(std::move(pin)), helper_(std::move(helper)) {}

  // open logs in unless that is done; ask does so too.
  Result<OpenedToken> open();

  // ask sends a request and returns the answer's fields.
  Result<Message> ask(Request request, const std::function<void(Message&)>& add_fields);

  // token_flags are those of the token that was opened last; 0 before. Doesn't block for the token.
  uint64_t token_flags() const { return flags_; }

  // pin_was_wrong tells whether the token refused the PIN.
  bool pin_was_wrong();

  // change_pin makes `new_pin` the token's PIN; the session knows it from then on. After a failure the token has the
  // old one where it `answered`, and one of the two where it did not.
  Result<> change_pin(Bytes new_pin, bool& answered);

 private:
  enum class PinState { kUntried, kTrying, kRight, kWrong };

  Result<> ensure_open();
  Result<> open_token();
  Result<> log_in();
  Result<> check_may_try() const;
  Result<Message> ask_open(Request request, const std::function<void(Message&)>& add_fields);
  Result<Message> exchange(const Message& request);
  std::unexpected<Error> explain(const Message& answer);

  const SessionSettings settings_;
  const std::unique_ptr<PinSource> pin_source_;

  std::mutex mutex_;
  std::unique_ptr<Helper> helper_;
  bool is_open_ = false;  // a token is open in the helper, and logged in
  OpenedToken token_;
  std::atomic<uint64_t> flags_{0};  // of token_, for those who don't wait for a call
  crypto::LockedBytes pin_;
  PinState pin_state_ = PinState::kUntried;
  std::string pin_refusal_;     // why it is not tried again
  Fault fault_ = Fault::kNone;  // of the last answer
  bool answered_ = false;       // the last request had an answer
};

}  // namespace wvds::keystore::hsm
