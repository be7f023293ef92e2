#include "est/media_type.h"

#include <algorithm>

#include "est/text.h"

namespace wvds::est {
namespace {

bool read_name(FieldReader& reader, MediaType& out) {
  reader.skip_blanks();
  const auto type = reader.token();
  if (!type || !reader.accept('/')) return false;
  const auto subtype = reader.token();
  if (!subtype) return false;
  out.name = lower_case(*type + "/" + *subtype);
  return true;
}

bool read_parameter(FieldReader& reader, MediaType& out) {
  const auto name = reader.token();
  if (!name || !reader.accept('=')) return false;
  auto value = reader.token_or_quoted_string();
  std::string lower = lower_case(*name);
  if (!value || out.parameter(lower) != nullptr || out.parameters.size() == kMaxMediaParameters) return false;
  out.parameters.push_back({std::move(lower), std::move(*value)});
  return true;
}

}  // namespace

const std::string* MediaType::parameter(std::string_view wanted) const {
  const auto found = std::ranges::find(parameters, wanted, &MediaParameter::name);
  return found == parameters.end() ? nullptr : &found->value;
}

std::optional<MediaType> parse_media_type(std::string_view value) {
  FieldReader reader(value);
  MediaType type;
  if (!read_name(reader, type)) return std::nullopt;
  for (reader.skip_blanks(); !reader.at_end(); reader.skip_blanks()) {
    if (!reader.accept(';')) return std::nullopt;
    reader.skip_blanks();
    if (reader.at_end() || reader.next_is(';')) continue;
    if (!read_parameter(reader, type)) return std::nullopt;
  }
  return type;
}

}  // namespace wvds::est
