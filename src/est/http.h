#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/wiped.h"
#include "est/failure.h"

// HTTP/1.1 (RFC 9112) as a client of an EST server needs it: a request as bytes, an answer from bytes. No sockets.
namespace wvds::est {

inline constexpr size_t kMaxHttpHeader = 16 << 10;  // status line and fields of one answer
inline constexpr size_t kMaxHttpFields = 100;
inline constexpr size_t kMaxInformational = 10;  // 1xx answers before the one that counts
inline constexpr size_t kDefaultBodyLimit = 256 << 10;

enum class Method : uint8_t { kGet, kPost };
const char* method_name(Method method);

// HttpRequest looks at what it sends: all of it must live until request_bytes has returned.
struct HttpRequest {
  Method method = Method::kGet;
  std::string_view authority = {};     // ServerUrl::authority()
  std::string_view target = {};        // operation_target(), or what a redirect names
  std::string_view accept = {};        // media type
  std::string_view content_type = {};  // where there is a body
  Bytes body = {};                     // as it is sent: base64
  Bytes authorization = {};            // value of the Authorization field; empty: none
  bool close = false;                  // the server need not keep the connection
};

// request_bytes writes a request whole. RFC 8951, section 3.2: Content-Transfer-Encoding means nothing any more; it
// is sent with a body for servers of RFC 7030's time, which look for it. kConfiguration when a value has characters
// that would end its line. The bytes may hold a password: keep them in a WipedBuffer.
Outcome<WipedBuffer> request_bytes(const HttpRequest& request);

struct HttpField {
  std::string name;  // in lower case
  std::string value;
};

struct HttpResponse {
  unsigned version = 11;  // 10 or 11
  unsigned status = 0;
  std::string reason;
  std::vector<HttpField> fields;
  WipedBuffer body;       // may hold a private key (/serverkeygen)
  bool reusable = false;  // the connection takes another request

  // field is the value of the first field with this name (in lower case), or null; field_values all of them.
  const std::string* field(std::string_view name) const;
  std::vector<std::string> field_values(std::string_view name) const;
};

// HttpResponseParser takes one answer from bytes in pieces of any size. It keeps at most the limits above and
// `body_limit` in memory, and does work proportional to what it was given. After a failure it gives the same failure
// again.
class HttpResponseParser {
 public:
  explicit HttpResponseParser(size_t body_limit = kDefaultBodyLimit);
  HttpResponseParser(HttpResponseParser&&) noexcept;
  HttpResponseParser& operator=(HttpResponseParser&&) noexcept;
  ~HttpResponseParser();

  // push takes bytes from the server; true: the answer is complete. Bytes after its end make the connection not
  // reusable. kBadHttp, kTooLarge.
  Outcome<bool> push(Bytes bytes);

  // finish says that the server has ended the stream in order (TLS close_notify): where neither Content-Length nor
  // chunks said how long the body is, it ends here (RFC 9112, section 6.3). kConnectionLost when the answer is
  // incomplete. Don't call it where the stream just broke: the answer may be cut off.
  Outcome<> finish();

  bool complete() const;

  // needs_end: only the end of the stream can complete this answer.
  bool needs_end() const;

  // take gives the complete answer away (an empty one before); the parser is used up.
  HttpResponse take();

 private:
  class State;
  std::unique_ptr<State> state_;
};

// parse_fields reads header lines, as a part of a multipart body has them, without the empty line after them. The same
// limits hold.
Outcome<std::vector<HttpField>> parse_fields(std::string_view lines);

}  // namespace wvds::est
