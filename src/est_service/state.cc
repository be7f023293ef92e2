#include "est_service/state.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "config/json.h"
#include "est/base64.h"

namespace wvds::est_service {
namespace {

using config::JsonValue;
using est::failed;
using est::FailureKind;
using est::Outcome;
using Json = nlohmann::ordered_json;

constexpr uint64_t kVersion = 1;
constexpr size_t kMaxRequest = 64 << 10;

Json json_of(const Installed& installed) { return {{"key_id", installed.key_id}, {"chain", pem_of(installed.chain)}}; }

Json json_of(const Pending& pending) {
  Json json{{"key_id", pending.key_id}, {"waiting", pending.waiting}};
  if (const auto text = est::encode_body(pending.request); text && !pending.request.empty())
    json["request"] = std::string(reinterpret_cast<const char*>(text->data()), text->size());
  return json;
}

Json json_of(const LastFailure& failure) {
  return {{"name", failure.name}, {"detail", failure.detail}, {"advice", failure.advice}, {"at", failure.at}};
}

Json json_of(const Hint& hint) { return {{"begin", hint.begin}, {"end", hint.end}, {"explanation", hint.explanation}}; }

template <class Part>
void put(Json& json, const char* name, const std::optional<Part>& part) {
  if (part) json[name] = json_of(*part);
}

void put(Json& json, const Attempts& attempts) {
  json["next_attempt"] = attempts.next_attempt;
  json["failures"] = attempts.failures;
  put(json, "last_failure", attempts.last_failure);
}

// What a server or the system said need not be UTF-8.
std::string written(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// Reading collects what is wrong; the values are only looked at when nothing was.
class Fields {
 public:
  Fields(const crypto::Library& library, const JsonValue& object, std::string& problem)
      : library_(library), object_(object), problem_(problem) {
    if (object.kind != JsonValue::Kind::kObject) note("an object is missing");
  }

  const JsonValue* find(std::string_view name) const {
    for (const config::JsonMember& member : object_.members) {
      if (member.name == name) return &member.value;
    }
    return nullptr;
  }

  template <class Number>
  void number(std::string_view name, Number& out) {
    const JsonValue* value = find(name);
    if (value == nullptr || !value->number ||
        *value->number > static_cast<uint64_t>(std::numeric_limits<Number>::max()))
      return note(name);
    out = static_cast<Number>(*value->number);
  }

  void truth(std::string_view name, bool& out) {
    const JsonValue* value = find(name);
    if (value == nullptr || value->kind != JsonValue::Kind::kBool) return note(name);
    out = value->truth;
  }

  void text(std::string_view name, std::string& out) {
    const JsonValue* value = find(name);
    if (value == nullptr || value->kind != JsonValue::Kind::kText) return note(name);
    out = value->text;
  }

  void certificates(std::string_view name, std::vector<est::Certificate>& out) {
    std::string pem;
    text(name, pem);
    if (pem.empty()) return;
    auto list = est::Certificate::list_from_pem(library_, pem);
    // What OpenSSL could not do (it found no memory) says nothing about the text: it must not pass for a damaged one.
    if (!list && list.error().status != Status::kInvalidPayload) throw std::runtime_error(list.error().detail);
    if (!list) return note(std::string(name) + ": " + list.error().detail);
    out = std::move(*list);
  }

  void bytes(std::string_view name, std::vector<std::byte>& out) {
    if (find(name) == nullptr) return;
    std::string base64;
    text(name, base64);
    const auto decoded = est::decode_body(as_bytes(base64), kMaxRequest);
    if (!decoded) return note(std::string(name) + ": " + decoded.error().detail);
    out.assign(decoded->data(), decoded->data() + decoded->size());
  }

  template <class Part>
  void part(std::string_view name, std::optional<Part>& out) {
    const JsonValue* value = find(name);
    if (value == nullptr) return;
    Fields fields(library_, *value, problem_);
    fields.read(out.emplace());
  }

  void note(std::string_view what) {
    if (problem_.empty()) problem_ = what;
  }

  void read(Installed& out) {
    number("key_id", out.key_id);
    certificates("chain", out.chain);
    if (out.chain.empty()) note("chain");
  }

  void read(Pending& out) {
    number("key_id", out.key_id);
    truth("waiting", out.waiting);
    bytes("request", out.request);
  }

  void read(LastFailure& out) {
    text("name", out.name);
    text("detail", out.detail);
    text("advice", out.advice);
    number("at", out.at);
  }

  void read(Hint& out) {
    number("begin", out.begin);
    number("end", out.end);
    text("explanation", out.explanation);
  }

  void attempts(Attempts& out) {
    number("next_attempt", out.next_attempt);
    number("failures", out.failures);
    part("last_failure", out.last_failure);
  }

  void read(CertificateState& out) {
    text("asked_for", out.asked_for);
    part("current", out.current);
    part("previous", out.previous);
    truth("current_used", out.current_used);
    part("pending", out.pending);
    part("hint", out.hint);
    number("renew_at", out.renew_at);
    attempts(out);
  }

  void read(TrustState& out) {
    certificates("anchors", out.anchors);
    certificates("intermediates", out.intermediates);
    number("fetched_at", out.fetched_at);
    attempts(out);
    number("last_seen", out.last_seen);
  }

 private:
  const crypto::Library& library_;
  const JsonValue& object_;
  std::string& problem_;
};

template <class State>
Outcome<State> state_from(const crypto::Library& library, std::string_view text) {
  const auto json = config::parse_json(text);
  if (!json) return failed(FailureKind::kStorage, "is not whole: " + json.error().message);
  std::string problem;
  Fields fields(library, *json, problem);
  uint64_t version = 0;
  fields.number("version", version);
  if (problem.empty() && version != kVersion)
    return failed(FailureKind::kStorage,
                  "is of version " + std::to_string(version) + ", which this program can't read");
  State state;
  fields.read(state);
  if (!problem.empty()) return failed(FailureKind::kStorage, "is damaged at \"" + problem + "\"");
  return state;
}

}  // namespace

LastFailure LastFailure::of(const est::Failure& failure, int64_t at) {
  return {est::failure_name(failure.kind), failure.detail, est::failure_advice(failure.kind), at};
}

std::string pem_of(const std::vector<est::Certificate>& list) {
  std::string pem;
  for (const est::Certificate& certificate : list) pem += certificate.to_pem();
  return pem;
}

std::string to_text(const CertificateState& state) {
  Json json{{"version", kVersion}, {"asked_for", state.asked_for}};
  put(json, "current", state.current);
  put(json, "previous", state.previous);
  json["current_used"] = state.current_used;
  put(json, "pending", state.pending);
  put(json, "hint", state.hint);
  json["renew_at"] = state.renew_at;
  put(json, state);
  return written(json);
}

std::string to_text(const TrustState& state) {
  Json json{{"version", kVersion}, {"anchors", pem_of(state.anchors)}, {"intermediates", pem_of(state.intermediates)}};
  json["fetched_at"] = state.fetched_at;
  put(json, state);
  json["last_seen"] = state.last_seen;
  return written(json);
}

Outcome<CertificateState> certificate_state_from(const crypto::Library& library, std::string_view text) {
  return state_from<CertificateState>(library, text);
}

Outcome<TrustState> trust_state_from(const crypto::Library& library, std::string_view text) {
  return state_from<TrustState>(library, text);
}

}  // namespace wvds::est_service
