#include "support/service_sample.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace wvds::test {
namespace {

uint64_t field(const std::string& status, const std::string& name) {
  const size_t place = status.find("\n" + name + ":");
  return place == std::string::npos ? 0 : std::stoull(status.substr(place + name.size() + 2));
}

uint64_t entries_of(const std::string& folder) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(folder, error);
  return error ? 0 : static_cast<uint64_t>(std::distance(begin(entries), end(entries)));
}

uint64_t lines_of(const std::string& path) {
  std::ifstream file(path);
  return static_cast<uint64_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

}  // namespace

ServiceSample sample_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream file(folder + "/status");
  const std::string status{std::istreambuf_iterator<char>(file), {}};
  return {.resident_kb = field(status, "VmRSS"),
          .private_kb = field(status, "RssAnon"),
          .mappings = lines_of(folder + "/maps"),
          .descriptors = entries_of(folder + "/fd"),
          .threads = field(status, "Threads")};
}

bool may_see_all() { return geteuid() == 0; }

}  // namespace wvds::test
