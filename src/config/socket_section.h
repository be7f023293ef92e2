#pragma once

#include "config/section.h"
#include "config/service_config.h"

namespace wvds::config {

// read_socket reads where clients connect.
void read_socket(Section& section, Socket& out);

}  // namespace wvds::config
