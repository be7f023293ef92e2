#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

// A conversation of a client with a service, as it stood in shared memory: whole frames, in their order.
namespace wvds::wire {

using Buffer = std::vector<std::byte>;

struct Exchange {
  Buffer request;
  Buffer answer;
  bool is_fixed = true;  // the service gives this answer to this request at this place, always
};
using Conversation = std::vector<Exchange>;

// A line for each frame: "request" or, for an answer that differs each time, "answer~", and else "answer"; a space; the
// bytes in hex. read_conversation throws where a file is anything else.
std::string text_of(const Conversation& conversation);
Conversation read_conversation(const std::string& path);

}  // namespace wvds::wire
