#include "est/challenge.h"

#include <algorithm>

#include "est/text.h"

namespace wvds::est {
namespace {

// ChallengeReader takes one field apart. After a comma, a token with = behind it is one more parameter of the challenge
// before; any other token is the next challenge's scheme.
class ChallengeReader {
 public:
  ChallengeReader(std::string_view value, std::vector<Challenge>& out) : reader_(value), out_(out) {}

  bool read() {
    skip_separators();
    while (!reader_.at_end()) {
      if (!read_element()) return false;
      reader_.skip_blanks();
      if (!reader_.at_end() && !reader_.next_is(',')) return false;
      skip_separators();
    }
    return true;
  }

 private:
  void skip_separators() {
    do reader_.skip_blanks();
    while (reader_.accept(','));
  }

  bool read_element() {
    FieldReader ahead = reader_;
    if (in_challenge_ && read_parameter(ahead)) {
      reader_ = ahead;
      return true;
    }
    return read_challenge();
  }

  bool read_challenge() {
    const auto scheme = reader_.token();
    if (!scheme || out_.size() == kMaxChallenges) return false;
    out_.push_back({lower_case(*scheme), {}, {}});
    in_challenge_ = true;
    if (!reader_.skip_blanks() || reader_.at_end() || reader_.next_is(',')) return true;
    FieldReader ahead = reader_;
    if (read_parameter(ahead)) {
      reader_ = ahead;
      return true;
    }
    const auto token68 = reader_.token68();
    if (token68) out_.back().token68 = *token68;
    return token68.has_value();
  }

  // read_parameter adds one to the last challenge. RFC 9110, section 11.2: each name occurs once.
  bool read_parameter(FieldReader& reader) {
    const auto name = reader.token();
    reader.skip_blanks();
    if (!name || !reader.accept('=')) return false;
    reader.skip_blanks();
    const auto value = reader.token_or_quoted_string();
    FieldReader behind = reader;
    behind.skip_blanks();
    Challenge& challenge = out_.back();
    if (!value || !(behind.at_end() || behind.next_is(',')) || challenge.parameter(lower_case(*name)) != nullptr ||
        challenge.parameters.size() == kMaxChallengeParameters) {
      return false;
    }
    challenge.parameters.push_back({lower_case(*name), *value});
    return true;
  }

  FieldReader reader_;
  std::vector<Challenge>& out_;
  bool in_challenge_ = false;
};

}  // namespace

const std::string* Challenge::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &ChallengeParameter::name);
  return found == parameters.end() ? nullptr : &found->value;
}

Outcome<std::vector<Challenge>> parse_challenges(std::span<const std::string> values) {
  std::vector<Challenge> challenges;
  for (const std::string& value : values) {
    if (!ChallengeReader(value, challenges).read()) {
      return failed(FailureKind::kBadHttp, "WWW-Authenticate can't be read: " + printable(value, 200));
    }
  }
  return challenges;
}

}  // namespace wvds::est
