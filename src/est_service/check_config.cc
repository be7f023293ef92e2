#include "est_service/check_config.h"

#include "est/subject.h"
#include "est/url.h"

namespace wvds::est_service {

Result<> check_config(const config::Est& config) {
  std::string problems;
  if (const auto url = est::parse_server_url(config.server); !url)
    problems += "est.server: " + url.error().detail + "\n";
  for (size_t i = 0; i < config.certificates.size(); ++i) {
    const auto subject = est::parse_subject(config.certificates[i].subject);
    if (!subject) problems += "est.certificates[" + std::to_string(i) + "].subject: " + subject.error().detail + "\n";
  }
  if (problems.empty()) return {};
  return fail(Status::kInvalidArgument, problems);
}

}  // namespace wvds::est_service
