#include "tools/wvds/doctor/finding.h"

#include <algorithm>

#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

const char* level_word(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kWarning: return "warning";
    case Level::kProblem: return "problem";
    case Level::kNotChecked: return "not checked";
  }
  return "";
}

// File names and the service's texts could hold line ends; a finding is one line.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

size_t Findings::count(Level level) const {
  return static_cast<size_t>(std::ranges::count(all_, level, &Finding::level));
}

Report findings_report(const Findings& findings) {
  Report report;
  Json list = Json::array();
  for (const Finding& finding : findings.all()) {
    const std::string cure = finding.cure.empty() ? "" : ". Cure: " + finding.cure;
    report.only_text(one_line(padded(level_word(finding.level), 12) + padded(finding.check, 14) + finding.text + cure));
    list.push_back({{"level", level_word(finding.level)},
                    {"check", finding.check},
                    {"text", finding.text},
                    {"cure", finding.cure.empty() ? Json(nullptr) : Json(finding.cure)}});
  }
  report.only_json({{"problems", findings.count(Level::kProblem)},
                    {"warnings", findings.count(Level::kWarning)},
                    {"not_checked", findings.count(Level::kNotChecked)},
                    {"findings", std::move(list)}});
  return report;
}

}  // namespace wvds::tool
