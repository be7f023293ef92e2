#include "tools/wvds/service.h"

#include <chrono>
#include <thread>
#include <vector>

#include "tools/wvds/files.h"

namespace wvds::tool {
namespace {

constexpr auto kRetryPause = std::chrono::milliseconds(20);
constexpr auto kLongestPause = std::chrono::seconds(10);  // no cool-down lasts so long

wvds_status try_connect(const ServiceOptions& options, Session& out) {
  wvds_session* session = nullptr;
  const char* address = options.socket.empty() ? nullptr : options.socket.c_str();
  const wvds_status status = wvds_connect(&session, address, options.timeout_ms);
  out.reset(session);
  return status == WVDS_SUCCESS ? wvds_set_timeout(session, options.timeout_ms) : status;
}

std::unexpected<Failure> no_session(const ServiceOptions& options, wvds_status status) {
  const std::string where = options.socket.empty() ? "the service" : options.socket;
  return std::unexpected(Failure{Exit::kNoService, where + ": " + wvds_status_text(status)});
}

bool is_loss_of_service(wvds_status status) {
  return status == WVDS_DISCONNECTED || status == WVDS_TIMEOUT || status == WVDS_NOT_READY ||
         status == WVDS_CONNECT_FAILED;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Outcome<std::vector<NamedKey>> keys_with_label(const Session& session, const std::string& label) {
  TOOL_ASSIGN(keys, list_keys(session));
  std::vector<NamedKey> found;
  for (const wvds_key_entry& key : keys) {
    if (label == key.label) found.push_back({key.key_id, key.algorithm});
  }
  return found;
}

Outcome<NamedKey> find_label(const Session& session, const std::string& label) {
  TOOL_ASSIGN(found, keys_with_label(session, label));
  if (found.empty())
    return failed("there is no key with the label \"" + label + "\"; \"wvds key list\" shows the keys");
  if (found.size() == 1) return found.front();
  std::string ids;
  for (const NamedKey& key : found) ids += (ids.empty() ? "" : ", ") + std::to_string(key.id);
  return failed("the keys " + ids + " all have the label \"" + label + "\": name one by its number");
}

// algorithm_of_length works because no two public keys of FIPS 203, FIPS 204 and ECDSA are equally long.
wvds_algorithm algorithm_of_length(size_t length) {
  for (wvds_algorithm algorithm : {WVDS_MLDSA_44, WVDS_MLDSA_65, WVDS_MLDSA_87}) {
    if (WVDS_MLDSA_PUBLIC_KEY_SIZE(algorithm) == length) return algorithm;
  }
  for (wvds_algorithm algorithm : {WVDS_ECDSA_P256, WVDS_ECDSA_P384}) {
    if (WVDS_ECDSA_PUBLIC_KEY_SIZE(algorithm) == length) return algorithm;
  }
  for (wvds_algorithm algorithm : {WVDS_MLKEM_512, WVDS_MLKEM_768, WVDS_MLKEM_1024}) {
    if (WVDS_MLKEM_PUBLIC_KEY_SIZE(algorithm) == length) return algorithm;
  }
  return 0;
}

}  // namespace

Outcome<Session> connect(const ServiceOptions& options) {
  Session session;
  const wvds_status status = try_connect(options, session);
  if (status != WVDS_SUCCESS) return no_session(options, status);
  return session;
}

Outcome<Session> connect_within(const ServiceOptions& options, uint32_t seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    Session session;
    const wvds_status status = try_connect(options, session);
    if (status == WVDS_SUCCESS) return session;
    const bool is_worth_waiting = status == WVDS_CONNECT_FAILED || status == WVDS_NOT_READY || status == WVDS_TIMEOUT;
    if (!is_worth_waiting || std::chrono::steady_clock::now() >= deadline) return no_session(options, status);
    std::this_thread::sleep_for(kRetryPause);
  }
}

Outcome<> check(wvds_status status, const std::string& what) {
  if (status == WVDS_SUCCESS) return {};
  const Exit exit = is_loss_of_service(status) ? Exit::kNoService : Exit::kFailed;
  return std::unexpected(Failure{exit, what + ": " + wvds_status_text(status)});
}

wvds_status waiting_out(const std::function<wvds_status()>& ask) {
  const auto deadline = std::chrono::steady_clock::now() + kLongestPause;
  for (;;) {
    const wvds_status status = ask();
    if (status != WVDS_RATE_LIMITED || std::chrono::steady_clock::now() >= deadline) return status;
    std::this_thread::sleep_for(kRetryPause);
  }
}

Outcome<std::vector<wvds_key_entry>> list_keys(const Session& session, size_t most) {
  std::vector<wvds_key_entry> keys;
  std::vector<wvds_key_entry> page(WVDS_MAX_KEY_LIST);
  for (int more = 1; more != 0 && keys.size() < most;) {
    size_t count = 0;
    const uint32_t last = keys.empty() ? 0 : keys.back().key_id;
    const auto ask = [&] { return wvds_key_list(session.get(), page.data(), &count, page.size(), &more, last); };
    TOOL_TRY(check(waiting_out(ask), "the list of keys"));
    if (count == 0) break;
    keys.insert(keys.end(), page.begin(), page.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return keys;
}

Outcome<uint32_t> find_key(const Session& session, const std::string& name) {
  TOOL_ASSIGN(key, find_named_key(session, name));
  return key.id;
}

Outcome<NamedKey> find_named_key(const Session& session, const std::string& name) {
  constexpr std::string_view kLabel = "label:";
  if (name.starts_with(kLabel)) return find_label(session, name.substr(kLabel.size()));
  if (!is_number(name)) return find_label(session, name);
  constexpr size_t kMostDigits = 10;
  const unsigned long long id = name.size() > kMostDigits ? 0 : std::stoull(name);
  if (id == 0 || id > UINT32_MAX) return misused("\"" + name + "\" is no key id: those go from 1 to 4294967295");
  return NamedKey{static_cast<uint32_t>(id), 0};
}

Outcome<PublicKey> load_public_key(const Session& session, const std::string& name, const std::string& file) {
  PublicKey result;
  if (!name.empty()) {
    TOOL_ASSIGN(named, find_named_key(session, name));
    result.key = wvds_public_key_by_id(named.id);
    result.algorithm = named.algorithm;
    return result;
  }
  TOOL_ASSIGN(bytes, read_input(file, WVDS_MAX_PUBLIC_KEY_SIZE, " as a public key"));
  const wvds_algorithm algorithm = algorithm_of_length(bytes.size());
  if (algorithm == 0) {
    return failed(file + ": " + std::to_string(bytes.size()) + " bytes are no raw ML-DSA, ML-KEM or ECDSA public key");
  }
  result.algorithm = algorithm;
  result.bytes = std::move(bytes);
  result.key = wvds_public_key_raw(algorithm, result.bytes.data(), result.bytes.size());
  return result;
}

}  // namespace wvds::tool
