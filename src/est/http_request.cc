#include <algorithm>

#include "est/http.h"

namespace wvds::est {
namespace {

constexpr std::string_view kUserAgent = "WvdS-est_service";

// A value that has a line end would smuggle lines into the request.
bool fits_into_line(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

bool fits_into_request_line(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f'; });
}

void add_field(WipedBuffer& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  append(out, name);
  append(out, ": ");
  append(out, value);
  append(out, "\r\n");
}

void add_body_fields(WipedBuffer& out, const HttpRequest& request) {
  add_field(out, "Content-Type", request.content_type);
  add_field(out, "Content-Transfer-Encoding", request.body.empty() ? "" : "base64");
  add_field(out, "Content-Length", std::to_string(request.body.size()));
}

}  // namespace

const char* method_name(Method method) { return method == Method::kGet ? "GET" : "POST"; }

Outcome<WipedBuffer> request_bytes(const HttpRequest& request) {
  const std::string_view values[] = {request.authority, request.accept, request.content_type,
                                     text_of(request.authorization)};
  if (!std::ranges::all_of(values, fits_into_line) || !fits_into_request_line(request.target) ||
      request.authority.empty()) {
    return failed(FailureKind::kConfiguration, "the request's address or a header field has characters it can't have");
  }
  WipedBuffer out;
  append(out, method_name(request.method));
  append(out, " ");
  append(out, request.target);
  append(out, " HTTP/1.1\r\n");
  add_field(out, "Host", request.authority);
  add_field(out, "User-Agent", kUserAgent);
  add_field(out, "Accept", request.accept);
  add_field(out, "Authorization", text_of(request.authorization));
  if (request.method == Method::kPost) add_body_fields(out, request);
  add_field(out, "Connection", request.close ? "close" : "keep-alive");
  append(out, "\r\n");
  if (request.method == Method::kPost) append(out, request.body);
  return out;
}

}  // namespace wvds::est
