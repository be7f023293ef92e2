#pragma once

#include <vector>

#include "tools/wvds/man/man_page.h"

// The prose of the tool's pages, a file each. Examples of one page run one after the other in an empty folder that has
// a file notes.txt, against a service that lets this user do everything.
namespace wvds::tool {

std::vector<Prose> service_command_prose();  // the tool itself, status, capabilities, bench, doctor, completion
std::vector<Prose> key_command_prose();
std::vector<Prose> data_command_prose();  // what uses keys
std::vector<Prose> store_command_prose();
std::vector<Prose> est_command_prose();

}  // namespace wvds::tool
