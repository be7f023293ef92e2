#include "est/response.h"

#include <algorithm>

#include "est/base64.h"
#include "est/dates.h"
#include "est/media_type.h"
#include "est/multipart.h"
#include "est/text.h"

namespace wvds::est {
namespace {

constexpr std::string_view kPkcs7 = "application/pkcs7-mime";

MediaType media_type_of(const std::string* field) {
  if (field == nullptr) return {};
  auto type = parse_media_type(*field);
  return type ? std::move(*type) : MediaType{};
}

bool parameter_is(const MediaType& type, std::string_view name, std::string_view value) {
  const std::string* found = type.parameter(name);
  return found != nullptr && equal_ignoring_case(*found, value);
}

// RFC 7030, sections 4.1.3, 4.2.3: smime-type=certs-only, which some servers leave out.
bool is_certs_only(const MediaType& type) {
  return type.name == kPkcs7 &&
         (type.parameter("smime-type") == nullptr || parameter_is(type, "smime-type", "certs-only"));
}

// server_text is what the server explains, as far as it may be shown. RFC 7030, section 4.2.3: without a content type
// the body of an error is text for people; RFC 8951, section 4: text/plain is too. JSON can be read by people as well.
std::string server_text(const HttpResponse& response) {
  const std::string* field = response.field("content-type");
  const std::string type = media_type_of(field).name;
  const bool readable = field == nullptr || type == "text/plain" || type.ends_with("json");
  return readable ? printable(text_of(response.body), kMaxServerText) : std::string();
}

std::string status_text(const HttpResponse& response) {
  std::string text = std::to_string(response.status);
  if (!response.reason.empty()) text += " " + response.reason;
  const std::string explained = server_text(response);
  return explained.empty() ? text : text + ": " + explained;
}

std::string path_of(Operation operation) { return "/" + std::string(operation_info(operation).path); }

std::unexpected<Failure> wrong_type(const Asked& asked, const std::string* field) {
  return failed(FailureKind::kBadContentType,
                "the answer to " + path_of(asked.operation) +
                    (field == nullptr ? " has no Content-Type" : " has Content-Type " + printable(*field, 100)) +
                    " instead of " + std::string(operation_info(asked.operation).accept));
}

std::unexpected<Failure> in_part(Failure failure, const char* which) {
  failure.detail = "the part with the " + std::string(which) + ": " + failure.detail;
  return std::unexpected(std::move(failure));
}

// RFC 7030, section 4.4.2: two parts, the private key as PKCS#8 or, encrypted, as CMS, and the certificate.
Outcome<Judgement> judge_key_parts(const std::vector<Part>& parts) {
  ServerMadeKey made;
  const Part* key = nullptr;
  const Part* certificate = nullptr;
  for (const Part& part : parts) {
    const MediaType type = media_type_of(part.field("content-type"));
    const bool encrypted = type.name == kPkcs7 && parameter_is(type, "smime-type", "server-generated-key");
    const bool is_key = encrypted || type.name == "application/pkcs8";
    const Part*& place = is_key ? key : certificate;
    if ((!is_key && !is_certs_only(type)) || place != nullptr) {
      return failed(FailureKind::kBadContentType, "the parts are not one key and one certificate");
    }
    place = &part;
    if (is_key) made.encrypted = encrypted;
  }
  if (key == nullptr || certificate == nullptr) {
    return failed(FailureKind::kBadContentType, "the key or the certificate is missing");
  }
  auto key_data = decode_body(key->content, kDefaultBodyLimit);
  if (!key_data) return in_part(std::move(key_data.error()), "key");
  auto certificate_data = decode_body(certificate->content, kDefaultBodyLimit);
  if (!certificate_data) return in_part(std::move(certificate_data.error()), "certificate");
  made.key = std::move(*key_data);
  made.certificate = std::move(*certificate_data);
  return made;
}

Outcome<Judgement> judge_multipart(const Asked& asked, const HttpResponse& response) {
  const std::string* field = response.field("content-type");
  const MediaType type = media_type_of(field);
  const std::string* boundary = type.parameter("boundary");
  if (type.name != operation_info(asked.operation).accept) return wrong_type(asked, field);
  const auto parts = split_multipart(response.body, boundary == nullptr ? "" : *boundary);
  if (!parts) return std::unexpected(parts.error());
  return judge_key_parts(*parts);
}

// RFC 8951, section 3: what RFC 7030 defines is base64 always; later extensions are not.
Outcome<Judgement> judge_success(const Asked& asked, HttpResponse response) {
  if (asked.operation == Operation::kServerKeygen) return judge_multipart(asked, response);
  if (asked.operation == Operation::kCsrAttrs && response.body.empty()) return NothingDemanded{};
  const std::string* field = response.field("content-type");
  const MediaType type = media_type_of(field);
  const std::string_view wanted = operation_info(asked.operation).accept;
  if (wanted == kPkcs7 ? !is_certs_only(type) : type.name != wanted) return wrong_type(asked, field);
  if (asked.operation == Operation::kRenewalInfo) return Body{std::move(response.body)};
  auto data = decode_body(response.body, response.body.size());
  if (!data) return std::unexpected(std::move(data.error()));
  if (data->empty()) return failed(FailureKind::kBadBase64, "the answer to " + path_of(asked.operation) + " is empty");
  return Body{std::move(*data)};
}

// RFC 7030, section 3.2.1: redirects to the same origin are followed. RFC 9110, section 15.4.4: 303 asks for GET, which
// a request with a CSR can't become.
Outcome<Judgement> judge_redirect(const Asked& asked, const HttpResponse& response) {
  const std::string* location = response.field("location");
  const auto refuse = [](std::string why) { return failed(FailureKind::kRedirectRefused, std::move(why)); };
  if (location == nullptr) return refuse("redirected (" + status_text(response) + ") without a Location");
  if (asked.redirects >= kMaxRedirects) {
    return refuse("redirected more than " + std::to_string(kMaxRedirects) + " times, at last to " +
                  printable(*location, 200));
  }
  if (response.status == 303 && operation_info(asked.operation).has_body) {
    return refuse("redirected by 303 to " + printable(*location, 200) + ", where the request can't be sent again");
  }
  auto target = redirect_target(asked.server, asked.target, *location);
  if (!target) return std::unexpected(std::move(target.error()));
  return Redirect{std::move(*target)};
}

Outcome<Judgement> judge_client_error(const Asked& asked, const HttpResponse& response) {
  const std::string text = status_text(response);
  switch (response.status) {
    // RFC 7030, section 4.5.2: no attributes
    case 404:
      if (asked.operation == Operation::kCsrAttrs) return NothingDemanded{};
      return failed(FailureKind::kNotOffered,
                    "the server does not know " + std::string(asked.target) + " (" + text + ")");
    case 405:
      return failed(FailureKind::kNotOffered, "the server refuses " + path_of(asked.operation) + " (" + text + ")");
    case 408: return failed(FailureKind::kServerError, "the server waited too long for the request (" + text + ")");
    case 413: return failed(FailureKind::kRequestRefused, "the server takes no request of this size (" + text + ")");
    default: return failed(FailureKind::kRequestRefused, "the server refuses the request (" + text + ")");
  }
}

Outcome<Judgement> judge_challenge(const HttpResponse& response) {
  const auto values = response.field_values("www-authenticate");
  auto challenges = parse_challenges(values);
  if (!challenges) return std::unexpected(std::move(challenges.error()));
  // RFC 9110, section 15.5.2 wants a challenge; servers that look at client certificates only send none.
  if (challenges->empty()) {
    return failed(FailureKind::kCredentialRejected,
                  "the server does not accept the client certificate (" + status_text(response) + ")");
  }
  return Authenticate{std::move(*challenges)};
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::optional<int64_t> server_time(const HttpResponse& response, int64_t now) {
  const std::string* date = response.field("date");
  return date == nullptr ? std::nullopt : parse_http_date(without_blanks(*date), now);
}

std::optional<int64_t> retry_after(const HttpResponse& response, int64_t now) {
  const std::string* field = response.field("retry-after");
  if (field == nullptr) return std::nullopt;
  const std::string_view text = without_blanks(*field);
  if (!text.empty() && std::ranges::all_of(text, is_digit)) {
    const auto seconds = decimal(text, kMaxRetryAfter);
    return std::max<int64_t>(kMinRetryAfter, static_cast<int64_t>(seconds.value_or(kMaxRetryAfter)));
  }
  const auto date = parse_http_date(text, now);
  if (!date) return std::nullopt;
  return std::clamp(*date - server_time(response, now).value_or(now), kMinRetryAfter, kMaxRetryAfter);
}

Outcome<Judgement> judge_response(const Asked& asked, HttpResponse response, int64_t now) {
  const unsigned status = response.status;
  if (status == 200) return judge_success(asked, std::move(response));
  // RFC 7030, section 4.2.3: the request waits, and the client asks again with the same one.
  if (status == 202)
    return Retry{retry_after(response, now), true, "the server works on it (" + status_text(response) + ")"};
  if (status == 204 && asked.operation == Operation::kCsrAttrs) return NothingDemanded{};
  if (is_redirect(status)) return judge_redirect(asked, response);
  if (status == 401) return judge_challenge(response);
  if (status == 503 || status == 429) {
    const auto seconds = retry_after(response, now);
    if (seconds || status == 429)
      return Retry{seconds, false, "the server has no time (" + status_text(response) + ")"};
  }
  if (status >= 400 && status < 500) return judge_client_error(asked, response);
  if (status == 501) return failed(FailureKind::kNotOffered, "the server does not have " + path_of(asked.operation));
  if (status >= 500) return failed(FailureKind::kServerError, "the server failed (" + status_text(response) + ")");
  return failed(FailureKind::kBadHttp, "an answer that has no meaning here (" + status_text(response) + ")");
}

}  // namespace wvds::est
