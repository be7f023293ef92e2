#include "keystore/tpm/tpm_pcrs.h"

#include <algorithm>
#include <array>

#include "crypto/kdf.h"

namespace wvds::keystore {
namespace {

constexpr uint8_t kSelectBytes = kPcrCount / 8;

TPML_PCR_SELECTION selection_of(TpmHash bank, uint32_t pcrs) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = static_cast<TPMI_ALG_HASH>(bank);
  out.pcrSelections[0].sizeofSelect = kSelectBytes;
  for (uint8_t i = 0; i < kSelectBytes; ++i) out.pcrSelections[0].pcrSelect[i] = static_cast<BYTE>(pcrs >> 8 * i);
  return out;
}

bool selects_any(const TPMS_PCR_SELECTION& bank) {
  return std::any_of(bank.pcrSelect, bank.pcrSelect + std::min<size_t>(bank.sizeofSelect, sizeof bank.pcrSelect),
                     [](BYTE byte) { return byte != 0; });
}

std::unexpected<Error> no_bank(TpmHash bank, const std::string& others) {
  const std::string word = tpm_hash_word(bank);
  return fail(Status::kStorageError,
              "the TPM has no PCRs in the bank " + word + ", only in " + others +
                  ": name one of those in store.tpm.pcr_bank, or have the bank made (tpm2_pcrallocate " + word +
                  ":all, then restart the device)");
}

// Policy is the running digest of policy commands.
class Policy {
 public:
  explicit Policy(const crypto::Library& library) : library_(library), digest_(32) {}

  // extend makes the digest SHA-256(digest, command code, arguments), numbers in network byte order.
  Result<> extend(TPM2_CC command, Bytes arguments) {
    std::vector<std::byte> input = digest_;
    for (int shift = 24; shift >= 0; shift -= 8) input.push_back(std::byte(command >> shift & 0xff));
    input.insert(input.end(), arguments.begin(), arguments.end());
    WVDS_ASSIGN(digest, crypto::sha256(library_, input));
    digest_.assign(digest.begin(), digest.end());
    return {};
  }

  const std::vector<std::byte>& digest() const { return digest_; }

 private:
  const crypto::Library& library_;
  std::vector<std::byte> digest_;
};

// marshalled_selection is a TPML_PCR_SELECTION of one bank as it goes over the wire.
std::vector<std::byte> marshalled_selection(const PcrPolicy& policy) {
  const auto bank = static_cast<uint16_t>(policy.bank);
  std::vector<std::byte> out{std::byte{0},         std::byte{0},           std::byte{0},           std::byte{1},
                             std::byte(bank >> 8), std::byte(bank & 0xff), std::byte{kSelectBytes}};
  for (uint8_t i = 0; i < kSelectBytes; ++i) out.push_back(std::byte(policy.pcrs >> 8 * i & 0xff));
  return out;
}

}  // namespace

Result<> check_bank(const TpmConnection& tpm, TpmHash bank) {
  TPMS_CAPABILITY_DATA* raw = nullptr;
  const TSS2_RC code = tpm.tss().Esys_GetCapability(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS,
                                                    0, 1, nullptr, &raw);
  WVDS_TRY(tpm.check(code, "list its PCRs"));
  const auto data = tpm.tss().own(raw);
  const TPML_PCR_SELECTION& banks = data->data.assignedPCR;
  std::string others;
  for (UINT32 i = 0; i < std::min<UINT32>(banks.count, TPM2_NUM_PCR_BANKS); ++i) {
    if (!selects_any(banks.pcrSelections[i])) continue;
    const auto hash = static_cast<TpmHash>(banks.pcrSelections[i].hash);
    if (hash == bank) return {};
    others += (others.empty() ? "" : ", ") + std::string(tpm_hash_word(hash));
  }
  return no_bank(bank, others.empty() ? "none" : others);
}

// One PCR at a time: an answer has room for few of them, and a TPM may leave some out.
Result<std::vector<std::byte>> read_pcrs(const TpmConnection& tpm, const StorageKey& key, const PcrPolicy& policy) {
  WVDS_ASSIGN(session, start_session(tpm, key.handle.get(), SessionKind::kHmac));
  WVDS_TRY(use_session(tpm, session, SessionUse::kAudit));
  std::vector<std::byte> out;
  for (const uint32_t pcr : policy.numbers()) {
    const TPML_PCR_SELECTION wanted = selection_of(policy.bank, 1u << pcr);
    TPML_DIGEST* raw = nullptr;
    const TSS2_RC code =
        tpm.tss().Esys_PCR_Read(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &wanted, nullptr, nullptr, &raw);
    WVDS_TRY(tpm.check(code, "read its PCRs"));
    const auto values = tpm.tss().own(raw);
    if (values->count != 1 || values->digests[0].size != digest_size(policy.bank))
      return fail(Status::kStorageError, "the TPM has no " + pcr_list(policy.bank, {pcr}));
    const Bytes value = std::as_bytes(std::span(values->digests[0].buffer, values->digests[0].size));
    out.insert(out.end(), value.begin(), value.end());
  }
  return out;
}

Result<std::vector<std::byte>> policy_digest(const crypto::Library& library, const PcrPolicy& policy) {
  if (!policy.is_set()) return std::vector<std::byte>{};
  WVDS_ASSIGN(values, crypto::sha256(library, policy.values));
  std::vector<std::byte> arguments = marshalled_selection(policy);
  arguments.insert(arguments.end(), values.begin(), values.end());
  Policy digest(library);
  WVDS_TRY(digest.extend(TPM2_CC_PolicyPCR, arguments));
  WVDS_TRY(digest.extend(TPM2_CC_PolicyAuthValue, {}));
  return digest.digest();
}

Result<> meet_policy(const TpmConnection& tpm, const TpmHandle& session, const PcrPolicy& policy) {
  const TPM2B_DIGEST as_they_are{};
  const TPML_PCR_SELECTION wanted = selection_of(policy.bank, policy.pcrs);
  WVDS_TRY(tpm.check(tpm.tss().Esys_PolicyPCR(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                              &as_they_are, &wanted),
                     "look at its PCRs"));
  return tpm.check(tpm.tss().Esys_PolicyAuthValue(tpm.esys(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                   "ask for an authorisation value");
}

std::vector<uint32_t> changed_pcrs(const PcrPolicy& policy, Bytes values_now) {
  std::vector<uint32_t> out;
  const size_t size = digest_size(policy.bank);
  size_t offset = 0;
  for (const uint32_t pcr : policy.numbers()) {
    if (!std::ranges::equal(Bytes(policy.values).subspan(offset, size), values_now.subspan(offset, size)))
      out.push_back(pcr);
    offset += size;
  }
  return out;
}

}  // namespace wvds::keystore
