#include "est_service/crypto_key_service.h"

#include <array>

#include "est/url.h"
#include "ossl_provider/provider.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

wvds_key_template key_template(Algorithm algorithm, const std::string& label) {
  wvds_key_template wanted{};
  wanted.algorithm = static_cast<wvds_algorithm>(algorithm);
  wanted.lifetime = WVDS_LIFETIME_PERSISTENT;
  wanted.label = label.c_str();
  if (!is_ml_kem(algorithm)) wanted.usages = WVDS_USAGE_TLS_AND_CSR;
  return wanted;
}

}  // namespace

CryptoKeyService::CryptoKeyService(const crypto::Library& library, std::string address)
    : library_(library), address_(std::move(address)) {}

wvds_status CryptoKeyService::reach() {
  if (session_) return wvds_reconnect(session_.get(), WVDS_DEFAULT_TIMEOUT);
  wvds_session* session = nullptr;
  const wvds_status status = wvds_connect(&session, address_.c_str(), WVDS_DEFAULT_TIMEOUT);
  session_.reset(session);
  return status;
}

// ask makes a call, a second time where the session had ended: crypto_service was restarted.
template <class Call>
Outcome<> CryptoKeyService::ask(const std::string& what, Call call) {
  wvds_status status = WVDS_SUCCESS;
  if (!session_) status = reach();
  if (status == WVDS_SUCCESS) status = call(session_.get());
  if (status == WVDS_DISCONNECTED) {
    status = reach();
    if (status == WVDS_SUCCESS) status = call(session_.get());
  }
  if (status == WVDS_SUCCESS) return {};
  return failed(FailureKind::kKeyService, "crypto_service at " + address_ + " did not " + what + ": " +
                                              wvds_status_name(status) + ": " + wvds_status_text(status));
}

Outcome<uint32_t> CryptoKeyService::make_key(Algorithm algorithm, const std::string& label) {
  uint32_t id = 0;
  const wvds_key_template wanted = key_template(algorithm, label);
  const auto made = ask("make a key", [&](wvds_session* session) {
    return wvds_key_generate(session, &id, nullptr, nullptr, 0, &wanted);
  });
  if (!made) return std::unexpected(made.error());
  return id;
}

Outcome<uint32_t> CryptoKeyService::import_key(Algorithm algorithm, Bytes pkcs8, const std::string& label) {
  uint32_t id = 0;
  const wvds_key_template wanted = key_template(algorithm, label);
  const auto taken = ask("take the key that the server made", [&](wvds_session* session) {
    return wvds_key_import(session, &id, nullptr, nullptr, 0, &wanted, WVDS_KEY_FORMAT_PKCS8,
                           reinterpret_cast<const uint8_t*>(pkcs8.data()), pkcs8.size());
  });
  if (!taken) return std::unexpected(taken.error());
  return id;
}

Outcome<crypto::KeyHandle> CryptoKeyService::open_key(uint32_t id) {
  const std::string uri = "wvds:key=" + std::to_string(id) + ";socket=" + est::percent_encode(address_);
  auto key = ossl_provider::load_key(library_.context(), uri);
  if (key) return crypto::KeyHandle(key->release());
  return failed(FailureKind::kKeyService, "key " + std::to_string(id) + " in crypto_service can't be used: " +
                                              status_name(key.error().status) + ": " + key.error().detail);
}

Outcome<crypto::KeyHandle> CryptoKeyService::public_key(Algorithm algorithm, uint32_t id) {
  std::array<uint8_t, WVDS_MAX_PUBLIC_KEY_SIZE> raw;
  size_t length = 0;
  const auto told = ask("tell the public key of key " + std::to_string(id), [&](wvds_session* session) {
    return wvds_key_public(session, raw.data(), &length, raw.size(), id, 0);
  });
  if (!told) return std::unexpected(told.error());
  auto key = crypto::key_from_raw(library_, algorithm, std::as_bytes(std::span(raw).first(length)));
  if (!key) return failed(FailureKind::kKeyService, "key " + std::to_string(id) + ": " + key.error().detail);
  return std::move(*key);
}

Outcome<> CryptoKeyService::remove_key(uint32_t id) {
  return ask("delete key " + std::to_string(id), [&](wvds_session* session) {
    const wvds_status status = wvds_key_delete(session, id, 0);
    return status == WVDS_KEY_NOT_FOUND ? WVDS_SUCCESS : status;
  });
}

Outcome<std::vector<OwnKey>> CryptoKeyService::own_keys() {
  std::vector<OwnKey> keys;
  const auto listed = ask("list keys", [&](wvds_session* session) {
    keys.clear();
    std::array<wvds_key_entry, 64> page;
    size_t number = 0;
    int more = 1;
    for (uint32_t after = 0; more != 0;) {
      const wvds_status status = wvds_key_list(session, page.data(), &number, page.size(), &more, after);
      if (status != WVDS_SUCCESS) return status;
      if (number == 0) break;
      for (const wvds_key_entry& entry : std::span(page).first(number)) {
        if (std::string_view(entry.label).starts_with(kKeyLabel))
          keys.push_back({entry.key_id, static_cast<Algorithm>(entry.algorithm), entry.label});
        after = entry.key_id;
      }
    }
    return WVDS_SUCCESS;
  });
  if (!listed) return std::unexpected(listed.error());
  return keys;
}

}  // namespace wvds::est_service
