#include "ca/operations.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <stdexcept>

#include "ca/issuing.h"
#include "ca/messages.h"

namespace wvds::est_ca {
namespace {

constexpr std::string_view kPrefix = "/.well-known/est/";
constexpr std::string_view kRenewalInfo = "renewal-info/";

// The way in which an answer is to be sent, and what a test adds to it
HttpAnswer shaped(const Json& wanted, int status, std::string body) {
  HttpAnswer out{.status = status,
                 .headers = {},
                 .body = std::move(body),
                 .framing = wanted.at("framing"),
                 .fault = wanted.at("fault"),
                 .size = wanted.at("size"),
                 .pace = wanted.at("pace")};
  if (!wanted.at("text").is_null()) out.body = wanted.at("text").get<std::string>();
  out.body.append(wanted.at("pad").get<std::size_t>(), '\n');
  if (wanted.at("headers").is_object()) {
    for (const auto& [name, value] : wanted.at("headers").items()) out.add(name, value);
  }
  return out;
}

void set_type(HttpAnswer& answer, const Json& wanted, const std::string& type) {
  const std::string chosen = wanted.at("content_type").is_null() ? type : wanted.at("content_type").get<std::string>();
  if (!chosen.empty()) answer.add("Content-Type", chosen);
}

// An answer in DER, encoded as the test wants it
HttpAnswer encoded(const Json& wanted, const std::string& type, const Bytes& der) {
  const Bytes sent = wanted.at("der").is_null() ? der : from_base64(wanted.at("der").get<std::string>());
  HttpAnswer out = shaped(wanted, 200, transfer_encoded(sent, wanted.at("base64")));
  set_type(out, wanted, type);
  if (wanted.at("encoding_header")) out.add("Content-Transfer-Encoding", "base64");
  return out;
}

HttpAnswer plain(const Json& wanted, int status, const std::string& text) {
  HttpAnswer out = shaped(wanted, status, text.empty() ? "" : text + "\n");
  if (!text.empty()) set_type(out, wanted, "text/plain");
  return out;
}

struct Target {
  std::string operation;
  std::string label;
  std::string certificate_id;  // of /renewal-info/ID
};

// RFC 7030 section 3.2.2: /.well-known/est[/label]/operation
Target parse_target(const std::string& target) {
  if (!target.starts_with(kPrefix)) return {};
  std::string rest = target.substr(kPrefix.size());
  std::string id;
  if (const std::size_t at = rest.find(kRenewalInfo); at != std::string::npos) {
    id = rest.substr(at + kRenewalInfo.size());
    rest.resize(at + kRenewalInfo.size() - 1);
  }
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string::npos) return {rest, "", id};
  return {rest.substr(slash + 1), rest.substr(0, slash), id};
}

// RFC 9773 section 4.1: the authority key identifier and the serial number, each in base64url without padding
std::string certificate_id(const X509* certificate) {
  const auto part = [](const ASN1_STRING* value) {
    std::string text =
        to_base64(Bytes(ASN1_STRING_get0_data(value), ASN1_STRING_get0_data(value) + ASN1_STRING_length(value)));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text.substr(0, text.find('='));
  };
  // Serial numbers of this CA have no first bit set: their bytes are their DER content.
  return part(X509_get0_authority_key_id(const_cast<X509*>(certificate))) + "." +
         part(X509_get0_serialNumber(certificate));
}

void describe_request(const HttpRequest& request, const Peer& peer, const Target& target, Json& log) {
  log["method"] = request.method;
  log["target"] = request.target;
  log["operation"] = target.operation;
  log["label"] = target.label;
  log["certificate_id"] = target.certificate_id;
  log["tls"] = peer.version;
  log["group"] = peer.group;
  log["client_certificate"] = peer.certificate
                                  ? Json{{"subject", to_text(X509_get_subject_name(peer.certificate.get()))},
                                         {"serial", to_text(X509_get0_serialNumber(peer.certificate.get()))},
                                         {"algorithm", algorithm_of(X509_get0_pubkey(peer.certificate.get()))}}
                                  : Json();
  const std::string authorization = request.header("authorization");
  log["authorization"] = authorization.substr(0, authorization.find(' '));  // the scheme, never the secret
  for (const char* name : {"host", "content-type", "content-transfer-encoding", "accept", "user-agent"}) {
    log["headers"][name] = request.header(name);
  }
}

}  // namespace

HttpAnswer Operations::answer(const HttpRequest& request, const Peer& peer, Json& log) {
  const Target target = parse_target(request.target);
  describe_request(request, peer, target, log);
  Call call{request, peer, settings_.now(), settings_.answer_for(target.operation), log, settings_.time()};
  const int status = call.answer.at("status");
  HttpAnswer out =
      status == 200 ? dispatch(call, target.operation) : plain(call.answer, status, "status " + std::to_string(status));
  log["status"] = out.status;
  return out;
}

HttpAnswer Operations::dispatch(Call& call, const std::string& operation) {
  const bool reads = operation == "cacerts" || operation == "csrattrs" || operation == "renewal-info";
  const bool writes = operation == "simpleenroll" || operation == "simplereenroll" || operation == "serverkeygen";
  if (!reads && !writes) return plain(call.answer, 404, "no such operation");
  if (call.request.method != (reads ? "GET" : "POST")) return plain(call.answer, 405, "another method is needed");
  if (operation == "cacerts") return cacerts(call);
  if (operation == "csrattrs") return csrattrs(call);
  if (operation == "renewal-info") return renewal_info(call);
  if (operation == "serverkeygen") return server_key(call);
  return enroll(call, operation == "simplereenroll");
}

HttpAnswer Operations::cacerts(Call& call) {
  const auto names = call.settings.at("cacerts").get<std::vector<std::string>>();
  const auto certificates = authority_.published(names);
  const Bytes der = faulty_certs_only(call.answer.at("pkcs7"), certificates, authority_.issuer("current"));
  return encoded(call.answer, "application/pkcs7-mime; smime-type=certs-only", der);
}

HttpAnswer Operations::csrattrs(Call& call) {
  if (call.settings.at("authentication").at("csrattrs") && authenticate(call).empty()) return unauthorized(call);
  // RFC 7030 section 4.5.2
  if (call.settings.at("csrattrs").is_null()) return plain(call.answer, 204, "");
  return encoded(call.answer, "application/csrattrs", from_base64(call.settings.at("csrattrs").get<std::string>()));
}

HttpAnswer Operations::renewal_info(Call& call) {
  if (call.settings.at("renewal_info").is_null()) return plain(call.answer, 404, "no such operation");
  const std::string id = call.log.at("certificate_id");
  const auto named = [&](const Certificate& certificate) { return certificate_id(certificate.get()) == id; };
  if (std::ranges::none_of(authority_.issued(), named)) return plain(call.answer, 404, "no such certificate");
  HttpAnswer out = shaped(call.answer, 200, call.settings.at("renewal_info").dump());
  set_type(out, call.answer, "application/json");
  return out;
}

std::string Operations::authenticate(Call& call) {
  const Json& rules = call.settings.at("authentication");
  const bool certificate = rules.at("certificate").get<bool>();
  std::string how = call.peer.certificate && certificate ? "certificate" : authentication_.check(call.request, rules);
  if (how.empty() && rules.at("http") == "none") how = "nobody";
  call.log["authenticated"] = how;
  return how;
}

HttpAnswer Operations::unauthorized(Call& call) {
  HttpAnswer out = plain(call.answer, 401, "authentication is needed");
  for (const std::string& challenge : authentication_.challenges(call.settings.at("authentication"))) {
    out.add("WWW-Authenticate", challenge);
  }
  return out;
}

std::string Operations::refusal(const Call& call, const RequestCheck& check) const {
  if (!check.refusal.empty()) return check.refusal;
  if (check.binding == "wrong") return "the request is linked to another TLS session";
  if (check.binding != "bound" && call.settings.at("require_binding"))
    return "the request is not linked to the TLS session";
  return {};
}

RequestCheck Operations::checked_request(Call& call, HttpAnswer& refused) {
  RequestCheck check;
  if (!call.request.header("content-type").starts_with("application/pkcs10")) {
    refused = plain(call.answer, 415, "application/pkcs10 is needed");
    return check;
  }
  Bytes der;
  try {
    der = from_base64(call.request.body);
  } catch (const std::runtime_error&) {
    refused = plain(call.answer, 400, "the body is not base64");
    return check;
  }
  check = check_request(der, call.peer.channel_binding, authority_, call.now);
  call.log["request"] = {{"subject", check.subject},
                         {"names", check.alternative_names},
                         {"algorithm", check.algorithm},
                         {"binding", check.binding},
                         {"possession", check.possession}};
  if (check.request) call.log["request"]["der"] = to_base64(der);
  const std::string why = refusal(call, check);
  call.log["refusal"] = why;
  if (!why.empty()) {
    refused = plain(call.answer, 400, why);
    check.request.reset();
  }
  return check;
}

Certificate Operations::certify(Call& call, RequestCheck& check, EVP_PKEY* key) {
  const Certificate certificate =
      issue(authority_, check.request.get(), key, call.settings, call.now, call.answer.at("certificate"));
  call.log["issued"] = to_text(X509_get0_serialNumber(certificate.get()));
  return certificate;
}

Bytes Operations::certificates_for(Call& call, const Certificate& certificate) {
  std::vector<Certificate> certificates = {certificate};
  if (call.answer.at("chain")) {
    for (Certificate& above : authority_.intermediates("current")) certificates.push_back(std::move(above));
  }
  return faulty_certs_only(call.answer.at("pkcs7"), certificates, authority_.issuer("current"));
}

HttpAnswer Operations::enroll(Call& call, bool again) {
  if (authenticate(call).empty()) return unauthorized(call);
  HttpAnswer refused;
  RequestCheck check = checked_request(call, refused);
  if (!check.request) return refused;
  if (again && call.settings.at("issue").at("same_names")) {
    // RFC 7030 section 4.2.2
    const std::string why = call.peer.certificate ? difference_from(call.peer.certificate.get(), check)
                                                  : "the certificate that is to be renewed is needed";
    call.log["refusal"] = why;
    if (!why.empty()) return plain(call.answer, call.peer.certificate ? 400 : 403, why);
  }
  const Certificate certificate = certify(call, check, X509_REQ_get0_pubkey(check.request.get()));
  return encoded(call.answer, "application/pkcs7-mime; smime-type=certs-only", certificates_for(call, certificate));
}

HttpAnswer Operations::server_key(Call& call) {
  if (authenticate(call).empty()) return unauthorized(call);
  HttpAnswer refused;
  RequestCheck check = checked_request(call, refused);
  if (!check.request) return refused;
  const Key key = make_key(call.settings.at("server_key"));
  const Bytes certificates = certificates_for(call, certify(call, check, key.get()));
  const Multipart parts = key_and_certificate(private_key_der(key.get()), certificates, call.answer.at("base64"),
                                              call.answer.at("encoding_header"));
  HttpAnswer out = shaped(call.answer, 200, parts.body);
  set_type(out, call.answer, parts.content_type);
  return out;
}

}  // namespace wvds::est_ca
