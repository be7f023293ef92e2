#include "keystore/hsm/token_uri.h"

#include <algorithm>
#include <charconv>

namespace wvds::keystore::hsm {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr size_t kMaxLabel = 32;  // CK_TOKEN_INFO, as all the sizes here
constexpr size_t kMaxSerial = 16;
constexpr size_t kMaxManufacturer = 32;
constexpr size_t kMaxModel = 16;
constexpr size_t kMaxKeyLabel = 64;

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Status::kInvalidArgument, "the token's name: " + why);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.1
Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return refuse("% must be followed by two hexadecimal digits");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (std::ranges::any_of(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return refuse("holds a control character");
  return out;
}

Result<> set_text(std::string_view name, std::string_view value, size_t most, std::string& out) {
  WVDS_ASSIGN(decoded, percent_decoded(value));
  if (decoded.empty() || decoded.size() > most)
    return refuse(std::string(name) + " must have 1 to " + std::to_string(most) + " bytes");
  if (!out.empty()) return refuse(std::string(name) + " stands twice");
  out = std::move(decoded);
  return {};
}

Result<> set_slot(std::string_view value, std::optional<uint64_t>& out) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return refuse("slot-id must be a number");
  if (out) return refuse("slot-id stands twice");
  out = number;
  return {};
}

// RFC 7512, section 2.3: path attributes
Result<> set_attribute(std::string_view name, std::string_view value, TokenSelector& out) {
  if (name == "token") return set_text(name, value, kMaxLabel, out.label);
  if (name == "serial") return set_text(name, value, kMaxSerial, out.serial);
  if (name == "manufacturer") return set_text(name, value, kMaxManufacturer, out.manufacturer);
  if (name == "model") return set_text(name, value, kMaxModel, out.model);
  if (name == "slot-id") return set_slot(value, out.slot);
  if (name == "object") return set_text(name, value, kMaxKeyLabel, out.key_label);
  if (name == "type" && value == "secret-key") return {};
  if (name == "type") return refuse("type can only be secret-key: the store's key is one");
  return refuse("\"" + std::string(name) +
                "\" is not understood; token, serial, manufacturer, model, slot-id and object are");
}

// Query attributes: none of them has a place here.
std::unexpected<Error> refuse_query(std::string_view name) {
  if (name == "pin-value") return refuse("pin-value is refused, for a PIN does not belong into a configuration");
  if (name == "pin-source") return refuse("pin-source is not used; \"pin_file\" of the configuration names the file");
  if (name == "module-path" || name == "module-name")
    return refuse(std::string(name) + " is not used; \"module\" of the configuration names the module");
  return refuse("\"" + std::string(name) + "\" is not understood");
}

// next_part takes what is before the first `separator` off `rest`.
std::string_view next_part(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

Result<TokenSelector> parse_uri(std::string_view rest) {
  std::string_view path = next_part(rest, '?');
  if (!rest.empty()) return refuse_query(next_part(rest, '='));
  TokenSelector out;
  while (!path.empty()) {
    std::string_view attribute = next_part(path, ';');
    const std::string_view name = next_part(attribute, '=');
    WVDS_TRY(set_attribute(name, attribute, out));
  }
  if (TokenSelector token = out; (token.key_label.clear(), token == TokenSelector{}))
    return refuse("the URI must name a token: by token, serial, manufacturer, model or slot-id");
  return out;
}

bool fits(const std::string& wanted, const std::string& there) { return wanted.empty() || wanted == there; }

}  // namespace

bool TokenSelector::matches(const TokenFacts& token) const {
  return fits(label, token.label) && fits(serial, token.serial) && fits(manufacturer, token.manufacturer) &&
         fits(model, token.model) && (!slot || *slot == token.slot);
}

std::string TokenSelector::text() const {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    if (!out.empty()) out += ", ";
    out += std::string(name) + " \"" + value + "\"";
  };
  add("label", label);
  add("serial", serial);
  add("manufacturer", manufacturer);
  add("model", model);
  if (slot) add("slot", std::to_string(*slot));
  return out;
}

Result<TokenSelector> parse_token(std::string_view text) {
  if (text.starts_with(kScheme)) return parse_uri(text.substr(kScheme.size()));
  if (text.empty() || text.size() > kMaxLabel) return refuse("a label has 1 to 32 bytes");
  TokenSelector out;
  out.label = text;
  return out;
}

}  // namespace wvds::keystore::hsm
