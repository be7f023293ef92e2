#include "keystore/tpm/tpm_header.h"

#include <bit>

namespace wvds::keystore {
namespace {

constexpr size_t kFixedSize = 36 + TpmHeader::kNameSize;
constexpr size_t kMaxObjectPart = 1024;
constexpr uint32_t kAllPcrs = (1u << kPcrCount) - 1;
constexpr uint32_t kFirstNvIndex = 0x0100'0000;
constexpr uint32_t kLastNvIndex = 0x01ff'ffff;

struct HashWord {
  TpmHash hash;
  const char* word;
  size_t size;
};
constexpr HashWord kHashes[] = {{TpmHash::kSha1, "sha1", 20},
                                {TpmHash::kSha256, "sha256", 32},
                                {TpmHash::kSha384, "sha384", 48},
                                {TpmHash::kSha512, "sha512", 64}};

std::unexpected<Error> not_ours(const char* why) {
  return fail(Status::kStorageError, std::string("the store's header is not one of protector tpm: ") + why);
}

std::unexpected<Error> from_newer_program(const char* what) {
  return fail(Status::kUnsupported,
              std::string("the store's header names ") + what + ", which this program does not know: use a newer one");
}

size_t values_size(const PcrPolicy& policy) {
  return static_cast<size_t>(std::popcount(policy.pcrs)) * digest_size(policy.bank);
}

void write_bound(Writer& writer, const TpmHeader& header) {
  writer.u8(static_cast<uint8_t>(header.primary));
  writer.u8(0);
  writer.u16(static_cast<uint16_t>(header.policy.bank));
  writer.u32(header.policy.pcrs);
  writer.u32(header.counter.nv_index);
  writer.u64(header.counter.first);
  writer.bytes(header.counter.binding);
  writer.bytes(header.primary_name);
  writer.bytes(header.policy.values);
}

void write_object_part(Writer& writer, Bytes part) {
  writer.u16(static_cast<uint16_t>(part.size()));
  writer.bytes(part);
}

Result<> check_policy(const PcrPolicy& policy) {
  if ((policy.pcrs & ~kAllPcrs) != 0) return from_newer_program("PCRs from 24 on");
  if (policy.is_set() && digest_size(policy.bank) == 0) return from_newer_program("a bank of PCRs");
  if (!policy.is_set() && policy.bank != TpmHash::kNone) return not_ours("it has a bank of PCRs without PCRs");
  return {};
}

Result<> check_counter(const CounterFields& counter) {
  if (counter.nv_index == 0) {
    if (counter.first != 0 || counter.binding != RollbackBinding{})
      return not_ours("it has a counter without an index");
    return {};
  }
  if (counter.nv_index < kFirstNvIndex || counter.nv_index > kLastNvIndex)
    return not_ours("its counter's index is out of range");
  return {};
}

Result<std::vector<std::byte>> read_part(Reader& reader, size_t size, size_t limit) {
  const UntrustedBytes part = reader.bytes(size);
  if (reader.failed() || size > limit) return not_ours("its fields don't fit");
  std::vector<std::byte> out(size);
  part.copy_to(out);
  return out;
}

}  // namespace

size_t digest_size(TpmHash hash) {
  for (const HashWord& known : kHashes) {
    if (known.hash == hash) return known.size;
  }
  return 0;
}

TpmHash tpm_hash_of(std::string_view word) {
  for (const HashWord& known : kHashes) {
    if (known.word == word) return known.hash;
  }
  return TpmHash::kNone;
}

const char* tpm_hash_word(TpmHash hash) {
  for (const HashWord& known : kHashes) {
    if (known.hash == hash) return known.word;
  }
  return "unknown";
}

std::vector<uint32_t> PcrPolicy::numbers() const {
  std::vector<uint32_t> out;
  for (uint32_t pcr = 0; pcr < kPcrCount; ++pcr) {
    if ((pcrs >> pcr & 1) != 0) out.push_back(pcr);
  }
  return out;
}

std::string pcr_list(TpmHash bank, const std::vector<uint32_t>& numbers) {
  std::string text = std::string(tpm_hash_word(bank)) + (numbers.size() == 1 ? " PCR" : " PCRs");
  for (size_t i = 0; i < numbers.size(); ++i) {
    text += (i == 0 ? " " : i + 1 == numbers.size() ? " and " : ", ") + std::to_string(numbers[i]);
  }
  return text;
}

std::vector<std::byte> TpmHeader::bound_part() const {
  std::vector<std::byte> out(kFixedSize + policy.values.size());
  Writer writer(out);
  write_bound(writer, *this);
  return out;
}

std::vector<std::byte> TpmHeader::encode() const {
  std::vector<std::byte> out(kFixedSize + policy.values.size() + 4 + object_public.size() + object_private.size());
  Writer writer(out);
  write_bound(writer, *this);
  write_object_part(writer, object_public);
  write_object_part(writer, object_private);
  return out;
}

Result<TpmHeader> TpmHeader::decode(Bytes header) {
  Reader reader(header);
  TpmHeader out;
  out.primary = static_cast<PrimaryKind>(reader.u8());
  const uint8_t zero = reader.u8();
  out.policy.bank = static_cast<TpmHash>(reader.u16());
  out.policy.pcrs = reader.u32();
  out.counter.nv_index = reader.u32();
  out.counter.first = reader.u64();
  reader.copy(out.counter.binding);
  reader.copy(out.primary_name);
  if (reader.failed()) return not_ours("it is too short");
  if (zero != 0) return from_newer_program("a part of the format");
  if (out.primary != PrimaryKind::kEccP256 && out.primary != PrimaryKind::kRsa2048)
    return from_newer_program("a kind of primary key");
  WVDS_TRY(check_policy(out.policy));
  WVDS_TRY(check_counter(out.counter));
  const size_t size = values_size(out.policy);
  WVDS_ASSIGN(values, read_part(reader, size, size));
  out.policy.values = std::move(values);
  WVDS_ASSIGN(object_public, read_part(reader, reader.u16(), kMaxObjectPart));
  out.object_public = std::move(object_public);
  WVDS_ASSIGN(object_private, read_part(reader, reader.u16(), kMaxObjectPart));
  out.object_private = std::move(object_private);
  if (!reader.finish()) return not_ours("it is longer than its fields say");
  return out;
}

}  // namespace wvds::keystore
