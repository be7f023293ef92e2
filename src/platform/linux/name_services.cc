#include "platform/linux/name_services.h"

#include <dlfcn.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace wvds::platform {
namespace {

constexpr const char* kSwitch = "/etc/nsswitch.conf";

// The whole of /etc: its files are replaced when users are added, and a rule about a file goes with the old one. What
// /etc/resolv.conf leads to changes with the network, and /etc/localtime leads to the time zones.
constexpr const char* kRead[] = {
    "/etc",         "/run/systemd/userdb", "/run/userdb",          "/usr/lib/userdb", "/usr/share/zoneinfo",
    "/var/lib/sss", "/var/lib/extrausers", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
    "/run/connman", "/dev/null",           "/dev/random",          "/dev/urandom"};

bool is_service(const std::string& word) {
  return !word.empty() &&
         std::ranges::all_of(word, [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// load_services takes a line like "hosts: files mdns4_minimal [NOTFOUND=return] dns".
void load_services(std::istringstream& words) {
  for (std::string word; words >> word;) {
    if (is_service(word)) static_cast<void>(::dlopen(("libnss_" + word + ".so.2").c_str(), RTLD_NOW | RTLD_LOCAL));
  }
}

}  // namespace

void load_name_services(const std::vector<std::string>& databases) {
  std::ifstream file(kSwitch);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string database;
    if (!(words >> database) || database.back() != ':') continue;
    database.pop_back();
    if (std::ranges::find(databases, database) != databases.end()) load_services(words);
  }
}

std::vector<FileRule> rules_for_names() {
  std::vector<FileRule> out;
  for (const char* path : kRead) out.push_back({path, FileAccess::kRead});
  return out;
}

}  // namespace wvds::platform
