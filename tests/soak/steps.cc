#include <algorithm>
#include <array>
#include <cstring>

#include "soak/client.h"

namespace wvds::test {
namespace {

constexpr size_t kStoredTexts = 6;  // that each client keeps

// StreamEnds is where a stream comes from and goes to.
struct StreamEnds {
  const Octets& in;
  Octets& out;
  size_t taken = 0;

  static wvds_status read(void* user_data, uint8_t* out, size_t* out_len, size_t max_out) {
    auto& ends = *static_cast<StreamEnds*>(user_data);
    *out_len = std::min(max_out, ends.in.size() - ends.taken);
    if (*out_len > 0) std::memcpy(out, ends.in.data() + ends.taken, *out_len);
    ends.taken += *out_len;
    return WVDS_SUCCESS;
  }
  static wvds_status write(void* user_data, const uint8_t* bytes, size_t len) {
    auto& ends = *static_cast<StreamEnds*>(user_data);
    ends.out.insert(ends.out.end(), bytes, bytes + len);
    return WVDS_SUCCESS;
  }
};

}  // namespace

bool SoakClient::timed(SoakOp op, wvds_status wanted, const auto& call) {
  const auto begun = std::chrono::steady_clock::now();
  const wvds_status status = call();
  const auto taken = std::chrono::steady_clock::now() - begun;
  if (status == wanted) mine_.latencies[static_cast<size_t>(op)].add(taken);
  return expect(status, wanted, kSoakOpNames[static_cast<size_t>(op)]);
}

bool SoakClient::generate(SoakOp op, uint32_t& key, const wvds_key_template& wanted, Octets* public_key) {
  Octets bytes(WVDS_MAX_PUBLIC_KEY_SIZE);
  size_t length = 0;
  key = 0;
  wvds_key_template named = wanted;
  named.label = label_.c_str();
  if (!timed(op, WVDS_SUCCESS,
             [&] { return wvds_key_generate(session_, &key, bytes.data(), &length, bytes.size(), &named); }))
    return false;
  bytes.resize(length);
  if (public_key != nullptr) *public_key = bytes;
  uint32_t& newest = op == SoakOp::kStoredKeyCreate ? newest_stored_ : newest_in_memory_;
  if (!expect(key > newest, "an id that was never used before")) return false;
  newest = key;
  return true;
}

bool SoakClient::remove(SoakOp op, uint32_t key) {
  wvds_key_details details{};
  return timed(op, WVDS_SUCCESS, [&] { return wvds_key_delete(session_, key, 0); }) &&
         expect(wvds_key_info(session_, &details, key), WVDS_KEY_NOT_FOUND, "a deleted key");
}

bool SoakClient::encrypt(uint32_t key, const Octets& plaintext, const Octets& aad, Octets& sealed) {
  sealed.resize(WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size()));
  size_t length = 0;
  return timed(SoakOp::kAesEncrypt, WVDS_SUCCESS,
               [&] {
                 return wvds_aes_encrypt(session_, sealed.data(), &length, sealed.size(), key, plaintext.data(),
                                         plaintext.size(), aad.data(), aad.size());
               }) &&
         expect(length == sealed.size(), "the length of a sealed text");
}

bool SoakClient::decrypt(uint32_t key, const Octets& sealed, const Octets& aad, wvds_status wanted, Octets& plaintext) {
  plaintext.assign(WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed.size()), 0);
  size_t length = 0;
  const bool good = timed(SoakOp::kAesDecrypt, wanted, [&] {
    return wvds_aes_decrypt(session_, plaintext.data(), &length, plaintext.size(), key, sealed.data(), sealed.size(),
                            aad.data(), aad.size());
  });
  plaintext.resize(std::min(length, plaintext.size()));
  return good;
}

// aes_step: back comes what went in, once only with a window, and nothing that was changed.
void SoakClient::aes_step() {
  const bool window = below(2) == 0;
  const uint32_t key = window ? window_key_ : plain_key_;
  const Octets aad = any_octets(below(3) == 0 ? below(200) : 0);
  const Octets plaintext = any_octets(std::min<size_t>(any_size(), WVDS_AES_MAX_SIZE - aad.size()));
  Octets sealed, opened;
  if (!encrypt(key, plaintext, aad, sealed)) return;
  Octets changed = sealed;
  changed[below(static_cast<uint32_t>(changed.size()))] ^= static_cast<uint8_t>(1u << below(8));
  if (!decrypt(key, changed, aad, WVDS_DECRYPTION_FAILED, opened) ||
      !expect(opened.empty(), "nothing of a changed text"))
    return;
  if (!decrypt(key, sealed, aad, WVDS_SUCCESS, opened) || !expect(opened == plaintext, "the plaintext again")) return;
  if (below(4) != 0) return;
  decrypt(key, sealed, aad, window ? WVDS_NONCE_REUSE : WVDS_SUCCESS, opened);
}

// pipeline_step keeps several requests in flight, and collects them in another order: each answer is that of its
// request.
void SoakClient::pipeline_step() {
  std::array<wvds_call*, 4> calls{};
  std::array<Octets, 4> texts;
  bool good = true;
  for (size_t i = 0; i < calls.size() && good; ++i) {
    texts[i] = any_octets(any_size());
    uint8_t* place = nullptr;
    good = expect(wvds_aes_encrypt_begin(session_, &calls[i], &place, nullptr, plain_key_, texts[i].size(), 0),
                  WVDS_SUCCESS, "beginning a call");
    if (good && !texts[i].empty()) std::memcpy(place, texts[i].data(), texts[i].size());
    good = good && expect(wvds_submit(calls[i]), WVDS_SUCCESS, "submitting a call");
  }
  std::array<Octets, 4> sealed;
  for (size_t i = calls.size(); i-- > 0 && good;) {
    const uint8_t* answer = nullptr;
    size_t length = 0;
    good = expect(wvds_collect(calls[i], WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS, "collecting a call") &&
           expect(wvds_answer(calls[i], &answer, &length), WVDS_SUCCESS, "an answer in place");
    if (good) sealed[i].assign(answer, answer + length);
  }
  for (wvds_call* call : calls) wvds_call_release(call);
  Octets opened;
  for (size_t i = 0; i < calls.size() && good; ++i) {
    good = decrypt(plain_key_, sealed[i], {}, WVDS_SUCCESS, opened) &&
           expect(opened == texts[i], "each answer is that of its request");
  }
}

bool SoakClient::stream_through(SoakOp op, wvds_status wanted, const Octets& in, Octets& out) {
  out.clear();
  StreamEnds ends{in, out};
  const wvds_stream_io io{&StreamEnds::read, &StreamEnds::write, &ends};
  return timed(op, wanted, [&] {
    return op == SoakOp::kStreamEncrypt ? wvds_stream_encrypt(session_, &io, plain_key_, nullptr, 0)
                                        : wvds_stream_decrypt(session_, &io, 0, nullptr, 0);
  });
}

void SoakClient::stream_step() {
  const Octets plaintext = any_octets(below(300'000));
  Octets sealed, opened;
  if (!stream_through(SoakOp::kStreamEncrypt, WVDS_SUCCESS, plaintext, sealed) ||
      !stream_through(SoakOp::kStreamDecrypt, WVDS_SUCCESS, sealed, opened) ||
      !expect(opened == plaintext, "the stream again"))
    return;
  sealed.back() ^= 1;  // in the last chunk's tag
  stream_through(SoakOp::kStreamDecrypt, WVDS_DECRYPTION_FAILED, sealed, opened);
}

void SoakClient::sign_step() {
  Octets message = any_octets(std::min<size_t>(any_size(), WVDS_MLDSA_MAX_MESSAGE_SIZE));
  Octets signature(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65));
  const Octets context = any_octets(below(2) * 20);
  size_t length = 0;
  if (!timed(SoakOp::kMlDsaSign, WVDS_SUCCESS, [&] {
        return wvds_mldsa_sign(session_, signature.data(), &length, signature.size(), sign_key_, message.data(),
                               message.size(), context.data(), context.size(), 0);
      }))
    return;
  const wvds_public_key raw = wvds_public_key_raw(WVDS_MLDSA_65, sign_public_.data(), sign_public_.size());
  const wvds_public_key key = below(2) == 0 ? raw : wvds_public_key_by_id(sign_key_);
  const auto verify = [&] {
    return wvds_mldsa_verify(session_, &key, signature.data(), length, message.data(), message.size(), context.data(),
                             context.size(), 0);
  };
  if (!timed(SoakOp::kMlDsaVerify, WVDS_SUCCESS, verify)) return;
  Octets& spoiled = message.empty() ? signature : message;
  spoiled[below(static_cast<uint32_t>(spoiled.size()))] ^= 1;
  timed(SoakOp::kMlDsaVerify, WVDS_SIGNATURE_INVALID, verify);
}

// kem_step: both sides get one secret; another ciphertext gives another secret.
void SoakClient::kem_step() {
  if (kem_key_ == 0 || below(8) == 0) {
    if (kem_key_ != 0 && !remove(SoakOp::kKeyDelete, kem_key_)) return;
    kem_public_.resize(WVDS_MLKEM_PUBLIC_KEY_SIZE(WVDS_MLKEM_768));
    size_t length = 0;
    kem_key_ = 0;
    if (!timed(SoakOp::kMlKemKeygen, WVDS_SUCCESS, [&] {
          return wvds_mlkem_keygen(session_, &kem_key_, kem_public_.data(), &length, kem_public_.size(), WVDS_MLKEM_768,
                                   WVDS_LIFETIME_SESSION, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW);
        }))
      return;
  }
  const wvds_public_key key = wvds_public_key_raw(WVDS_MLKEM_768, kem_public_.data(), kem_public_.size());
  Octets sent(WVDS_MLKEM_SHARED_SECRET_SIZE), received(WVDS_MLKEM_SHARED_SECRET_SIZE);
  Octets ciphertext(WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768));
  size_t length = 0;
  if (!timed(SoakOp::kMlKemEncaps, WVDS_SUCCESS, [&] {
        return wvds_mlkem_encaps(session_, sent.data(), ciphertext.data(), &length, ciphertext.size(), &key);
      }))
    return;
  const auto decaps = [&] {
    return wvds_mlkem_decaps(session_, received.data(), kem_key_, ciphertext.data(), ciphertext.size());
  };
  if (!timed(SoakOp::kMlKemDecaps, WVDS_SUCCESS, decaps) || !expect(received == sent, "the same secret")) return;
  ciphertext[below(static_cast<uint32_t>(ciphertext.size()))] ^= 1;
  if (timed(SoakOp::kMlKemDecaps, WVDS_SUCCESS, decaps)) expect(received != sent, "another secret");
}

// kem_to_key_step: what one side's key encrypts, the other side's opens, and neither does anything else.
void SoakClient::kem_to_key_step() {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_MLKEM_768;
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  uint32_t pair = 0, sender = 0, receiver = 0;
  if (!generate(SoakOp::kKeyCreate, pair, wanted)) return;
  const wvds_public_key key = wvds_public_key_by_id(pair);
  Octets ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  size_t length = 0;
  if (!expect(wvds_mlkem_encaps_to_key(session_, &sender, nullptr, ciphertext.data(), &length, ciphertext.size(), &key,
                                       nullptr),
              WVDS_SUCCESS, "encapsulating to a key") ||
      !expect(wvds_mlkem_decaps_to_key(session_, nullptr, &receiver, pair, ciphertext.data(), length, nullptr),
              WVDS_SUCCESS, "decapsulating to a key"))
    return;
  if (!expect(sender > pair && receiver > sender, "ids that were never used before")) return;
  newest_in_memory_ = receiver;
  const Octets plaintext = any_octets(below(500));
  Octets sealed, opened;
  if (!encrypt(sender, plaintext, {}, sealed) || !decrypt(sender, sealed, {}, WVDS_WRONG_KEY_USAGE, opened) ||
      !decrypt(receiver, sealed, {}, WVDS_SUCCESS, opened) || !expect(opened == plaintext, "the plaintext again"))
    return;
  for (const uint32_t made : {pair, sender, receiver}) {
    if (!remove(SoakOp::kKeyDelete, made)) return;
  }
}

void SoakClient::random_step() {
  Octets bytes(16 + below(below(4) == 0 ? WVDS_MAX_RANDOM_SIZE - 16 : 200));
  if (!timed(SoakOp::kRandom, WVDS_SUCCESS, [&] { return wvds_random(session_, bytes.data(), bytes.size()); })) return;
  const auto repeats = [&](size_t at) {
    return last_random_.size() == 16 && std::memcmp(bytes.data() + at, last_random_.data(), 16) == 0;
  };
  if (!expect(!repeats(0) && !repeats(bytes.size() - 16), "bytes that did not come before")) return;
  last_random_.assign(bytes.end() - 16, bytes.end());
  expect(std::ranges::count(last_random_, uint8_t{0}) < 12, "no zeros");
}

void SoakClient::key_step() {
  static constexpr wvds_algorithm kAlgorithms[] = {WVDS_AES_256_GCM, WVDS_MLDSA_44,   WVDS_MLDSA_87,
                                                   WVDS_MLKEM_512,   WVDS_MLKEM_1024, WVDS_ECDSA_P256};
  wvds_key_template wanted{};
  wanted.algorithm = kAlgorithms[below(std::size(kAlgorithms))];
  wanted.lifetime = below(2) == 0 ? WVDS_LIFETIME_SESSION : WVDS_LIFETIME_VOLATILE;
  uint32_t key = 0;
  wvds_key_details details{};
  if (!generate(SoakOp::kKeyCreate, key, wanted) ||
      !expect(wvds_key_info(session_, &details, key), WVDS_SUCCESS, "a key that was made") ||
      !expect(details.algorithm == wanted.algorithm && details.lifetime == wanted.lifetime && details.label == label_,
              "the key that was asked for"))
    return;
  remove(SoakOp::kKeyDelete, key);
}

bool SoakClient::opens(const StoredText& text) {
  Octets opened;
  return decrypt(text.key, text.sealed, {}, WVDS_SUCCESS, opened) &&
         expect(opened == text.plaintext, "what was encrypted with a stored key");
}

// stored_key_step keeps some stored keys, each with a text; the oldest goes when there are enough.
void SoakClient::stored_key_step() {
  if (!stored_.empty() && !opens(stored_[below(static_cast<uint32_t>(stored_.size()))])) return;
  if (below(4) != 0) return;
  if (stored_.size() >= kStoredTexts) {
    const uint32_t oldest = stored_.front().key;
    stored_.pop_front();  // first: unanswered, it may be there or not
    if (!remove(SoakOp::kStoredKeyDelete, oldest)) return;
  }
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  StoredText text;
  if (!generate(SoakOp::kStoredKeyCreate, text.key, wanted)) return;
  text.plaintext = any_octets(100);
  if (encrypt(text.key, text.plaintext, {}, text.sealed)) stored_.push_back(std::move(text));
}

// reconnect_step: the session's keys are gone, and their ids name nothing.
void SoakClient::reconnect_step() {
  const uint32_t former = window_key_;
  wvds_key_details details{};
  forget_session();
  connect();
  if (connected_) expect(wvds_key_info(session_, &details, former), WVDS_KEY_NOT_FOUND, "a key of the former session");
}

}  // namespace wvds::test
