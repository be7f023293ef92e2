#pragma once

#include <string>

// The one temporary file of the program, which a signal that ends the program removes too: half of a plaintext must not
// lie around under a strange name.
namespace wvds::tool {

// make_temporary is mkostemp: it makes a file for its owner only, puts its name into `name`, which ends with XXXXXX,
// and gives a descriptor; -1 with errno. SIGHUP, SIGINT and SIGTERM remove it before they end the program as ever,
// unless they were ignored before. While one temporary file is there, a second is not looked after in this way.
int make_temporary(std::string& name);

// remove_temporary removes it; keep_temporary forgets it, when it got its right name.
void remove_temporary(const std::string& name);
void keep_temporary();

}  // namespace wvds::tool
