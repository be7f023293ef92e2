#include "conversation.h"

#include <fstream>
#include <stdexcept>

#include "protocol/testing/hex.h"

namespace wvds::wire {
namespace {

std::string hex_of(const Buffer& bytes) {
  std::string out = protocol::testing::to_hex(bytes);
  std::erase(out, ' ');
  return out;
}

Buffer bytes_of(const std::string& hex) {
  std::string spaced;
  for (size_t i = 0; i < hex.size(); i += 2) spaced += hex.substr(i, 2) + ' ';
  return protocol::testing::hex(spaced);
}

}  // namespace

std::string text_of(const Conversation& conversation) {
  std::string out;
  for (const Exchange& exchange : conversation) {
    out += "request " + hex_of(exchange.request) + "\n";
    out += (exchange.is_fixed ? "answer " : "answer~ ") + hex_of(exchange.answer) + "\n";
  }
  return out;
}

Conversation read_conversation(const std::string& path) {
  std::ifstream file(path);
  Conversation out;
  std::string request, answer, request_hex, answer_hex;
  while (file >> request >> request_hex) {
    if (!(file >> answer >> answer_hex) || request != "request" || (answer != "answer" && answer != "answer~"))
      throw std::runtime_error(path + ": exchange " + std::to_string(out.size() + 1) + " can't be read");
    out.push_back({bytes_of(request_hex), bytes_of(answer_hex), answer == "answer"});
  }
  if (out.empty()) throw std::runtime_error(path + ": holds no exchange");
  return out;
}

}  // namespace wvds::wire
