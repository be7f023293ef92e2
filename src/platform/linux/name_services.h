#pragma once

#include <string>
#include <vector>

#include "platform/linux/file_rules.h"

// What the C library needs to find users and hosts once this process is confined.
namespace wvds::platform {

// load_name_services loads the modules that /etc/nsswitch.conf names for `databases` ("passwd", "group", "hosts"),
// which the C library would load with the first look-up. What is not there is passed over.
void load_name_services(const std::vector<std::string>& databases);

// rules_for_names are the files that look-ups read.
std::vector<FileRule> rules_for_names();

}  // namespace wvds::platform
