#include "tools/wvds/ecdsa_signature.h"

#include <algorithm>
#include <array>

#include "crypto/message_digest.h"

namespace wvds::tool {
namespace {

constexpr std::array kHashes{std::pair<wvds_hash, const char*>{WVDS_SHA256, "sha256"},
                             std::pair<wvds_hash, const char*>{WVDS_SHA384, "sha384"},
                             std::pair<wvds_hash, const char*>{WVDS_SHA512, "sha512"}};

// Request is what goes to the service for a message: all of it, or its digest.
struct Request {
  Buffer digest;
  ByteView bytes;
  uint32_t flags = 0;
};

Outcome<Buffer> digest_of(Message& message, wvds_hash hash) {
  const std::string& name = message.input.name();
  TOOL_ASSIGN(library, small_library(name));
  auto started = crypto::MessageDigest::start(*library, static_cast<Hash>(hash));
  if (!started) return failed(name + ": it was not hashed: " + started.error().detail);
  TOOL_TRY(read_message(message, [&](ByteView piece) -> Outcome<> {
    const Result<> added = (*started)->update(std::as_bytes(piece));
    if (!added) return failed(name + ": it was not hashed: " + added.error().detail);
    return {};
  }));
  const auto value = (*started)->finish();
  if (!value) return failed(name + ": it was not hashed: " + value.error().detail);
  Buffer digest(value->size);
  digest.append({reinterpret_cast<const uint8_t*>(value->bytes.data()), value->size});
  return digest;
}

Outcome<Request> request_for(Message& message, wvds_hash hash) {
  Request request;
  if (message.is_whole) {
    request.bytes = message.beginning.view();
    return request;
  }
  TOOL_ASSIGN(digest, digest_of(message, hash));
  request.digest = std::move(digest);
  request.bytes = request.digest.view();
  request.flags = WVDS_ECDSA_DIGEST;
  return request;
}

}  // namespace

bool is_ecdsa_key(wvds_algorithm algorithm) { return WVDS_ECDSA_PUBLIC_KEY_SIZE(algorithm) != 0; }

std::vector<std::string> hash_words() {
  std::vector<std::string> words;
  for (const auto& [hash, word] : kHashes) words.emplace_back(word);
  return words;
}

wvds_hash hash_of(const std::string& word, wvds_algorithm algorithm) {
  const auto* found = std::ranges::find(kHashes, word, [](const auto& hash) { return std::string(hash.second); });
  if (found != kHashes.end()) return found->first;
  return algorithm == WVDS_ECDSA_P384 ? WVDS_SHA384 : WVDS_SHA256;
}

Outcome<Buffer> sign_ecdsa(const Session& session, uint32_t id, Message& message, wvds_hash hash,
                           const std::string& what) {
  TOOL_ASSIGN(request, request_for(message, hash));
  Buffer signature(WVDS_ECDSA_MAX_SIGNATURE_SIZE);
  TOOL_TRY(check(wvds_ecdsa_sign(session.get(), signature.data(), signature.size_out(), signature.room(), id,
                                 request.bytes.data(), request.bytes.size(), hash, request.flags),
                 what));
  return signature;
}

Outcome<wvds_status> verify_ecdsa(const Session& session, const wvds_public_key& key, ByteView signature,
                                  Message& message, wvds_hash hash) {
  TOOL_ASSIGN(request, request_for(message, hash));
  return wvds_ecdsa_verify(session.get(), &key, signature.data(), signature.size(), request.bytes.data(),
                           request.bytes.size(), hash, request.flags);
}

}  // namespace wvds::tool
