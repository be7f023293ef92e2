#include "ca/http.h"

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>

namespace wvds::est_ca {
namespace {

namespace http = boost::beast::http;

constexpr std::uint64_t kMostBody = 4 << 20;
constexpr std::uint32_t kMostHead = 1 << 16;
constexpr std::size_t kChunk = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

HttpRequest to_request(const http::request<http::string_body>& message) {
  HttpRequest request{.method = std::string(message.method_string()),
                      .target = std::string(message.target()),
                      .body = message.body(),
                      .headers = {},
                      .keep_alive = message.keep_alive()};
  for (const auto& field : message) {
    request.headers[lower({field.name_string().data(), field.name_string().size()})] = std::string(field.value());
  }
  return request;
}

std::string chunked(std::string_view body) {
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(body.size(), kChunk))) {
    const std::string_view part = body.substr(0, kChunk);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out.append(size).append(part).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

}  // namespace

std::string HttpRequest::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at == headers.end() ? "" : at->second;
}

std::optional<HttpRequest> RequestReader::next() {
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kMostBody);
  parser.header_limit(kMostHead);
  bool continued = false;
  while (!parser.is_done()) {
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::const_buffer(pending_.data(), pending_.size()), error);
    pending_.erase(0, used);
    if (error && error != http::error::need_more) return std::nullopt;
    if (parser.is_done()) break;
    if (parser.is_header_done() && !continued &&
        lower(std::string(parser.get()[http::field::expect])) == "100-continue") {
      continued = true;
      if (!stream_.write("HTTP/1.1 100 Continue\r\n\r\n")) return std::nullopt;
    }
    if (used > 0 && !pending_.empty()) continue;
    char block[16384];
    const std::size_t got = stream_.read(block, sizeof block);
    if (got == 0) return std::nullopt;
    pending_.append(block, got);
  }
  return to_request(parser.get());
}

Message to_message(const HttpAnswer& answer, bool keep_alive) {
  Message out;
  const bool old = answer.framing == "http10";
  const std::string reason(http::obsolete_reason(static_cast<http::status>(answer.status)));
  out.head = (old ? "HTTP/1.0 " : "HTTP/1.1 ") + std::to_string(answer.status) + " " + reason + "\r\n";
  for (const auto& [name, value] : answer.headers) out.head.append(name).append(": ").append(value).append("\r\n");
  out.body = answer.body;
  if (answer.framing == "chunked") {
    out.head += "Transfer-Encoding: chunked\r\n";
    out.body = chunked(answer.body);
  } else if (answer.framing == "length" && answer.status != 204) {
    out.head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  }
  if (!keep_alive || answer.framing == "close") out.head += "Connection: close\r\n";
  out.head += "\r\n";
  return out;
}

bool send_answer(Stream& stream, const HttpAnswer& answer, bool keep_alive, std::uint64_t& sent) {
  const Message message = to_message(answer, keep_alive);
  if (!answer.fault.empty()) return send_faulty(stream, answer, message, sent);
  if (!stream.write(message.head + message.body)) return false;
  sent += message.head.size() + message.body.size();
  if (keep_alive && answer.framing != "close" && answer.framing != "http10") return true;
  stream.close();
  return false;
}

}  // namespace wvds::est_ca
