#include "protocol/capability_messages.h"

#include <algorithm>
#include <limits>

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

// Counts travel as u32. One that is larger is shown as the largest.
uint32_t count_of(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
}

void write_count(Writer& writer, const Quota& quota) {
  writer.u32(count_of(quota.limit));
  writer.u32(count_of(quota.used));
}

void write_bytes(Writer& writer, const Quota& quota) {
  writer.u64(quota.limit);
  writer.u64(quota.used);
}

Quota read_count(Reader& reader) {
  const uint32_t limit = reader.u32();
  return {limit, reader.u32()};
}

Quota read_bytes(Reader& reader) {
  const uint64_t limit = reader.u64();
  return {limit, reader.u64()};
}

constexpr Quota CapabilitiesAnswer::* kCounts[] = {
    &CapabilitiesAnswer::sessions, &CapabilitiesAnswer::session_keys, &CapabilitiesAnswer::volatile_keys,
    &CapabilitiesAnswer::persistent_keys, &CapabilitiesAnswer::keys_per_minute};

Result<AlgorithmOffer> read_algorithm(Reader& reader) {
  AlgorithmOffer offer;
  offer.algorithm = static_cast<Algorithm>(reader.u8());
  offer.flags = reader.u8();
  offer.possible_usages = reader.u16();
  offer.default_usages = reader.u16();
  offer.formats = reader.u8();
  const size_t provider_length = reader.u8();
  offer.secret_size = reader.u16();
  offer.public_key_size = reader.u16();
  offer.signature_size = reader.u16();
  offer.ciphertext_size = reader.u16();
  WVDS_ASSIGN(provider, read_provider_name(reader, provider_length));
  offer.provider = std::move(provider);
  return offer;
}

void write_algorithm(Writer& writer, const AlgorithmOffer& offer) {
  const std::string provider = provider_name(offer.provider);
  writer.u8(static_cast<uint8_t>(offer.algorithm));
  writer.u8(offer.flags);
  writer.u16(offer.possible_usages);
  writer.u16(offer.default_usages);
  writer.u8(offer.formats);
  writer.u8(static_cast<uint8_t>(provider.size()));
  writer.u16(offer.secret_size);
  writer.u16(offer.public_key_size);
  writer.u16(offer.signature_size);
  writer.u16(offer.ciphertext_size);
  writer.text(provider);
}

void read_offer(Reader& reader, CapabilitiesAnswer& answer) {
  answer.protocol_version = reader.u8();
  answer.fips_state = static_cast<FipsState>(reader.u8());
  answer.slots = reader.u16();
  answer.max_request_payload = reader.u32();
  answer.max_answer_payload = reader.u32();
  answer.max_aes_size = reader.u32();
  answer.max_mldsa_message_size = reader.u32();
  answer.max_random_size = reader.u32();
}

void read_limits(Reader& reader, CapabilitiesAnswer& answer) {
  answer.window_capacity = reader.u32();
  answer.use_limit = reader.u64();
  for (const auto quota : kCounts) answer.*quota = read_count(reader);
  answer.store_bytes = read_bytes(reader);
  answer.window_bytes = read_bytes(reader);
}

}  // namespace

Result<CapabilitiesAnswer> CapabilitiesAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  CapabilitiesAnswer answer;
  read_offer(reader, answer);
  answer.requests_per_second = reader.u32();
  answer.burst = reader.u32();
  answer.cooldown_ms = reader.u32();
  answer.nonces = static_cast<NonceConstruction>(reader.u8());
  answer.max_key_versions = reader.u8();
  const uint16_t zero = reader.u16();
  read_limits(reader, answer);
  const size_t operation_count = reader.u16();
  const size_t algorithm_count = reader.u16();
  WVDS_TRY(require(operation_count <= kMaxListedOperations && algorithm_count <= kMaxListedAlgorithms,
                   "lists are too long"));
  for (size_t i = 0; i < operation_count; ++i) answer.operations.push_back(reader.u8());
  for (size_t i = 0; i < algorithm_count; ++i) {
    WVDS_ASSIGN(offer, read_algorithm(reader));
    answer.algorithms.push_back(std::move(offer));
  }
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_zero(zero));
  WVDS_TRY(require(answer.fips_state <= FipsState::kUnavailable, "unknown FIPS state"));
  WVDS_TRY(require(answer.nonces <= NonceConstruction::kRandom, "unknown nonce construction"));
  return answer;
}

Result<size_t> CapabilitiesAnswer::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(operations.size() <= kMaxListedOperations && algorithms.size() <= kMaxListedAlgorithms,
                            "lists are too long"));
  Writer writer(out);
  writer.u8(protocol_version);
  writer.u8(static_cast<uint8_t>(fips_state));
  writer.u16(slots);
  writer.u32(max_request_payload);
  writer.u32(max_answer_payload);
  writer.u32(max_aes_size);
  writer.u32(max_mldsa_message_size);
  writer.u32(max_random_size);
  writer.u32(requests_per_second);
  writer.u32(burst);
  writer.u32(cooldown_ms);
  writer.u8(static_cast<uint8_t>(nonces));
  writer.u8(max_key_versions);
  writer.u16(0);
  writer.u32(window_capacity);
  writer.u64(use_limit);
  for (const auto quota : kCounts) write_count(writer, this->*quota);
  write_bytes(writer, store_bytes);
  write_bytes(writer, window_bytes);
  writer.u16(static_cast<uint16_t>(operations.size()));
  writer.u16(static_cast<uint16_t>(algorithms.size()));
  for (const uint8_t operation : operations) writer.u8(operation);
  for (const AlgorithmOffer& offer : algorithms) write_algorithm(writer, offer);
  return writer.finish();
}

}  // namespace wvds::protocol
