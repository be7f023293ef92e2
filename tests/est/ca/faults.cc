#include <functional>
#include <map>
#include <stdexcept>

#include "ca/http.h"

namespace wvds::est_ca {
namespace {

// Sender sends until something ends it, and counts.
class Sender {
 public:
  Sender(Stream& stream, std::uint64_t& sent) : stream_(stream), sent_(sent) {}

  bool put(std::string_view bytes) {
    if (!stream_.write(bytes)) return false;
    sent_ += bytes.size();
    return true;
  }
  void stall() { stream_.wait_for_close(); }
  void reset() { stream_.reset(); }
  void cut() { stream_.cut(); }

  // Until the peer has enough.
  void endless(const std::string& piece) {
    std::string block;
    while (block.size() < 16384) block += piece;
    while (put(block)) {
    }
  }
  void slow(std::string_view bytes, int pace) {
    for (const char byte : bytes) {
      if (!put({&byte, 1}) || !stream_.pause(pace)) return;
    }
  }

 private:
  Stream& stream_;
  std::uint64_t& sent_;
};

// The head without the length, so that a body may be of any.
std::string without_length(const Message& message) {
  std::string head = message.head;
  const std::size_t at = head.find("Content-Length:");
  if (at != std::string::npos) head.erase(at, head.find("\r\n", at) + 2 - at);
  return head;
}

using Fault = std::function<void(Sender&, const HttpAnswer&, const Message&)>;

void oversized(Sender& out, const HttpAnswer& answer, const Message& message) {
  std::string head = without_length(message);
  head.insert(head.size() - 2, "Content-Length: " + std::to_string(answer.size) + "\r\n");
  if (!out.put(head)) return;
  const std::string block(16384, 'A');
  for (std::size_t left = answer.size; left > 0;) {
    const std::size_t size = std::min(left, block.size());
    if (!out.put(std::string_view(block).substr(0, size))) return;
    left -= size;
  }
  out.stall();
}

const std::map<std::string, Fault>& faults() {
  static const std::map<std::string, Fault> kFaults = {
      {"close-before-answer", [](Sender&, const HttpAnswer&, const Message&) {}},
      {"reset", [](Sender& out, const HttpAnswer&, const Message&) { out.reset(); }},
      {"stall", [](Sender& out, const HttpAnswer&, const Message&) { out.stall(); }},
      {"garbage",
       [](Sender& out, const HttpAnswer&, const Message&) { out.put("SSH-2.0-OpenSSH_9.2\r\n\0\1\2\3\r\n\r\n"); }},
      {"close-in-head",
       [](Sender& out, const HttpAnswer&, const Message& m) { out.put(m.head.substr(0, m.head.size() / 2)); }},
      {"stall-in-head",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         out.put(m.head.substr(0, m.head.size() / 2));
         out.stall();
       }},
      {"endless-head",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         if (out.put(m.head.substr(0, m.head.size() - 2)))
           out.endless("X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
       }},
      {"close-in-body",
       [](Sender& out, const HttpAnswer&, const Message& m) { out.put(m.head + m.body.substr(0, m.body.size() / 2)); }},
      {"cut-in-body",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         out.put(m.head + m.body.substr(0, m.body.size() / 2));
         out.cut();
       }},
      {"reset-in-body",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         out.put(m.head + m.body.substr(0, m.body.size() / 2));
         out.reset();
       }},
      {"stall-in-body",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         out.put(m.head + m.body.substr(0, m.body.size() / 2));
         out.stall();
       }},
      {"endless-body",
       [](Sender& out, const HttpAnswer& a, const Message& m) {
         const bool chunks = a.framing == "chunked";
         if (out.put(without_length(m))) out.endless(chunks ? "4\r\nQUFB\r\n" : "QUFB");
       }},
      {"oversized", oversized},
      {"bad-chunk",
       [](Sender& out, const HttpAnswer&, const Message& m) {
         std::string head = without_length(m);
         head.insert(head.size() - 2, "Transfer-Encoding: chunked\r\n");
         out.put(head + "zz\r\nQUFB\r\n0\r\n\r\n");
       }},
      {"slow", [](Sender& out, const HttpAnswer& a, const Message& m) { out.slow(m.head + m.body, a.pace); }},
  };
  return kFaults;
}

}  // namespace

bool send_faulty(Stream& stream, const HttpAnswer& answer, const Message& message, std::uint64_t& sent) {
  const auto fault = faults().find(answer.fault);
  if (fault == faults().end()) throw std::runtime_error("no fault called " + answer.fault);
  Sender sender(stream, sent);
  fault->second(sender, answer, message);
  if (!answer.fault.starts_with("reset") && !answer.fault.starts_with("cut")) stream.close();
  return false;
}

}  // namespace wvds::est_ca
