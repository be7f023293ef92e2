#pragma once

#include <vector>

#include "config/est_section.h"
#include "platform/linux/file_rules.h"

namespace wvds::est_service {

// file_rules are the files that est_service may reach, as its configuration says.
std::vector<platform::FileRule> file_rules(const config::Est& est);

}  // namespace wvds::est_service
