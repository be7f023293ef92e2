#include "ca/authentication.h"

#include <map>

namespace wvds::est_ca {
namespace {

bool skip(std::string_view& text, std::string_view characters) {
  const std::size_t at = text.find_first_not_of(characters);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at);
  return !text.empty();
}

std::string take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string value(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value += text[at];
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return value;
}

// name=value, name="value": RFC 9110 section 11.2
std::map<std::string, std::string> parameters_in(std::string_view text) {
  std::map<std::string, std::string> out;
  while (skip(text, " ,\t")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return out;
    const std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    out[name] = take_value(text);
  }
  return out;
}

std::string hex_digest(const char* algorithm, const std::string& data) { return to_hex(digest(algorithm, data)); }

std::string text_at(const Json& settings, const char* name) { return settings.at(name).get<std::string>(); }

}  // namespace

std::string HttpAuthentication::check(const HttpRequest& request, const Json& settings) {
  const std::string header = request.header("authorization");
  const std::string wanted = text_at(settings, "http");
  if (header.starts_with("Basic ") && wanted == "basic") {
    const std::string pair = text_at(settings, "user") + ":" + text_at(settings, "password");
    return header.substr(6) == to_base64(Bytes(pair.begin(), pair.end())) ? "basic" : "";
  }
  if (header.starts_with("Digest ") && wanted.starts_with("digest")) {
    return check_digest(request, header.substr(7), settings);
  }
  return {};
}

// RFC 7616 section 3.4.1, with qop "auth"
std::string HttpAuthentication::check_digest(const HttpRequest& request, const std::string& header,
                                             const Json& settings) {
  auto given = parameters_in(header);
  const std::string named = given["algorithm"];
  const bool sha = named == "SHA-256";
  if (!sha && !named.empty() && named != "MD5") return {};
  const std::string wanted = text_at(settings, "http");
  if (wanted != "digest" && wanted != (sha ? "digest-sha256" : "digest-md5")) return {};
  const std::string realm = text_at(settings, "realm");
  if (given["username"] != text_at(settings, "user") || given["realm"] != realm || given["qop"] != "auth" ||
      given["uri"] != request.target || !use_nonce(given["nonce"], given["nc"])) {
    return {};
  }
  const char* algorithm = sha ? "SHA256" : "MD5";
  const std::string secret =
      hex_digest(algorithm, given["username"] + ":" + realm + ":" + text_at(settings, "password"));
  const std::string asked = hex_digest(algorithm, request.method + ":" + given["uri"]);
  const std::string response = hex_digest(
      algorithm, secret + ":" + given["nonce"] + ":" + given["nc"] + ":" + given["cnonce"] + ":auth:" + asked);
  return response == given["response"] ? (sha ? "digest-sha256" : "digest-md5") : "";
}

std::vector<std::string> HttpAuthentication::challenges(const Json& settings) {
  const std::string wanted = text_at(settings, "http");
  const std::string realm = "realm=\"" + text_at(settings, "realm") + "\"";
  std::vector<std::string> out;
  if (wanted == "basic") out.push_back("Basic " + realm);
  const auto digest_challenge = [&](const std::string& algorithm) {
    out.push_back("Digest " + realm + ", qop=\"auth\", algorithm=" + algorithm + ", nonce=\"" + new_nonce() +
                  "\", opaque=\"" + to_hex(random_bytes(8)) + "\"");
  };
  if (wanted == "digest" || wanted == "digest-sha256") digest_challenge("SHA-256");
  if (wanted == "digest" || wanted == "digest-md5") digest_challenge("MD5");
  return out;
}

std::string HttpAuthentication::new_nonce() {
  const std::lock_guard lock(mutex_);
  return *nonces_.insert(to_hex(random_bytes(16))).first;
}

bool HttpAuthentication::use_nonce(const std::string& nonce, const std::string& count) {
  const std::lock_guard lock(mutex_);
  return nonces_.contains(nonce) && used_.insert(nonce + ":" + count).second;
}

}  // namespace wvds::est_ca
