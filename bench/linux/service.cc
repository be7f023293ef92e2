#include "bench/linux/service.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/service_calls.h"
#include "bench/stopwatch.h"
#include "protocol/operations.h"

namespace wvds::bench {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds(30);

std::string operation_list() {
  std::string list;
  for (const auto& info : protocol::operations())
    list += (list.empty() ? "\"" : ", \"") + std::string(info.config_name) + "\"";
  return list;
}

// The limits are high enough that the measurements run into none of them; they are checked all the same.
std::string config_text(const std::string& folder, const std::string& address, bool fips,
                        const std::string& protector) {
  const std::string key_file = R"("protector": "file", "file": {"key_file": ")" + folder + "/key\"}";
  std::stringstream text;
  text << "{\n"
       << "  \"socket\": {\"path\": \"" << address << "\"},\n"
       << "  \"store\": {\"path\": \"" << folder << "/store\",\n"
       << "            " << (protector.empty() ? key_file : protector) << "},\n"
       << "  \"fips\": \"" << (fips ? "required" : "off") << "\",\n"
       << "  \"sessions\": {\"total\": 320},\n"
       << "  \"rate_limit\": {\"requests_per_second\": 0},\n"
       << "  \"replay_window\": {\"total_bytes\": 1073741824},\n"
       << "  \"clients\": [{\n"
       << "    \"name\": \"bench\", \"uid\": " << getuid() << ",\n"
       << "    \"operations\": [" << operation_list() << "],\n"
       << "    \"limits\": {\"sessions\": 320, \"session_keys\": 65536, \"keys_per_minute\": 1000000000, "
          "\"window_bytes\": 1073741824}\n"
       << "  }]\n"
       << "}\n";
  return text.str();
}

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return last;
}

}  // namespace

ServiceProcess::ServiceProcess(std::string program, std::string folder)
    : program_(std::move(program)), folder_(std::move(folder)), address_(folder_ + "/crypto.sock") {}

Result<std::unique_ptr<ServiceProcess>> ServiceProcess::prepare(const std::string& program, const std::string& folder,
                                                                bool fips, const std::string& protector) {
  std::error_code error;
  if (!std::filesystem::create_directory(folder, error)) return fail(Status::kInternalError, "can't make " + folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  std::unique_ptr<ServiceProcess> service(new ServiceProcess(program, folder));
  std::ofstream(folder + "/config.json") << config_text(folder, service->address_, fips, protector);
  return service;
}

Result<> ServiceProcess::start() {
  const Clock::time_point begun = Clock::now();
  const std::string log = folder_ + "/log";
  WVDS_ASSIGN(process, Process::start({program_, "--config", folder_ + "/config.json"}, log));
  process_ = std::move(process);
  while (!Session::connect(address_)) {
    if (!process_.running() || Clock::now() - begun > kStartTimeout) {
      return fail(Status::kConnectFailed, "the service does not serve: " + last_line(log));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  start_time_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
  return {};
}

}  // namespace wvds::bench
