#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/wvds/report.h"

namespace wvds::tool {

enum class Level : uint8_t { kOk, kWarning, kProblem, kNotChecked };

// Finding is one line of `wvds doctor`.
struct Finding {
  Level level = Level::kOk;
  std::string check;  // what was looked at: "store"
  std::string text;   // what was seen
  std::string cure;   // what to do; empty where there is nothing to do
};

class Findings {
 public:
  void ok(std::string check, std::string text) { add({Level::kOk, std::move(check), std::move(text), ""}); }
  void warning(std::string check, std::string text, std::string cure) {
    add({Level::kWarning, std::move(check), std::move(text), std::move(cure)});
  }
  void problem(std::string check, std::string text, std::string cure) {
    add({Level::kProblem, std::move(check), std::move(text), std::move(cure)});
  }
  void not_checked(std::string check, std::string reason, std::string cure = "") {
    add({Level::kNotChecked, std::move(check), std::move(reason), std::move(cure)});
  }
  void add(Finding finding) { all_.push_back(std::move(finding)); }

  const std::vector<Finding>& all() const { return all_; }
  size_t count(Level level) const;

 private:
  std::vector<Finding> all_;
};

// findings_report has a line and a JSON object each, and the numbers of each level.
Report findings_report(const Findings& findings);

}  // namespace wvds::tool
