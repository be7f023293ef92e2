// Runs the project's secret-dependent code with its secrets marked as undefined memory. Under valgrind's memcheck every
// branch and every address that depends on one is an error then. `leaky_branch` and `leaky_index` are such errors on
// purpose. constant_time_test.py runs this, once for each name.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base64.h"
#include "crypto/mlkem.h"
#include "est/authentication.h"
#include "keystore/key_wrap.h"
#include "protocol/mlkem_messages.h"
#include "service/testing/service_harness.h"

namespace wvds {
namespace {

using protocol::KeyFormat;
using protocol::Operation;
using service::testing::Answer;
using service::testing::Buffer;
using service::testing::bytes_of;
using service::testing::Harness;
using service::testing::TestSession;

constexpr size_t kKeySize = 32;

const crypto::Library& library() { return Harness::library(); }

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

void hide(Bytes bytes) { (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
void show(Bytes bytes) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }

// secret_of gives bytes that nothing may depend on.
Buffer secret_of(std::string_view text, size_t size = 0) {
  Buffer out = bytes_of(text);
  if (size != 0) out.resize(size, std::byte{0x5c});
  hide(out);
  return out;
}

void comparison() {
  const Buffer tag = secret_of("a tag", 16);
  Buffer other = tag;
  require(crypto::equal_constant_time(tag, other), "equal tags");
  other[15] ^= std::byte{1};
  require(!crypto::equal_constant_time(tag, other), "different tags");
}

void secrets_and_hex() {
  const Buffer seed = secret_of("seed", kKeySize);
  MlDsaSeed first{std::span<const std::byte, kKeySize>(seed)};
  const MlDsaSeed second = std::move(first);
  WipedBuffer hex;
  append_hex(hex, second.expose());
  require(hex.size() == 2 * kKeySize, "hex");
}

void base64() {
  const Buffer password = secret_of("user:correct horse", 40);
  auto text = crypto::base64_encode(password);
  require(text.has_value(), "encoding");
  show(Bytes(*text).last(2));  // the padding tells the length
  const auto again = crypto::base64_decode(*text);
  require(again.has_value() && crypto::equal_constant_time(*again, password), "decoding");
}

void http_password() {
  const Buffer password = secret_of("correct horse battery staple");
  const Buffer random(est::kCnonceRandom);
  const auto value = est::authorization_value(library(), {}, {"device", password},
                                              {.method = "POST", .target = "/simpleenroll", .random = random});
  require(value.has_value(), "Basic authentication");
}

void key_wrap() {
  const Buffer wrapping = secret_of("wrapping key", kKeySize);
  const Buffer key = secret_of("store key", kKeySize);
  std::vector<std::byte> header = bytes_of("header");
  require(keystore::wrap_key(library(), wrapping, key, header).has_value(), "wrapping");
  show(header);
  const auto again = keystore::unwrap_key(library(), wrapping, header);
  require(again && crypto::equal_constant_time(again->expose(), key), "unwrapping");
  header.back() ^= std::byte{1};
  require(!keystore::unwrap_key(library(), wrapping, header), "a changed header");
}

uint32_t import_key(TestSession& session, Algorithm algorithm, KeyFormat format, Usages usages, Bytes material) {
  Buffer payload(4096);
  const protocol::KeyTemplate key{algorithm, Lifetime::kVolatile, usages, 0, "secret"};
  const auto size = protocol::encode_key_import_request(key, format, material, payload);
  require(size.has_value(), "the request");
  payload.resize(*size);
  const Answer answer = session.call(Operation::kKeyImport, payload);
  require(answer.status == Status::kSuccess, "KEY_IMPORT");
  return protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload))->key_id;
}

void served_cipher() {
  Harness harness;
  TestSession session = harness.open();
  const Buffer plaintext = secret_of("plaintext", 100);
  const uint32_t key = import_key(session, Algorithm::kAes256Gcm, KeyFormat::kRaw, 0, secret_of("key", kKeySize));
  const std::string_view text(reinterpret_cast<const char*>(plaintext.data()), plaintext.size());
  const Answer sealed = session.encrypt(key, text);
  require(sealed.status == Status::kSuccess, "AES_ENCRYPT");
  show(sealed.payload);
  const Answer opened = session.decrypt(key, sealed.payload);
  require(opened.status == Status::kSuccess && crypto::equal_constant_time(opened.payload, plaintext), "AES_DECRYPT");
  Buffer changed = sealed.payload;
  changed.back() ^= std::byte{1};
  require(session.decrypt(key, changed).status == Status::kDecryptionFailed, "a changed tag");
}

void served_signature() {
  Harness harness;
  TestSession session = harness.open();
  const uint32_t key = import_key(session, Algorithm::kMlDsa44, KeyFormat::kSeed, 0, secret_of("seed", kKeySize));
  require(session.sign(key, "message").status == Status::kSuccess, "MLDSA_SIGN");
  // The length of an ECDSA signature depends on the signature, which is public: memcheck can't know that, so none is
  // made.
  import_key(session, Algorithm::kEcdsaP256, KeyFormat::kRaw, 0, secret_of("scalar", kKeySize));
}

void served_decapsulation() {
  const Algorithm algorithm = Algorithm::kMlKem512;
  const size_t seed_size = algorithm_info(algorithm)->secret;
  Harness harness;
  TestSession session = harness.open();
  for (const Usage usage : {Usage::kDecapsRaw, Usage::kDecapsToKey}) {
    const uint32_t key =
        import_key(session, algorithm, KeyFormat::kSeed, static_cast<Usages>(usage), secret_of("seed", seed_size));
    const Buffer ciphertext(algorithm_info(algorithm)->kem_ciphertext);
    Buffer payload(4096);
    const bool to_key = usage == Usage::kDecapsToKey;
    const auto size = to_key ? protocol::encode_mlkem_decaps_to_key_request(key, ciphertext, {}, payload)
                             : protocol::encode_mlkem_decaps_request(key, ciphertext, payload);
    require(size.has_value(), "the request");
    payload.resize(*size);
    const Operation operation = to_key ? Operation::kMlKemDecapsToKey : Operation::kMlKemDecaps;
    require(session.call(operation, payload).status == Status::kSuccess, "MLKEM_DECAPS");
  }
}

[[gnu::noinline]] bool same_until_a_difference(Bytes a, Bytes b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

void leaky_branch() {
  const Buffer tag = secret_of("a tag", 16);
  std::printf("%d\n", same_until_a_difference(tag, bytes_of("a tag of another")) ? 1 : 0);
}

void leaky_index() {
  static const std::string table(256, 't');
  const Buffer secret = secret_of("index", 1);
  std::printf("%c\n", table[std::to_integer<size_t>(secret[0])]);
}

using Cases = std::map<std::string_view, std::function<void()>>;

int run(const char* name) {
  const Cases cases{{"comparison", comparison},
                    {"secrets_and_hex", secrets_and_hex},
                    {"base64", base64},
                    {"http_password", http_password},
                    {"key_wrap", key_wrap},
                    {"served_cipher", served_cipher},
                    {"served_signature", served_signature},
                    {"served_decapsulation", served_decapsulation},
                    {"leaky_branch", leaky_branch},
                    {"leaky_index", leaky_index}};
  const auto found = cases.find(name);
  require(found != cases.end(), "there is no such case");
  found->second();
  std::printf("ran %s\n", name);
  return 0;
}

}  // namespace
}  // namespace wvds

// Several names are run in one process: loading the FIPS module takes valgrind long.
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) wvds::run(argv[i]);
  return argc > 1 ? 0 : 1;
}
