#include "service/testing/service_harness.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "protocol/aes_messages.h"
#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"

namespace wvds::service::testing {
namespace {

// must ends the test program with the reason where the harness itself can't be set up: no test could say anything then.
template <class T>
T must(Result<T> result) {
  if (!result) {
    std::cerr << "test set-up failed: " << status_name(result.error().status) << " " << result.error().detail << "\n";
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

config::Client client(std::string name, uint32_t uid) {
  config::Client out;
  out.name = std::move(name);
  out.uid = uid;
  out.rate_limit.requests_per_second = 0;
  for (const std::string_view name : protocol::config_names()) out.operations.emplace_back(name);
  return out;
}

constexpr std::byte kUntouched{0xee};

}  // namespace

Buffer bytes_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Buffer joined(std::initializer_list<Bytes> parts) {
  Buffer out;
  for (const Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

config::ServiceConfig test_config() {
  config::ServiceConfig config;
  config.fips.mode = config::Fips::kRequired;
  config.rate_limit.requests_per_second = 0;
  config.clients = {client("gateway", kGateway), client("backend", kBackend), client("reader", kReader)};
  std::erase(config.clients[2].operations, "key-import");
  return config;
}

TestSession::TestSession(std::unique_ptr<channel::RequestHandler> handler)
    : handler_(std::move(handler)), area_(protocol::kRequestArea), answer_(protocol::kAnswerArea) {}

Answer TestSession::send(Bytes area) {
  std::ranges::fill(area_, std::byte{0});
  std::ranges::copy(area.first(std::min(area.size(), area_.size())), area_.begin());
  std::ranges::fill(answer_, kUntouched);
  last_verdict_ = handler_->handle({UntrustedBytes(area_), answer_});
  handler_->answered();
  const auto frame = must(protocol::AnswerFrame::decode(UntrustedBytes(answer_)));
  const Bytes payload = frame.payload.in_place();
  return {frame.status, {payload.begin(), payload.end()}};
}

Answer TestSession::call(uint8_t type, Bytes payload) { return send(request_frame(type, payload)); }
Answer TestSession::call(Operation operation, Bytes payload) { return call(static_cast<uint8_t>(operation), payload); }

Buffer request_frame(uint8_t type, Bytes payload) {
  Buffer frame(protocol::kFrameHeaderSize);
  protocol::encode_request_header(type, static_cast<uint32_t>(payload.size()),
                                  std::span(frame).first<protocol::kFrameHeaderSize>());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

uint32_t TestSession::generate(Algorithm algorithm, Usages usages, Lifetime lifetime, uint8_t flags) {
  protocol::KeyGenerateRequest request;
  request.key = {algorithm, lifetime, usages, flags, "label"};
  Buffer payload(128);
  payload.resize(must(request.encode(payload)));
  const Answer answer = call(Operation::kKeyGenerate, payload);
  if (answer.status != Status::kSuccess) must<void>(fail(answer.status, "KEY_GENERATE"));
  return must(protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload))).key_id;
}

Buffer TestSession::public_key(uint32_t key) { return version_request(Operation::kKeyPublic, key, 0).payload; }

Answer TestSession::encrypt(uint32_t key, std::string_view plaintext, std::string_view aad) {
  Buffer head(protocol::kAesRequestFixedSize);
  must(protocol::encode_aes_request_head(key, aad.size(), head));
  return call(Operation::kAesEncrypt, joined({head, as_bytes(aad), as_bytes(plaintext)}));
}

Answer TestSession::decrypt(uint32_t key, Bytes sealed, std::string_view aad) {
  Buffer head(protocol::kAesRequestFixedSize);
  must(protocol::encode_aes_request_head(key, aad.size(), head));
  return call(Operation::kAesDecrypt, joined({head, as_bytes(aad), sealed}));
}

Answer TestSession::sign(uint32_t key, std::string_view message, std::string_view context, uint8_t flags) {
  Buffer head(protocol::kMlDsaSignFixedSize + context.size());
  must(protocol::encode_mldsa_sign_head(key, flags, as_bytes(context), head));
  return call(Operation::kMlDsaSign, joined({head, as_bytes(message)}));
}

Answer TestSession::verify(uint32_t key, std::string_view message, Bytes signature, std::string_view context,
                           uint8_t flags) {
  protocol::MlDsaVerifyHead head;
  head.key_id = key;
  head.flags = flags;
  head.signature = signature;
  head.context = as_bytes(context);
  Buffer payload(protocol::kMlDsaVerifyFixedSize + signature.size() + context.size());
  must(protocol::encode_mldsa_verify_head(head, payload));
  return call(Operation::kMlDsaVerify, joined({payload, as_bytes(message)}));
}

Answer TestSession::ecdsa_sign(uint32_t key, std::string_view message, Hash hash, uint8_t flags) {
  Buffer head(protocol::kEcdsaSignFixedSize);
  must(protocol::encode_ecdsa_sign_head(key, hash, flags, head));
  return call(Operation::kEcdsaSign, joined({head, as_bytes(message)}));
}

Answer TestSession::ecdsa_verify(const protocol::EcdsaVerifyHead& head, std::string_view message) {
  Buffer payload(protocol::kEcdsaVerifyFixedSize + head.public_key.size() + head.signature.size());
  must(protocol::encode_ecdsa_verify_head(head, payload));
  return call(Operation::kEcdsaVerify, joined({payload, as_bytes(message)}));
}

Answer TestSession::ecdsa_verify(uint32_t key, std::string_view message, Bytes signature, Hash hash, uint8_t flags) {
  return ecdsa_verify({.key_id = key, .hash = hash, .flags = flags, .public_key = {}, .signature = signature}, message);
}

Answer TestSession::key_request(Operation operation, uint32_t key) {
  Buffer payload(4);
  must(protocol::KeyIdRequest{key}.encode(payload));
  return call(operation, payload);
}

Answer TestSession::version_request(Operation operation, uint32_t key, uint32_t version) {
  Buffer payload(8);
  must(protocol::KeyVersionRequest{key, version}.encode(payload));
  return call(operation, payload);
}

Harness::Harness(const config::ServiceConfig& config) : config_(config), protector_(keystore::make_memory_protector()) {
  start();
}

const crypto::Library& Harness::library() {
  static const std::unique_ptr<crypto::Library> library = must(crypto::Library::load(library_config(test_config())));
  return *library;
}

void Harness::start() {
  service_ = must(Service::create({config_, library(), medium_, *protector_, audit_, clock_, ++epoch_}));
}

void Harness::restart() {
  service_.reset();
  start();
}

Result<std::unique_ptr<channel::RequestHandler>> Harness::try_open(uint32_t uid) {
  channel::Peer peer;
  peer.uid = uid;
  peer.gid = uid;
  return service_->open(peer);
}

TestSession Harness::open(uint32_t uid) { return TestSession(must(try_open(uid))); }

}  // namespace wvds::service::testing
