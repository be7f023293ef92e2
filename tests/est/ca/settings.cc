#include "ca/settings.h"

#include <ctime>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

// Lists and nulls take anything; other values only their own kind.
constexpr const char* kDefaults = R"({
  "tls": {
    "min": "1.3", "max": "1.3",
    "groups": "X25519MLKEM768:SecP256r1MLKEM768:X25519:P-256",
    "client_certificate": "request",
    "accept_expired": false
  },
  "server": {
    "algorithm": "ML-DSA-65", "common_name": "localhost", "names": "DNS:localhost,IP:127.0.0.1",
    "issuer": "current", "usage": "serverAuth", "not_before": -3600, "not_after": 31536000,
    "chain": null
  },
  "authentication": {
    "http": "basic", "user": "device", "password": "secret", "realm": "est",
    "certificate": true, "csrattrs": false
  },
  "issue": {
    "lifetime": 86400, "backdate": 60, "usage": "clientAuth", "same_names": true
  },
  "clock": 0,
  "require_binding": false,
  "cacerts": [],
  "csrattrs": null,
  "renewal_info": null,
  "server_key": "ML-DSA-65",
  "answer": {
    "status": 200, "headers": null, "content_type": null, "text": null, "der": null,
    "base64": "lines", "encoding_header": true, "framing": "length",
    "fault": "", "size": 0, "pace": 20, "pad": 0,
    "certificate": "", "pkcs7": "", "chain": true
  }
})";

bool fits(const Json& known, const Json& value) {
  if (known.is_null() || known.is_array()) return true;
  return known.type() == value.type() || (known.is_number_integer() && value.is_number_integer());
}

void check_known(const Json& known, const Json& part, const std::string& where) {
  for (const auto& [name, value] : part.items()) {
    const std::string path = where.empty() ? name : where + "." + name;
    if (!known.contains(name)) throw std::runtime_error("no setting called " + path);
    if (!fits(known.at(name), value)) throw std::runtime_error(path + " is of another kind");
    if (known.at(name).is_object()) check_known(known.at(name), value, path);
  }
}

void merge(Json& into, const Json& part) {
  for (const auto& [name, value] : part.items()) {
    if (into.contains(name) && into.at(name).is_object() && value.is_object()) {
      merge(into[name], value);
    } else {
      into[name] = value;
    }
  }
}

const Json& defaults() {
  static const Json kDocument = Json::parse(kDefaults);
  return kDocument;
}

}  // namespace

Settings::Settings() : document_(defaults()) {}

void Settings::set(const Json& part) {
  check_known(defaults(), part, "");
  const std::lock_guard lock(mutex_);
  merge(document_, part);
}

void Settings::add_rule(const Json& rule) {
  for (const auto& [name, value] : rule.items()) {
    if (name != "on" && name != "times" && name != "with") throw std::runtime_error("no rule has a " + name);
  }
  check_known(defaults().at("answer"), rule.at("with"), "with");
  const std::lock_guard lock(mutex_);
  rules_.push_back({rule.at("on"), rule.value("times", -1L), rule.at("with")});
}

void Settings::clear_rules() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

Json Settings::now() const {
  const std::lock_guard lock(mutex_);
  return document_;
}

Json Settings::answer_for(const std::string& operation) {
  const std::lock_guard lock(mutex_);
  const bool connection = operation == "connection";
  Json answer = connection ? defaults().at("answer") : document_.at("answer");
  for (Rule& rule : rules_) {
    if (rule.times == 0 || (rule.on != operation && (rule.on != "*" || connection))) continue;
    if (rule.times > 0) --rule.times;
    merge(answer, rule.with);
    break;
  }
  return answer;
}

std::int64_t Settings::time() const { return std::time(nullptr) + now().at("clock").get<std::int64_t>(); }

}  // namespace wvds::est_ca
