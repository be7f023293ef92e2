#include "service/aes_handlers.h"

#include "protocol/aes_messages.h"

namespace wvds::service {
namespace {

// ask_for_rotation posts a job when the version has been used up to the config's mark; again, when that brought
// nothing, after a further hundredth of the limit.
void ask_for_rotation(RequestContext& context, const CachedKey& key, CachedVersion& version) {
  if (context.state.rotation == nullptr) return;
  const uint64_t limit = version.version().use_limit();
  if (!version.passed_mark(limit * context.state.config.keys.rotate_at_percent / 100, limit / 100)) return;
  context.state.rotation->post({key.key().owner(), context.session, key.key().id(), version.version().number()});
}

// PrivateText is what AES_DECRYPT works on: a client that changes its bytes meanwhile does not reach it.
struct PrivateText {
  crypto::Nonce nonce;
  crypto::Tag tag;
  Bytes aad;
  MutableBytes ciphertext;
};

Result<PrivateText> copy_text(Scratch& scratch, const protocol::AesDecryptRequest& request) {
  PrivateText text;
  request.nonce.copy_to(text.nonce);
  request.tag.copy_to(text.tag);
  WVDS_ASSIGN(aad, scratch.copy_in(request.aad));
  WVDS_ASSIGN(ciphertext, scratch.copy_in(request.ciphertext));
  text.aad = aad;
  text.ciphertext = ciphertext;
  return text;
}

// release hands the plaintext out, if the nonce is a new one. Checking and remembering it is one step.
Result<size_t> release(keystore::KeyVersion& version, const PrivateText& text, Bytes plaintext, MutableBytes answer) {
  if (keystore::NonceWindow* window = version.window(); window != nullptr) WVDS_TRY(window->accept(text.nonce));
  return write_answer(answer, {plaintext});
}

// The client polls the first line of the answer area. A short ciphertext is made elsewhere and copied there with nonce
// and tag in one go: otherwise the line goes back and forth between the processors while it is written.
constexpr size_t kMadeElsewhere = 1024;

Result<MutableBytes> ciphertext_area(Scratch& scratch, MutableBytes in_answer) {
  if (in_answer.size() > kMadeElsewhere) return in_answer;
  return scratch.take(in_answer.size());
}

}  // namespace

Result<size_t> handle_aes_encrypt(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::AesEncryptRequest::decode(payload));
  WVDS_ASSIGN(key, usable_key(context, request.key_id, is_aes, Usage::kEncrypt));
  WVDS_ASSIGN(version, key->active());
  Writer writer(answer);
  const MutableBytes nonce_area = writer.reserve(kNonceSize);
  const MutableBytes ciphertext_in_answer = writer.reserve(request.plaintext.size());
  const MutableBytes tag_area = writer.reserve(kTagSize);
  WVDS_ASSIGN(length, writer.finish());

  WVDS_ASSIGN(sealer, version->sealer(context.state.library, context.state.nonces()));
  if (auto counted = version->version().count_use(); !counted) {
    // A restored store begins with its versions used up.
    if (counted.error().status == Status::kKeyUsedUp) ask_for_rotation(context, *key, *version);
    return forward_error(counted);
  }
  WVDS_ASSIGN(ciphertext, ciphertext_area(context.scratch, ciphertext_in_answer));
  crypto::Nonce nonce;
  crypto::Tag tag;
  WVDS_TRY(sealer->seal(request.aad, request.plaintext, ciphertext, nonce, tag));
  if (ciphertext.data() != ciphertext_in_answer.data()) copy_bytes(ciphertext, ciphertext_in_answer);
  copy_bytes(nonce, nonce_area);
  copy_bytes(tag, tag_area);
  ask_for_rotation(context, *key, *version);
  return length;
}

Result<size_t> handle_aes_decrypt(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::AesDecryptRequest::decode(payload));
  WVDS_ASSIGN(key, usable_key(context, request.key_id, is_aes, Usage::kDecrypt));
  WVDS_ASSIGN(text, copy_text(context.scratch, request));
  // A failed attempt wipes its output: the ciphertext itself is given up only where there is no further version to try.
  MutableBytes plaintext = text.ciphertext;
  if (key->versions().size() > 1) {
    WVDS_ASSIGN(separate, context.scratch.take(text.ciphertext.size()));
    plaintext = separate;
  }
  for (CachedVersion& version : key->versions()) {
    WVDS_ASSIGN(opener, version.opener(context.state.library));
    const Result<> opened = opener->open(text.nonce, text.aad, text.ciphertext, text.tag, plaintext);
    if (opened) return release(version.version(), text, plaintext, answer);
    if (opened.error().status != Status::kDecryptionFailed) return fail(opened.error().status, opened.error().detail);
  }
  return fail(Status::kDecryptionFailed);
}

}  // namespace wvds::service
