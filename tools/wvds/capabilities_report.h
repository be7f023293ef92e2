#pragma once

#include <string>
#include <vector>

#include "tools/wvds/report.h"
#include "wvds_crypto.h"

namespace wvds::tool {

// capabilities_report describes what the service can do for this user, and how much.
Report capabilities_report(const wvds_capability_list& offer);

// add_rights adds the rate limit and the operations that the configuration grants.
void add_rights(Report& report, const wvds_capability_list& offer);

std::string rate_text(const wvds_capability_list& offer);

// lines_of writes words as the value of a line, `in_a_line` of them in each.
std::string lines_of(const std::vector<std::string>& words, const char* between, size_t in_a_line);

}  // namespace wvds::tool
