#include "est_service/linux/confinement.h"

#include "config/linux/secret_path.h"
#include "platform/linux/name_services.h"

namespace wvds::est_service {
namespace {

using platform::FileAccess;

// add_file_of passes over a file that the configuration does not name.
void add_file_of(std::vector<platform::FileRule>& rules, const std::string& file, FileAccess access) {
  if (file.empty()) return;
  for (const std::string& folder : platform::folders_of(file)) rules.push_back({folder, access});
}

}  // namespace

std::vector<platform::FileRule> file_rules(const config::Est& est) {
  std::vector<platform::FileRule> rules = platform::rules_for_names();
  rules.push_back({est.folder, FileAccess::kChange});
  add_file_of(rules, est.socket_path, FileAccess::kSocket);
  add_file_of(rules, est.trust.anchors_file, FileAccess::kRead);
  add_file_of(rules, est.trust.implicit_anchors_file, FileAccess::kRead);
  add_file_of(rules, est.credential.key_file, FileAccess::kRead);
  add_file_of(rules, est.credential.certificate_file, FileAccess::kChange);  // a renewed one replaces it
  if (const auto password = config::secret_path(est.credential.password))
    add_file_of(rules, *password, FileAccess::kRead);
  return rules;
}

}  // namespace wvds::est_service
