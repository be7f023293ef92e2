#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/version.hpp>
#include <optional>

#include "est/http.h"
#include "est/text.h"

namespace wvds::est {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// Collector is Beast's parser with a memory of its own: Beast sees to the grammar, this to what is kept and how much.
class Collector final : public http::basic_parser<false> {
 public:
  explicit Collector(size_t body_limit) {
    header_limit(kMaxHttpHeader);
    basic_parser::body_limit(body_limit);
    eager(true);
  }

  HttpResponse response;
  bool header_done = false;

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, beast::error_code& error) override {
    error = http::error::bad_version;  // never called for answers
  }

  void on_response_impl(int status, beast::string_view reason, int version, beast::error_code& error) override {
    if (status < 100) error = http::error::bad_status;
    response.status = static_cast<unsigned>(status);
    response.version = static_cast<unsigned>(version);
    response.reason = printable(view(reason), 100);
    count(reason.size() + kStatusLine, error);
  }

  // Fields after a chunked body are counted and dropped (RFC 9110, section 6.5.1).
  void on_field_impl(http::field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    count(name.size() + value.size() + 4, error);
    if (++fields_ > kMaxHttpFields) error = http::error::header_limit;
    if (error || header_done) return;
    response.fields.push_back({lower_case(view(name)), std::string(view(value))});
  }

#if BOOST_VERSION >= 109000
  // From this version on the fields after a chunked body come here.
  void on_trailer_field_impl(http::field name, beast::string_view name_text, beast::string_view value,
                             beast::error_code& error) override {
    on_field_impl(name, name_text, value, error);
  }
#endif

  // Beast's own limit is for what comes in one piece.
  void count(size_t bytes, beast::error_code& error) {
    header_bytes_ += bytes;
    if (header_bytes_ > kMaxHttpHeader) error = http::error::header_limit;
  }

  void on_header_impl(beast::error_code&) override { header_done = true; }
  void on_body_init_impl(const boost::optional<uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(beast::string_view body, beast::error_code&) override { return keep(body); }
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, beast::error_code&) override { return keep(body); }

  void on_chunk_header_impl(uint64_t, beast::string_view extensions, beast::error_code& error) override {
    count(extensions.size(), error);
  }
  void on_finish_impl(beast::error_code&) override {}

  size_t keep(beast::string_view body) {
    append(response.body, view(body));
    return body.size();
  }

  static constexpr size_t kStatusLine = 15;  // what there is besides the reason: "HTTP/1.1 200 " and the line's end

  size_t header_bytes_ = 0;
  size_t fields_ = 0;
};

Failure failure_of(const beast::error_code& error, size_t body_limit) {
  if (error == http::error::body_limit) {
    return {FailureKind::kTooLarge, "the answer's body is longer than " + std::to_string(body_limit) + " bytes"};
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {FailureKind::kTooLarge, "the answer's header is longer than " + std::to_string(kMaxHttpHeader) +
                                        " bytes or has more than " + std::to_string(kMaxHttpFields) + " fields"};
  }
  return {FailureKind::kBadHttp, "the answer is not HTTP/1.1 or 1.0: " + error.message()};
}

// RFC 9110, section 15.2: answers that come before the one that counts. 101 would leave HTTP.
bool is_informational(unsigned status) { return status / 100 == 1; }

}  // namespace

class HttpResponseParser::State {
 public:
  explicit State(size_t body_limit) : body_limit_(body_limit), parser_(std::in_place, body_limit) {}

  Outcome<bool> push(Bytes bytes) {
    if (failure_) return std::unexpected(*failure_);
    if (parser_->is_done()) {
      if (!bytes.empty()) surplus_ = true;
      return true;
    }
    append(pending_, bytes);
    const size_t taken = consume(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken));
    if (!failure_ && !parser_->is_done() && pending_.size() > kMaxHttpHeader) fail(http::error::header_limit);
    if (failure_) return std::unexpected(*failure_);
    surplus_ = parser_->is_done() && !pending_.empty();
    return parser_->is_done();
  }

  Outcome<> finish() {
    if (failure_) return std::unexpected(*failure_);
    if (parser_->is_done()) return {};
    beast::error_code error = http::error::partial_message;
    if (parser_->got_some() && pending_.empty()) parser_->put_eof(error);
    if (error) {
      failure_ =
          Failure{FailureKind::kConnectionLost, "the server ended the connection before its answer was complete"};
      return std::unexpected(*failure_);
    }
    return {};
  }

  bool complete() const { return !failure_ && parser_->is_done(); }
  bool needs_end() const { return !failure_ && parser_->is_header_done() && parser_->need_eof(); }

  HttpResponse take() {
    if (!complete()) return {};
    parser_->response.reusable = parser_->keep_alive() && !surplus_;
    return std::move(parser_->response);
  }

 private:
  // consume feeds Beast until it wants more than there is; returns how many bytes it has used up.
  size_t consume(Bytes bytes) {
    size_t taken = 0;
    while (taken < bytes.size() && !failure_ && !parser_->is_done()) {
      if (!begins_right(text_of(bytes.subspan(taken)))) break;
      if (too_short_for_chunk(bytes.size() - taken)) break;
      beast::error_code error;
      taken += parser_->put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), error);
      if (error == http::error::need_more) break;
      if (error)
        fail(error);
      else if (parser_->is_done() && is_informational(parser_->response.status))
        start_over();
    }
    return taken;
  }

  // Chunks end with at least "0\r\n\r\n". Before Boost 1.86 Beast asserts that it has all of these bytes when it comes
  // back to the last chunk (boostorg/beast, pull request 2861).
  bool too_short_for_chunk(size_t size) const {
    constexpr size_t kShortestEnd = 5;
    return parser_->is_header_done() && parser_->chunked() && size < kShortestEnd;
  }

  // begins_right looks at the first bytes as they come: Beast waits for the whole header, and another kind of server
  // may wait as well.
  bool begins_right(std::string_view text) {
    constexpr std::string_view kBeginning = "HTTP/1.";
    const bool begun = parser_->response.status != 0;
    if (begun || text.substr(0, kBeginning.size()) == kBeginning.substr(0, text.size())) return true;
    failure_ = Failure{FailureKind::kBadHttp,
                       "the answer is not HTTP/1.1 or 1.0: it begins \"" + printable(text.substr(0, 40), 40) + "\""};
    return false;
  }

  void start_over() {
    if (parser_->response.status == 101) {
      failure_ = Failure{FailureKind::kBadHttp, "the server wants to switch to another protocol (101)"};
    } else if (++informational_ > kMaxInformational) {
      failure_ = Failure{FailureKind::kBadHttp, "the server sends informational answers (1xx) without end"};
    } else {
      parser_.emplace(body_limit_);
    }
  }

  void fail(const beast::error_code& error) { failure_ = failure_of(error, body_limit_); }

  size_t body_limit_;
  std::optional<Collector> parser_;
  WipedBuffer pending_;  // what Beast wants to see again together with what follows
  size_t informational_ = 0;
  bool surplus_ = false;
  std::optional<Failure> failure_;
};

HttpResponseParser::HttpResponseParser(size_t body_limit) : state_(std::make_unique<State>(body_limit)) {}
HttpResponseParser::HttpResponseParser(HttpResponseParser&&) noexcept = default;
HttpResponseParser& HttpResponseParser::operator=(HttpResponseParser&&) noexcept = default;
HttpResponseParser::~HttpResponseParser() = default;

Outcome<bool> HttpResponseParser::push(Bytes bytes) { return state_->push(bytes); }
Outcome<> HttpResponseParser::finish() { return state_->finish(); }
bool HttpResponseParser::complete() const { return state_->complete(); }
bool HttpResponseParser::needs_end() const { return state_->needs_end(); }
HttpResponse HttpResponseParser::take() { return state_->take(); }

const std::string* HttpResponse::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &HttpField::name);
  return found == fields.end() ? nullptr : &found->value;
}

std::vector<std::string> HttpResponse::field_values(std::string_view name) const {
  std::vector<std::string> values;
  for (const HttpField& field : fields) {
    if (field.name == name) values.push_back(field.value);
  }
  return values;
}

// Beast reads header lines only behind a status line; one that has no body lets them stand alone.
Outcome<std::vector<HttpField>> parse_fields(std::string_view lines) {
  std::string message = "HTTP/1.1 204 \r\n";
  message += lines;
  message += lines.empty() || lines.ends_with("\r\n") ? "\r\n" : "\r\n\r\n";
  Collector collector(0);
  beast::error_code error;
  const size_t taken = collector.put(boost::asio::const_buffer(message.data(), message.size()), error);
  if (error && error != http::error::need_more) return std::unexpected(failure_of(error, 0));
  if (!collector.is_done() || taken != message.size()) {
    return failed(FailureKind::kBadHttp, "header lines of a part can't be read");
  }
  return std::move(collector.response.fields);
}

}  // namespace wvds::est
