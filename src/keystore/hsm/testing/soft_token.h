#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "keystore/hsm/session.h"

// SoftHSM tokens in a folder of a test's own, behind the faulty module or not.
namespace wvds::keystore::hsm::testing {

inline constexpr const char* kPin = "1234567";
inline constexpr const char* kSoPin = "12345678";

// why_no_soft_token says why SoftHSM can't be used here; empty where it can.
std::string why_no_soft_token();

// SoftTokens is a folder of tokens. It sets SOFTHSM2_CONF and the faulty module's variables of this process, which its
// helpers inherit; only one at a time.
class SoftTokens {
 public:
  SoftTokens();
  ~SoftTokens();
  SoftTokens(const SoftTokens&) = delete;
  SoftTokens& operator=(const SoftTokens&) = delete;

  void add(const std::string& label);
  const std::string& folder() const { return folder_; }
  static std::string module();         // SoftHSM's
  static std::string faulty_module();  // ours

  // order makes the faulty module do what `orders` says (faulty_module.cc); empty: nothing.
  void order(const std::string& orders) const;

  // write puts a file there that only this user can read; returns its path.
  std::string write(const std::string& name, const std::string& content) const;

  // session of the token with that label, by that module, with a PIN file of its own.
  std::shared_ptr<TokenSession> session(const std::string& token, const std::string& pin = kPin,
                                        const std::string& module = SoftTokens::module(),
                                        std::chrono::milliseconds deadline = std::chrono::seconds(60)) const;

 private:
  std::string folder_;
};

}  // namespace wvds::keystore::hsm::testing
