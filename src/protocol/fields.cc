#include "protocol/fields.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "protocol/key_messages.h"

namespace wvds::protocol {
namespace {

// Utf8Form is one row of the table in RFC 3629, section 4: a lead byte's range, the range of the byte after it (that is
// what excludes overlong forms, surrogates and values over U+10FFFF) and how many bytes follow the lead in all.
struct Utf8Form {
  uint8_t lead_low, lead_high;
  uint8_t second_low, second_high;
  size_t followers;
};

constexpr std::array kUtf8Forms{
    Utf8Form{0x20, 0x7e, 0, 0, 0},        // without the control characters
    Utf8Form{0xc2, 0xc2, 0xa0, 0xbf, 1},  // without U+0080 to U+009F, control characters too
    Utf8Form{0xc3, 0xdf, 0x80, 0xbf, 1}, Utf8Form{0xe0, 0xe0, 0xa0, 0xbf, 2}, Utf8Form{0xe1, 0xec, 0x80, 0xbf, 2},
    Utf8Form{0xed, 0xed, 0x80, 0x9f, 2}, Utf8Form{0xee, 0xef, 0x80, 0xbf, 2}, Utf8Form{0xf0, 0xf0, 0x90, 0xbf, 3},
    Utf8Form{0xf1, 0xf3, 0x80, 0xbf, 3}, Utf8Form{0xf4, 0xf4, 0x80, 0x8f, 3},
};

bool within(char c, uint8_t low, uint8_t high) {
  const auto value = static_cast<uint8_t>(c);
  return value >= low && value <= high;
}

const Utf8Form* form_of(char lead) {
  for (const Utf8Form& form : kUtf8Forms) {
    if (within(lead, form.lead_low, form.lead_high)) return &form;
  }
  return nullptr;
}

bool followers_are_valid(const Utf8Form& form, std::string_view followers) {
  if (followers.size() != form.followers) return false;
  if (!followers.empty() && !within(followers[0], form.second_low, form.second_high)) return false;
  for (size_t i = 1; i < followers.size(); ++i) {
    if (!within(followers[i], 0x80, 0xbf)) return false;
  }
  return true;
}

}  // namespace

Result<> require(bool holds, const char* rule) {
  if (!holds) return fail(Status::kInvalidPayload, rule);
  return {};
}

Result<> require_argument(bool holds, const char* rule) {
  if (!holds) return fail(Status::kInvalidArgument, rule);
  return {};
}

Result<> require_sound(const KeyLimits& limits) {
  return require(limits_are_sound(limits), "limits that make no sense");
}

bool is_lifetime(Lifetime lifetime) { return lifetime <= Lifetime::kPersistent; }

bool is_key_lifetime(Lifetime lifetime) { return is_lifetime(lifetime) && lifetime != Lifetime::kDefault; }

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const Utf8Form* form = form_of(text.front());
    if (form == nullptr || !followers_are_valid(*form, text.substr(1, form->followers))) return false;
    text.remove_prefix(1 + form->followers);
  }
  return true;
}

bool has_length(Algorithm algorithm, size_t AlgorithmInfo::* field, size_t length) {
  const AlgorithmInfo* info = algorithm_info(algorithm);
  return info != nullptr && info->*field == length;
}

Result<> require_key_choice(uint32_t key_id, Algorithm algorithm, bool of_family, size_t public_key_length) {
  if (key_id != 0) {
    return require(algorithm == Algorithm::kNone && public_key_length == 0, "a key id and a public key at once");
  }
  WVDS_TRY(require(of_family, "algorithm is not one of this operation"));
  return require(has_length(algorithm, &AlgorithmInfo::public_key, public_key_length),
                 "public key has the wrong length");
}

Result<> write_text(Writer& writer, std::string_view text) {
  WVDS_TRY(require_argument(text.size() <= std::numeric_limits<uint16_t>::max(), "text is longer than 65,535 bytes"));
  writer.u16(static_cast<uint16_t>(text.size()));
  writer.text(text);
  return {};
}

std::string read_text(Reader& reader) {
  const size_t length = reader.u16();
  return reader.text(length);
}

std::string printable(std::string text) {
  if (is_text(text)) return text;
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

std::string cut_text(std::string text, size_t most) {
  text = printable(std::move(text));
  if (text.size() <= most) return text;
  while (within(text[most], 0x80, 0xbf)) --most;  // not in the middle of a character
  text.resize(most);
  return text;
}

std::string provider_name(std::string text) { return cut_text(std::move(text), kMaxProviderSize); }

Result<std::string> read_provider_name(Reader& reader, size_t length) {
  std::string name = reader.text(length);
  WVDS_TRY(
      require(name.size() <= kMaxProviderSize && is_text(name), "provider's name is not text of at most 96 bytes"));
  return name;
}

}  // namespace wvds::protocol
