#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ca/stream.h"

namespace wvds::est_ca {

// HttpRequest is one request; names of headers are in lower case.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string body;
  std::map<std::string, std::string> headers;
  bool keep_alive = true;

  std::string header(const std::string& name) const;
};

// RequestReader reads requests one after another from a connection.
class RequestReader {
 public:
  explicit RequestReader(Stream& stream) : stream_(stream) {}
  // Nothing at the end of the connection, or when what came is not HTTP.
  std::optional<HttpRequest> next();

 private:
  Stream& stream_;
  std::string pending_;
};

// HttpAnswer is an answer and the way it is to be sent.
struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // "length", "chunked", "close" (the body ends with the connection), "http10" (HTTP/1.0 and so)
  std::string framing = "length";
  // What goes wrong, or nothing; see faults.cc
  std::string fault;
  std::size_t size = 0;  // bytes for "oversized", "pad"
  int pace = 20;         // milliseconds between two bytes for "slow"

  void add(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

// The head and the body as they stand on the wire.
struct Message {
  std::string head;
  std::string body;
};
Message to_message(const HttpAnswer& answer, bool keep_alive);

// Sends it; false where the connection can't be used any more, by a fault or because it ends with the body.
// `sent` counts the bytes that were written.
bool send_answer(Stream& stream, const HttpAnswer& answer, bool keep_alive, std::uint64_t& sent);

// Sends what a fault wants in place of a good answer. Faults:
//  close-before-answer, reset, stall, garbage: instead of the head
//  close-in-head, stall-in-head, endless-head
//  close-in-body, cut-in-body (no close_notify), reset-in-body, stall-in-body, endless-body, oversized, bad-chunk, slow
bool send_faulty(Stream& stream, const HttpAnswer& answer, const Message& message, std::uint64_t& sent);

}  // namespace wvds::est_ca
