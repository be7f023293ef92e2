#pragma once

#include <optional>
#include <string>

#include "est/certificate.h"

namespace wvds::est_service {

// hint_id names a certificate in a question for its renewal hint (est/renewal_info.h); nothing for one that has no
// authority key identifier.
std::optional<std::string> hint_id(const est::Certificate& certificate);

}  // namespace wvds::est_service
