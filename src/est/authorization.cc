#include <algorithm>
#include <array>

#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "est/authentication.h"
#include "est/text.h"
#include "est/url.h"

namespace wvds::est {
namespace {

std::unexpected<Failure> cant_carry(const char* what) {
  return failed(FailureKind::kConfiguration, std::string("HTTP authentication can't carry this ") + what);
}

std::unexpected<Failure> hash_failed(Error error) {
  return failed(
      error.status == Status::kUnsupported ? FailureKind::kUnsupportedAuthentication : FailureKind::kConfiguration,
      std::move(error.detail));
}

// has_control_characters looks at each character in the same way: the text may be a password.
bool has_control_characters(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) {
    const unsigned value = static_cast<unsigned char>(c);
    found |= ((value - ' ') | ((value ^ 0x7f) - 1)) >> 31;
  }
  return declassified(found != 0);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Hasher joins values by colons and gives the hash's lower-case hexadecimal form: H() and LHEX of RFC 7616,
// section 3.3.
class Hasher {
 public:
  Hasher(const crypto::Library& library, Scheme scheme) : library_(library), scheme_(scheme) {}

  template <class... Parts>
  Outcome<WipedBuffer> of(std::string_view first, const Parts&... parts) const {
    WipedBuffer text;
    append(text, first);
    ((append(text, ":"), append(text, parts)), ...);
    return scheme_ == Scheme::kDigestMd5 ? hex_of(crypto::md5(library_, text)) : hex_of(crypto::sha256(library_, text));
  }

 private:
  template <class Digest>
  static Outcome<WipedBuffer> hex_of(Digest digest) {
    if (!digest) return hash_failed(std::move(digest.error()));
    WipedBuffer hex;
    hex.reserve(digest->size() * 2);
    append_hex(hex, *digest);
    secure_wipe(digest->data(), digest->size());
    return hex;
  }

  const crypto::Library& library_;
  Scheme scheme_;
};

void add_raw(WipedBuffer& out, std::string_view name, std::string_view value) {
  append(out, out.empty() ? "Digest " : ", ");
  append(out, name);
  append(out, "=");
  append(out, value);
}

void add_quoted(WipedBuffer& out, std::string_view name, std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  add_raw(out, name, quoted + "\"");
}

// RFC 7617, section 2: no colon in the user name, no control characters. Names and passwords go out as UTF-8.
Outcome<WipedBuffer> basic_value(const Credentials& credentials) {
  if (credentials.username.contains(':')) return cant_carry("user name: Basic has no way to write a colon in it");
  WipedBuffer pair;
  pair.reserve(credentials.username.size() + 1 + credentials.password.size());
  append(pair, credentials.username);
  append(pair, ":");
  append(pair, credentials.password);
  const auto encoded = crypto::base64_encode(pair);
  if (!encoded) return cant_carry("password: it is too long");
  WipedBuffer value;
  append(value, "Basic ");
  append(value, *encoded);
  return value;
}

// RFC 7616, section 3.4: the user name as it is, hashed where the server wants that, or in RFC 8187's form.
Outcome<> add_username(WipedBuffer& out, const Hasher& hasher, const ChosenScheme& chosen, std::string_view username) {
  if (chosen.hash_username) {
    const auto hashed = hasher.of(username, chosen.realm);
    if (!hashed) return std::unexpected(hashed.error());
    add_quoted(out, "username", text_of(*hashed));
    add_raw(out, "userhash", "true");
  } else if (is_ascii(username)) {
    add_quoted(out, "username", username);
  } else {
    add_raw(out, "username*", "UTF-8''" + percent_encode(username));
  }
  return {};
}

std::string eight_digits(uint32_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[(count >> shift) & 0x0f];
  return text;
}

// RFC 7616, sections 3.4.1 to 3.4.3, with qop=auth.
Outcome<WipedBuffer> digest_value(const crypto::Library& library, const ChosenScheme& chosen,
                                  const Credentials& credentials, const AuthorizedRequest& request) {
  const Hasher hasher(library, chosen.scheme);
  const std::string nonce_count = eight_digits(request.nonce_count);
  const auto cnonce = crypto::base64_encode(request.random);
  if (!cnonce || request.random.size() < kCnonceRandom) return cant_carry("request: it has too few random bytes");
  const auto a1 = hasher.of(credentials.username, chosen.realm, credentials.password);
  if (!a1) return std::unexpected(a1.error());
  const auto a2 = hasher.of(request.method, request.target);
  if (!a2) return std::unexpected(a2.error());
  const auto response = hasher.of(text_of(*a1), chosen.nonce, nonce_count, text_of(*cnonce), "auth", text_of(*a2));
  if (!response) return std::unexpected(response.error());

  WipedBuffer value;
  if (auto named = add_username(value, hasher, chosen, credentials.username); !named) {
    return std::unexpected(named.error());
  }
  add_quoted(value, "realm", chosen.realm);
  add_quoted(value, "nonce", chosen.nonce);
  add_quoted(value, "uri", request.target);
  if (!chosen.algorithm.empty()) add_raw(value, "algorithm", chosen.scheme == Scheme::kDigestMd5 ? "MD5" : "SHA-256");
  add_raw(value, "qop", "auth");
  add_raw(value, "nc", nonce_count);
  add_quoted(value, "cnonce", text_of(*cnonce));
  add_quoted(value, "response", text_of(*response));
  if (chosen.opaque) add_quoted(value, "opaque", *chosen.opaque);
  return value;
}

}  // namespace

Outcome<WipedBuffer> authorization_value(const crypto::Library& library, const ChosenScheme& chosen,
                                         const Credentials& credentials, const AuthorizedRequest& request) {
  if (has_control_characters(credentials.username)) return cant_carry("user name: it has control characters");
  if (has_control_characters(text_of(credentials.password))) return cant_carry("password: it has control characters");
  if (chosen.scheme == Scheme::kBasic) return basic_value(credentials);
  return digest_value(library, chosen, credentials, request);
}

}  // namespace wvds::est
