#pragma once

#include <expected>
#include <string>
#include <utility>

namespace wvds::tool {

// Exit is the tool's exit status; --help tells it to people, so its values stay.
enum class Exit : int {
  kDone = 0,
  kFailed = 1,     // the operation failed, or a signature is not valid
  kUsage = 2,      // the command line is wrong
  kNoService = 3,  // no session with the service: not running, not reachable, or it does not serve this user
};

// Failure ends the command. The message says what failed, on which input, and what helps; main adds the program's name.
struct Failure {
  Exit exit = Exit::kFailed;
  std::string message;
};

template <class T = void>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> failed(std::string message) {
  return std::unexpected(Failure{Exit::kFailed, std::move(message)});
}
inline std::unexpected<Failure> misused(std::string message) {
  return std::unexpected(Failure{Exit::kUsage, std::move(message)});
}

}  // namespace wvds::tool

// TOOL_TRY returns the failure of `expression`, an Outcome, from the enclosing function.
#define TOOL_TRY(expression)                                                                                      \
  do {                                                                                                            \
    if (auto tool_outcome = (expression); !tool_outcome) return std::unexpected(std::move(tool_outcome.error())); \
  } while (false)

// TOOL_ASSIGN declares `variable` from the value of `expression`, an Outcome, or returns its failure.
#define TOOL_ASSIGN(variable, expression)                                                 \
  auto variable##_outcome = (expression);                                                 \
  if (!variable##_outcome) return std::unexpected(std::move(variable##_outcome.error())); \
  auto& variable = *variable##_outcome
