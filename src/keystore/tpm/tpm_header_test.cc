#include "keystore/tpm/tpm_header.h"

#include <gtest/gtest.h>

#include <functional>

namespace wvds::keystore {
namespace {

TpmHeader full_header() {
  TpmHeader header;
  header.primary = PrimaryKind::kRsa2048;
  header.primary_name.fill(std::byte{0x11});
  header.policy = {
      .bank = TpmHash::kSha384, .pcrs = 1u << 23 | 1, .values = std::vector<std::byte>(96, std::byte{0x22})};
  header.counter = {.nv_index = 0x01800100, .first = 0x0102030405060708, .binding = {}};
  header.counter.binding.fill(std::byte{0x33});
  header.object_public.assign(3, std::byte{0x44});
  header.object_private.assign(2, std::byte{0x55});
  return header;
}

std::string hex(Bytes bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    out += "0123456789abcdef"[std::to_integer<int>(byte >> 4)];
    out += "0123456789abcdef"[std::to_integer<int>(byte & std::byte{15})];
  }
  return out;
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// Byte for byte as docs/storage-format.md has it.
TEST(TpmHeader, IsLaidOutAsTheDocumentSays) {
  EXPECT_EQ(hex(full_header().encode()),
            "02"
            "00"
            "0c00"
            "01008000"
            "00018001"
            "0807060504030201" +
                repeated("33", 16) + repeated("11", 34) + repeated("22", 96) +
                "0300444444"
                "02005555");
}

TEST(TpmHeader, ComesBackAsItWas) {
  for (const TpmHeader& header : {full_header(), TpmHeader{}}) {
    const auto encoded = header.encode();
    const auto decoded = TpmHeader::decode(encoded);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().detail;
    EXPECT_EQ(decoded->encode(), encoded);
    EXPECT_EQ(Bytes(encoded).first(header.bound_part().size()).size() + 4 + header.object_public.size() +
                  header.object_private.size(),
              encoded.size());
  }
}

TEST(TpmHeader, IsRefusedWhereNoProgramWritesIt) {
  const auto refused = [](const std::function<void(TpmHeader&)>& change) {
    TpmHeader header = full_header();
    change(header);
    const auto decoded = TpmHeader::decode(header.encode());
    return decoded ? Status::kSuccess : decoded.error().status;
  };
  EXPECT_EQ(refused([](TpmHeader&) {}), Status::kSuccess);
  EXPECT_EQ(refused([](TpmHeader& header) { header.primary = static_cast<PrimaryKind>(3); }), Status::kUnsupported);
  EXPECT_EQ(refused([](TpmHeader& header) { header.policy.bank = static_cast<TpmHash>(0x0012); }),
            Status::kUnsupported);
  EXPECT_EQ(refused([](TpmHeader& header) { header.policy.pcrs |= 1u << 24; }), Status::kUnsupported);
  EXPECT_EQ(refused([](TpmHeader& header) { header.policy.pcrs = 0; }), Status::kStorageError) << "a bank without PCRs";
  EXPECT_EQ(refused([](TpmHeader& header) { header.policy.values.pop_back(); }), Status::kStorageError);
  EXPECT_EQ(refused([](TpmHeader& header) { header.counter.nv_index = 0; }), Status::kStorageError);
  EXPECT_EQ(refused([](TpmHeader& header) { header.counter.nv_index = 0x81000001; }), Status::kStorageError);
  EXPECT_EQ(refused([](TpmHeader& header) { header.object_private.resize(1025); }), Status::kStorageError);
}

TEST(TpmHeader, NamesPcrsInASentence) {
  EXPECT_EQ(pcr_list(TpmHash::kSha256, {7}), "sha256 PCR 7");
  EXPECT_EQ(pcr_list(TpmHash::kSha1, {0, 7}), "sha1 PCRs 0 and 7");
  EXPECT_EQ(pcr_list(TpmHash::kSha512, {0, 4, 23}), "sha512 PCRs 0, 4 and 23");
}

TEST(TpmHash, HasAWordAndASizeOfADigest) {
  EXPECT_EQ(tpm_hash_of("sha256"), TpmHash::kSha256);
  EXPECT_EQ(tpm_hash_of("md5"), TpmHash::kNone);
  EXPECT_EQ(digest_size(TpmHash::kSha384), 48u);
  EXPECT_EQ(digest_size(static_cast<TpmHash>(0x0012)), 0u);
}

}  // namespace
}  // namespace wvds::keystore
