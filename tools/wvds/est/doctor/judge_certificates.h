#pragma once

#include <string>
#include <vector>

#include "est/certificate.h"
#include "tools/wvds/doctor/finding.h"

// What est doctor thinks of certificates in files; `now` is in Unix seconds.
namespace wvds::tool {

// judge_anchors looks at the roots that vouch for the server: the file is of no use when none is valid.
void judge_anchors(Findings& findings, const std::string& path, const std::vector<est::Certificate>& anchors,
                   int64_t now);

// judge_credential looks at the certificate that authenticates the first enrolment. `is_needed`: there is no valid
// certificate that could do so.
void judge_credential(Findings& findings, const std::string& path, const est::Certificate& leaf, bool is_needed,
                      int64_t now);

}  // namespace wvds::tool
