#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wvds::keystore::hsm {

// TokenFacts is what a token says of itself, without the padding.
struct TokenFacts {
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  uint64_t slot = 0;
};

// TokenSelector says which token is meant; what is empty matches everything.
struct TokenSelector {
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  std::optional<uint64_t> slot;
  std::string key_label;  // of the URI's "object"; empty: the configuration's

  bool matches(const TokenFacts& token) const;

  // text is for messages: label "name", serial "0123".
  std::string text() const;
  bool operator==(const TokenSelector&) const = default;
};

// parse_token reads a token's label, or, where it begins with "pkcs11:", a URI of RFC 7512. Of the URI's attributes
// token, serial, manufacturer, model, slot-id, object and type=secret-key are understood; every other one is refused by
// name (kInvalidArgument), for ignoring it could choose another token: so are a PIN or a module in the URI.
Result<TokenSelector> parse_token(std::string_view text);

}  // namespace wvds::keystore::hsm
