#pragma once

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace wvds::est_ca {

using Json = nlohmann::json;

// Settings is all that a test can change while the CA runs: one JSON document, whose defaults (settings.cc) are its
// description too, and a list of rules, each for the next requests of one operation. A name that is not among the
// defaults is an error, so that no test asks for something that does not exist. Any thread.
class Settings {
 public:
  Settings();

  // Merges a part of the document into it (RFC 7396, but null never removes).
  void set(const Json& part);
  // {"on": operation or "connection" or "*", "times": N (default: always), "with": part of "answer"}
  void add_rule(const Json& rule);
  void clear_rules();

  // The whole document as it is now.
  Json now() const;
  // "answer" for the next request of this operation; uses a rule up. For a connection nothing but a rule counts.
  Json answer_for(const std::string& operation);

  std::int64_t time() const;  // the CA's clock, in Unix seconds

 private:
  struct Rule {
    std::string on;
    long times;  // below 0: always
    Json with;
  };

  mutable std::mutex mutex_;
  Json document_;
  std::deque<Rule> rules_;
};

}  // namespace wvds::est_ca
