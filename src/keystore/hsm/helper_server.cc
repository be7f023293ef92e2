#include "keystore/hsm/helper_server.h"

namespace wvds::keystore::hsm {
namespace {

constexpr size_t kMaxPath = 4096;

Message success() { return {static_cast<uint8_t>(Fault::kNone), {}}; }

Message success(Bytes value) {
  Message out = success();
  out.add(value);
  return out;
}

Result<TokenSelector> selector_of(const Message& request) {
  TokenSelector out;
  std::string* const texts[] = {&out.label, &out.serial, &out.manufacturer, &out.model};
  for (size_t i = 0; i < std::size(texts); ++i) {
    WVDS_ASSIGN(text, request.text(1 + i, kMaxTokenText));
    *texts[i] = std::move(text);
  }
  WVDS_ASSIGN(slot, request.bytes(5, 0, sizeof(uint64_t)));
  if (slot.empty()) return out;
  WVDS_ASSIGN(number, request.number(5));
  out.slot = number;
  return out;
}

Result<Algorithm> algorithm_of(const Message& request) {
  WVDS_ASSIGN(number, request.number(0));
  const auto algorithm = static_cast<Algorithm>(number);
  if (number > 0xff || !(is_ml_dsa(algorithm) || is_ml_kem(algorithm)) || algorithm_info(algorithm) == nullptr)
    return fail(Status::kInvalidPayload, "no algorithm of keys inside a token");
  return algorithm;
}

}  // namespace

WipedBytes HelperServer::answer(Bytes packet) {
  if (token_ != nullptr) token_->clear_fault();
  const auto request = Message::decode(packet);
  if (!request) return failure(request.error()).encode();
  const auto answered = handle(*request);
  return answered ? answered->encode() : failure(answered.error()).encode();
}

Message HelperServer::failure(const Error& error) const {
  Fault fault = Fault::kFailed;
  if (!loaded_) fault = Fault::kBadModule;
  if (token_ != nullptr && token_->fault() != Fault::kNone) fault = token_->fault();
  Message out{static_cast<uint8_t>(fault), {}};
  out.add_text(std::string_view(error.detail).substr(0, kMaxDetail));
  return out;
}

Result<Message> HelperServer::handle(const Message& message) {
  const auto request = static_cast<Request>(message.kind);
  if (request == Request::kOpen) return open(message);
  if (token_ == nullptr) return fail(Status::kInvalidPayload, "no token is open");
  switch (request) {
    case Request::kOpen: break;
    case Request::kLogin: return login(message);
    case Request::kUseKey: return use_key(message);
    case Request::kWrap: return wrap(message);
    case Request::kUnwrap: return unwrap(message);
    case Request::kSetPin: return set_pin(message);
    case Request::kMakeInside: return make_inside(message);
    case Request::kSign: return sign(message);
    case Request::kDecapsulate: return decapsulate(message);
    case Request::kDestroy: return destroy(message);
  }
  return fail(Status::kInvalidPayload, "an unknown request");
}

Result<Message> HelperServer::open(const Message& request) {
  WVDS_ASSIGN(path, request.text(0, kMaxPath));
  WVDS_ASSIGN(wanted, selector_of(request));
  if (token_ != nullptr) return fail(Status::kInvalidPayload, "a token is open already");
  WVDS_ASSIGN(module, load_module_(path));
  loaded_ = true;
  token_ = std::make_unique<Token>(module);
  WVDS_TRY(token_->open(wanted));
  Message out = success();
  const TokenFacts& facts = token_->facts();
  for (const std::string& text : {facts.label, facts.serial, facts.manufacturer, facts.model}) out.add_text(text);
  out.add_number(facts.slot);
  out.add_number(token_->flags());
  return out;
}

Result<Message> HelperServer::login(const Message& request) {
  WVDS_ASSIGN(pin, request.bytes(0, 0, kMaxPinSize));
  WVDS_TRY(token_->login(pin));
  return success();
}

Result<Message> HelperServer::use_key(const Message& request) {
  WVDS_ASSIGN(label, request.text(0, kMaxTokenText));
  WVDS_ASSIGN(id, request.bytes(1, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(used, token_->use_key(label, id));
  Message out = success(used.id);
  out.add_number(used.finding);
  return out;
}

Result<Message> HelperServer::wrap(const Message& request) {
  WVDS_ASSIGN(id, request.bytes(0, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(mechanism, request.number(1));
  WVDS_ASSIGN(secret, request.bytes(2, kAesKeySize, kAesKeySize));
  WVDS_ASSIGN(wrapped, token_->wrap(id, mechanism, secret));
  Message out = success();
  out.add_number(wrapped.mechanism);
  out.add(wrapped.bytes);
  return out;
}

Result<Message> HelperServer::unwrap(const Message& request) {
  WVDS_ASSIGN(id, request.bytes(0, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(mechanism, request.number(1));
  WVDS_ASSIGN(wrapped, request.bytes(2, 1, kMaxDetail));
  WVDS_ASSIGN(secret, token_->unwrap(id, mechanism, wrapped));
  return success(secret.expose());
}

Result<Message> HelperServer::set_pin(const Message& request) {
  WVDS_ASSIGN(pin, request.bytes(0, 0, kMaxPinSize));
  WVDS_ASSIGN(new_pin, request.bytes(1, 0, kMaxPinSize));
  WVDS_TRY(token_->set_pin(pin, new_pin));
  return success();
}

Result<Message> HelperServer::make_inside(const Message& request) {
  WVDS_ASSIGN(algorithm, algorithm_of(request));
  WVDS_ASSIGN(id, request.bytes(1, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(label, request.text(2, kMaxTokenText));
  WVDS_ASSIGN(public_key, token_->make_inside(algorithm, id, label));
  return success(public_key);
}

Result<Message> HelperServer::sign(const Message& request) {
  WVDS_ASSIGN(algorithm, algorithm_of(request));
  WVDS_ASSIGN(id, request.bytes(1, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(deterministic, request.number(2));
  WVDS_ASSIGN(context, request.bytes(3, 0, kMaxContextSize));
  WVDS_ASSIGN(message, request.bytes(4, 0, kMaxHelperMessage));
  WVDS_ASSIGN(signature, token_->sign(algorithm, id, deterministic != 0, context, message));
  return success(signature);
}

Result<Message> HelperServer::decapsulate(const Message& request) {
  WVDS_ASSIGN(algorithm, algorithm_of(request));
  WVDS_ASSIGN(id, request.bytes(1, 1, kMaxTokenKeyId));
  WVDS_ASSIGN(ciphertext, request.bytes(2, 1, kMaxKemCiphertextSize));
  WVDS_ASSIGN(secret, token_->decapsulate(algorithm, id, ciphertext));
  return success(secret.expose());
}

Result<Message> HelperServer::destroy(const Message& request) {
  WVDS_ASSIGN(id, request.bytes(0, 1, kMaxTokenKeyId));
  WVDS_TRY(token_->destroy(id));
  return success();
}

}  // namespace wvds::keystore::hsm
