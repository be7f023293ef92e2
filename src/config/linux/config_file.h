#pragma once

#include <expected>
#include <string>

namespace wvds::config {

// read_config_file returns the file's text. The error is one line for the user: the file can't be read, is no regular
// file, is too large, or can be written by everybody (whoever writes it decides who may use which key).
std::expected<std::string, std::string> read_config_file(const std::string& path);

}  // namespace wvds::config
