#include "platform/linux/activation.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace wvds::platform {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr const char* kVariables[] = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};

std::optional<long> number(const std::string& text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// take_variable returns a variable's value, empty where there is none, and removes it.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  const std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace

// The process id says whom the descriptors are for: a program that was started by the one that was meant may have
// inherited the variables.
Result<std::optional<int>> take_activation_socket() {
  const std::string descriptors = take_variable(kVariables[0]);
  const std::string process = take_variable(kVariables[1]);
  take_variable(kVariables[2]);
  if (descriptors.empty() || number(process) != getpid()) return std::nullopt;
  if (number(descriptors) != 1) {
    return fail(
        Status::kInvalidArgument,
        "LISTEN_FDS=" + descriptors + ": exactly one socket can be handed over, with one ListenSequentialPacket=");
  }
  return kFirstDescriptor;
}

}  // namespace wvds::platform
