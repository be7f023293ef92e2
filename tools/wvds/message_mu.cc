#include "tools/wvds/message_mu.h"

#include <algorithm>

#include "crypto/mldsa_mu.h"
#include "tools/wvds/progress.h"

namespace wvds::tool {
namespace {

constexpr size_t kPiece = size_t{256} * 1024;

// What the library keeps secrets in; a mu is none.
constexpr size_t kSmallestSecureHeap = size_t{128} * 1024;

Bytes as_std_bytes(ByteView bytes) { return std::as_bytes(bytes); }

template <class T>
Outcome<T> outcome_of(Result<T> result, const std::string& name) {
  if (result) return std::move(*result);
  return failed(name + ": mu was not computed: " + result.error().detail);
}

using Hashes = std::vector<std::unique_ptr<crypto::MlDsaMu>>;

Outcome<Hashes> start_all(const crypto::Library& library, const std::vector<MuKey>& keys, const std::string& context,
                          const std::string& name) {
  Hashes hashes;
  for (const MuKey& key : keys) {
    TOOL_ASSIGN(hash, outcome_of(crypto::MlDsaMu::start(library, static_cast<Algorithm>(key.algorithm),
                                                        as_std_bytes(key.bytes.view()), as_bytes(context)),
                                 name));
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Outcome<> add_to_all(Hashes& hashes, ByteView piece, const std::string& name) {
  for (const auto& hash : hashes) {
    const Result<> added = hash->update(as_std_bytes(piece));
    if (!added) return failed(name + ": mu was not computed: " + added.error().detail);
  }
  return {};
}

}  // namespace

Outcome<Message> open_message(const std::string& path) {
  TOOL_ASSIGN(input, Input::open(path));
  Message message{std::move(input), Buffer(WVDS_MLDSA_MAX_MESSAGE_SIZE + 1), false};
  TOOL_TRY(message.input.fill(message.beginning));
  message.is_whole = message.beginning.size() <= WVDS_MLDSA_MAX_MESSAGE_SIZE;
  return message;
}

Outcome<> read_message(Message& message, const std::function<Outcome<>(ByteView)>& take) {
  Progress progress(message.input.size(), standard_error_is_terminal());
  TOOL_TRY(take(message.beginning.view()));
  progress.add(message.beginning.size());
  Buffer piece(kPiece);
  for (size_t count = 1; !message.is_whole && count != 0;) {
    TOOL_ASSIGN(read, message.input.read(piece.data(), piece.room()));
    count = read;
    TOOL_TRY(take({piece.data(), count}));
    progress.add(count);
  }
  return {};
}

Outcome<std::unique_ptr<crypto::Library>> small_library(const std::string& name) {
  crypto::LibraryConfig config;
  config.secure_heap_bytes = kSmallestSecureHeap;
  auto library = crypto::Library::load(config);
  if (library) return std::move(*library);
  return failed(name + ": it was not hashed: " + library.error().detail);
}

Outcome<std::vector<MuKey>> mu_keys(const Session& session, uint32_t key_id) {
  const std::string what = "the public key of key " + std::to_string(key_id);
  wvds_key_details details{};
  TOOL_TRY(check(wvds_key_info(session.get(), &details, key_id), what));
  std::vector<MuKey> keys;
  for (uint32_t i = 0; i < details.num_versions; ++i) {
    MuKey key{details.algorithm, Buffer(WVDS_MAX_PUBLIC_KEY_SIZE)};
    TOOL_TRY(check(wvds_key_public(session.get(), key.bytes.data(), key.bytes.size_out(), key.bytes.room(), key_id,
                                   details.versions[i].number),
                   what));
    keys.push_back(std::move(key));
  }
  return keys;
}

Outcome<MuKey> newest_mu_key(const Session& session, uint32_t key_id, wvds_algorithm algorithm) {
  MuKey key{algorithm, Buffer(WVDS_MAX_PUBLIC_KEY_SIZE)};
  TOOL_TRY(check(wvds_key_public(session.get(), key.bytes.data(), key.bytes.size_out(), key.bytes.room(), key_id, 0),
                 "the public key of key " + std::to_string(key_id)));
  return key;
}

Outcome<std::vector<Mu>> mus_of(Message& message, const std::vector<MuKey>& keys, const std::string& context) {
  const std::string& name = message.input.name();
  TOOL_ASSIGN(library, small_library(name));
  TOOL_ASSIGN(hashes, start_all(*library, keys, context, name));
  TOOL_TRY(read_message(message, [&](ByteView piece) { return add_to_all(hashes, piece, name); }));
  std::vector<Mu> mus;
  for (const auto& hash : hashes) {
    TOOL_ASSIGN(value, outcome_of(hash->finish(), name));
    Mu& mu = mus.emplace_back();
    std::ranges::transform(value, mu.begin(), [](std::byte byte) { return std::to_integer<uint8_t>(byte); });
  }
  return mus;
}

}  // namespace wvds::tool
