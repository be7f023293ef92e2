#include "est_service/https_server.h"

#include <array>

#include "base/log.h"
#include "est/base64.h"
#include "est/http.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::Failure;
using est::FailureKind;
using est::Outcome;

// A challenge, a stale nonce, a connection that had to be made again, and a few redirects.
constexpr int kMaxRounds = 8;
constexpr size_t kReadSize = 16 << 10;

Failure too_many_rounds(const est::ServerUrl& url) {
  return {FailureKind::kBadHttp, url.authority() + " sends this client to and fro without an answer"};
}

TlsSettings tls_settings(const HttpsSettings& settings, const Access& access) {
  TlsSettings tls{.library = settings.library, .host = settings.url.host};
  tls.tls12_allowed = settings.tls12_allowed;
  tls.server_unknown = access.server_unknown;
  tls.now = access.now;
  for (const est::Certificate& anchor : access.anchors) tls.anchors.push_back(anchor.get());
  if (access.identity == nullptr) return tls;
  tls.key = access.identity->key.get();
  for (const est::Certificate& certificate : access.identity->chain) tls.chain.push_back(certificate.get());
  return tls;
}

// RFC 8951, section 3.1 wants no line ends, but libest's server can't read a long line.
WipedBuffer in_lines(Bytes base64) {
  constexpr size_t kLine = 64;
  WipedBuffer lines;
  lines.reserve(base64.size() + base64.size() / kLine + 1);
  for (size_t i = 0; i < base64.size(); ++i) {
    lines.push_back(base64[i]);
    if (i % kLine == kLine - 1 || i + 1 == base64.size()) lines.push_back(std::byte{'\n'});
  }
  return lines;
}

}  // namespace

// Connection is one TLS connection and what it takes to ask over it.
class HttpsServer::Connection {
 public:
  static Outcome<std::unique_ptr<Connection>> open(const HttpsSettings& settings, const Access& access,
                                                   platform::TimePoint deadline) {
    auto transport = settings.dialer.dial(settings.url.host, settings.url.port, deadline);
    if (!transport) return std::unexpected(transport.error());
    auto tls = TlsStream::connect(tls_settings(settings, access), **transport, deadline);
    if (!tls) return std::unexpected(tls.error());
    log(LogLevel::kDebug, "connected to the EST server",
        {{"server", settings.url.authority()}, {"tls", (*tls)->summary()}});
    return std::make_unique<Connection>(std::move(*transport), std::move(*tls));
  }

  Connection(std::unique_ptr<ByteStream> transport, std::unique_ptr<TlsStream> tls)
      : transport_(std::move(transport)), tls_(std::move(tls)) {}

  std::vector<std::byte> binding() const { return tls_->binding(); }

  Outcome<est::HttpResponse> ask(const est::HttpRequest& request, platform::TimePoint deadline) {
    auto bytes = est::request_bytes(request);
    if (!bytes) return std::unexpected(bytes.error());
    const auto sent = tls_->write(*bytes, deadline);
    // A server may answer and close before it has read everything: what it says is worth more than the broken pipe.
    auto response = read_response(deadline);
    if (!response && !sent && response.error().kind == FailureKind::kConnectionLost)
      return std::unexpected(sent.error());
    return response;
  }

 private:
  Outcome<est::HttpResponse> read_response(platform::TimePoint deadline) {
    est::HttpResponseParser parser;
    std::array<std::byte, kReadSize> buffer;
    while (!parser.complete()) {
      const auto got = tls_->read(buffer, deadline);
      if (!got) return std::unexpected(got.error());
      if (*got == 0) {
        if (const auto finished = parser.finish(); !finished) return std::unexpected(finished.error());
        break;
      }
      if (const auto pushed = parser.push(Bytes(buffer).first(*got)); !pushed) return std::unexpected(pushed.error());
    }
    return parser.take();
  }

  std::unique_ptr<ByteStream> transport_;
  std::unique_ptr<TlsStream> tls_;
};

// Exchange is one operation until its answer: over as many connections, challenges and redirects as it takes.
class HttpsServer::Exchange {
 public:
  Exchange(const HttpsSettings& settings, const Access& access, est::Operation operation,
           const MakeRequest* make_request, std::string target, est::Authenticator authenticator)
      : settings_(settings),
        access_(access),
        operation_(operation),
        make_request_(make_request),
        target_(std::move(target)),
        authority_(settings.url.authority()),
        authenticator_(std::move(authenticator)),
        deadline_(platform::monotonic_now() + settings.timeout) {}

  Outcome<est::Judgement> run() {
    for (int round = 0; round < kMaxRounds; ++round) {
      auto judgement = ask_once();
      if (!judgement) return judgement;
      if (auto* challenge = std::get_if<est::Authenticate>(&*judgement)) {
        if (const auto taken = authenticator_.challenged(challenge->challenges); !taken)
          return std::unexpected(taken.error());
      } else if (auto* redirect = std::get_if<est::Redirect>(&*judgement)) {
        target_ = std::move(redirect->target);
        ++redirects_;
      } else {
        return judgement;
      }
    }
    return std::unexpected(too_many_rounds(settings_.url));
  }

 private:
  Outcome<est::Judgement> ask_once() {
    if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
    const auto body = request_body();
    if (!body) return std::unexpected(body.error());
    const auto authorization = this->authorization();
    if (!authorization) return std::unexpected(authorization.error());
    if (access_.password_used != nullptr && !authorization->empty()) *access_.password_used = true;
    auto response = connection_->ask(request(*body, *authorization), deadline_);
    if (!response) {
      connection_.reset();
      return std::unexpected(response.error());
    }
    if (!response->reusable) connection_.reset();
    if (response->status != 401) authenticator_.accepted();
    return est::judge_response({settings_.url, operation_, target_, redirects_}, std::move(*response), access_.now);
  }

  Outcome<> connect() {
    if (connection_) return {};
    auto opened = Connection::open(settings_, access_, deadline_);
    if (!opened) return std::unexpected(opened.error());
    connection_ = std::move(*opened);
    return {};
  }

  // The request is linked to the connection that it goes over (RFC 7030, section 3.5).
  Outcome<WipedBuffer> request_body() const {
    if (make_request_ == nullptr) return WipedBuffer();
    const auto csr = (*make_request_)(connection_->binding());
    if (!csr) return std::unexpected(csr.error());
    const auto text = est::encode_body(*csr);
    if (!text) return text;
    return in_lines(*text);
  }

  Outcome<WipedBuffer> authorization() {
    std::array<std::byte, est::kCnonceRandom> random{};
    if (const auto drawn = settings_.library.random(random); !drawn)
      return failed(FailureKind::kKeyService, "no random numbers: " + drawn.error().detail);
    return authenticator_.authorization(est::method_name(method()), target_, random);
  }

  est::Method method() const { return make_request_ == nullptr ? est::Method::kGet : est::Method::kPost; }

  est::HttpRequest request(Bytes body, Bytes authorization) const {
    est::HttpRequest request;
    request.method = method();
    request.authority = authority_;
    request.target = target_;
    request.accept = est::operation_info(operation_).accept;
    if (make_request_ != nullptr) request.content_type = "application/pkcs10";
    request.body = body;
    request.authorization = authorization;
    return request;
  }

  const HttpsSettings& settings_;
  const Access& access_;
  const est::Operation operation_;
  const MakeRequest* const make_request_;
  std::string target_;
  const std::string authority_;
  est::Authenticator authenticator_;
  const platform::TimePoint deadline_;
  std::unique_ptr<Connection> connection_;
  size_t redirects_ = 0;
};

HttpsServer::HttpsServer(HttpsSettings settings) : settings_(std::move(settings)) {}
HttpsServer::~HttpsServer() = default;

Outcome<est::Judgement> HttpsServer::ask(const Access& access, est::Operation operation,
                                         const MakeRequest* make_request, const std::string& certificate_id) {
  std::string username;
  crypto::LockedBytes password;
  if (access.password_used != nullptr && !settings_.username.empty()) {
    auto read = settings_.password();
    if (!read) return failed(FailureKind::kConfiguration, "the password can't be read: " + read.error().detail);
    username = settings_.username;
    password = std::move(*read);
  }
  est::Authenticator authenticator(settings_.library, std::move(username), std::move(password));
  Exchange exchange(settings_, access, operation, make_request,
                    est::operation_target(settings_.url, operation, certificate_id), std::move(authenticator));
  return exchange.run();
}

Outcome<WipedBuffer> HttpsServer::ask_for_body(const Access& access, est::Operation operation,
                                               const std::string& certificate_id) {
  auto judgement = ask(access, operation, nullptr, certificate_id);
  if (!judgement) return std::unexpected(judgement.error());
  if (auto* body = std::get_if<est::Body>(&*judgement)) return std::move(body->data);
  if (auto* retry = std::get_if<est::Retry>(&*judgement)) return failed(FailureKind::kRetryLater, retry->detail);
  return failed(FailureKind::kNotOffered, "the server has nothing to say");
}

Outcome<WipedBuffer> HttpsServer::ca_certificates(const Access& access) {
  return ask_for_body(access, est::Operation::kCaCerts);
}

Outcome<WipedBuffer> HttpsServer::renewal_info(const Access& access, const std::string& certificate_id) {
  return ask_for_body(access, est::Operation::kRenewalInfo, certificate_id);
}

Outcome<std::optional<WipedBuffer>> HttpsServer::csr_attributes(const Access& access) {
  auto judgement = ask(access, est::Operation::kCsrAttrs, nullptr);
  if (!judgement) return std::unexpected(judgement.error());
  if (auto* body = std::get_if<est::Body>(&*judgement)) return std::move(body->data);
  if (auto* retry = std::get_if<est::Retry>(&*judgement)) return failed(FailureKind::kRetryLater, retry->detail);
  return std::optional<WipedBuffer>();
}

Outcome<EnrollAnswer> HttpsServer::enroll(const Access& access, est::Operation operation,
                                          const MakeRequest& make_request) {
  auto judgement = ask(access, operation, &make_request);
  if (!judgement) return std::unexpected(judgement.error());
  if (auto* body = std::get_if<est::Body>(&*judgement)) return Issued{std::move(body->data)};
  if (auto* made = std::get_if<est::ServerMadeKey>(&*judgement)) {
    if (made->encrypted)
      return failed(FailureKind::kNotUsable,
                    "the server encrypted the key that it made for a key that this device lacks");
    return ServerMade{std::move(made->certificate), std::move(made->key)};
  }
  if (auto* retry = std::get_if<est::Retry>(&*judgement))
    return Later{retry->seconds, retry->accepted, std::move(retry->detail)};
  return failed(FailureKind::kBadHttp, "the server answered without a certificate");
}

}  // namespace wvds::est_service
