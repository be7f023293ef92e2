// Compares docs/protocol.md with the code: each hex block with what the encoders produce and the decoders accept, each
// table with the tables of the code, in both directions.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "protocol/aes_messages.h"
#include "protocol/ecdsa_messages.h"
#include "protocol/est_messages.h"
#include "protocol/frame.h"
#include "protocol/key_messages.h"
#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"
#include "protocol/operations.h"
#include "protocol/service_messages.h"
#include "protocol/testing/doc_examples.h"
#include "protocol/testing/doc_page.h"
#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::copy_of;
using testing::Examples;
using testing::examples;
using testing::hex;
using testing::hex_blocks;
using testing::lines_of;
using testing::number;
using testing::page;
using testing::repeated;
using testing::Row;
using testing::section;
using testing::table;
using testing::text;
using testing::to_hex;
using testing::untrusted;

bool is_frame(const std::string& name) { return name.find("answer") != name.npos || name.find("request") != name.npos; }

// decodes runs the decoder of a request's operation.
template <class Message>
bool decodes(UntrustedBytes payload) {
  return Message::decode(payload).has_value();
}

bool request_decodes(const RequestFrame& frame) {
  const UntrustedBytes payload = frame.payload;
  switch (static_cast<Operation>(frame.type)) {
    case Operation::kAesEncrypt: return decodes<AesEncryptRequest>(payload);
    case Operation::kAesDecrypt: return decodes<AesDecryptRequest>(payload);
    case Operation::kMlDsaSign: return decodes<MlDsaSignRequest>(payload);
    case Operation::kMlDsaVerify: return decodes<MlDsaVerifyRequest>(payload);
    case Operation::kEcdsaSign: return decodes<EcdsaSignRequest>(payload);
    case Operation::kEcdsaVerify: return decodes<EcdsaVerifyRequest>(payload);
    case Operation::kMlKemKeygen: return decodes<MlKemKeygenRequest>(payload);
    case Operation::kMlKemEncaps: return decodes<MlKemEncapsRequest>(payload);
    case Operation::kMlKemDecaps: return decodes<MlKemDecapsRequest>(payload);
    case Operation::kMlKemEncapsToKey: return decodes<MlKemEncapsToKeyRequest>(payload);
    case Operation::kMlKemDecapsToKey: return decodes<MlKemDecapsToKeyRequest>(payload);
    case Operation::kKeyGenerate: return decodes<KeyGenerateRequest>(payload);
    case Operation::kKeyImport: return decodes<KeyImportRequest>(payload);
    case Operation::kKeyPublic:
    case Operation::kKeyDelete: return decodes<KeyVersionRequest>(payload);
    case Operation::kKeyList:
    case Operation::kKeyInfo:
    case Operation::kKeyRotate:
    case Operation::kKeyRetire: return decodes<KeyIdRequest>(payload);
    case Operation::kRandom: return decodes<RandomRequest>(payload);
    case Operation::kPing:
    case Operation::kStatus:
    case Operation::kCapabilities:
    case Operation::kMetrics:
    case Operation::kEstStatus: return decode_empty_request(payload).has_value();
    case Operation::kEstCertificate: return decodes<EstCertificateRequest>(payload);
    case Operation::kEstCaCertificates: return decodes<EstCaCertificatesRequest>(payload);
    case Operation::kEstWait: return decodes<EstWaitRequest>(payload);
    case Operation::kEstRenew: return decodes<EstRenewRequest>(payload);
    case Operation::kEstRelay: return decodes<EstRelayRequest>(payload);
  }
  return false;
}

// ---- Examples against page

TEST(ProtocolPage, HasTheBytesThatTheCodeEncodes) {
  const auto blocks = hex_blocks();
  for (const auto& [name, bytes] : examples()) {
    ASSERT_TRUE(blocks.contains(name)) << name;
    EXPECT_EQ(to_hex(hex(blocks.at(name))), to_hex(bytes)) << name;
  }
}

TEST(ProtocolPage, HasNoFrameThatTheCodeDoesNotEncode) {
  const Examples known = examples();
  for (const auto& [name, source] : hex_blocks()) {
    EXPECT_TRUE(known.contains(name) || !is_frame(name)) << name;
  }
}

TEST(ProtocolPage, HasRequestsThatTheDecodersAccept) {
  for (const auto& [name, source] : hex_blocks()) {
    if (name.find(" request") == name.npos) continue;
    const Buffer bytes = hex(source);
    const auto frame = RequestFrame::decode(untrusted(bytes));
    ASSERT_TRUE(frame) << name;
    const OperationInfo* info = operation_info(frame->type);
    ASSERT_NE(info, nullptr) << name;
    EXPECT_TRUE(name.starts_with(std::string(info->name) + " ")) << name;
    EXPECT_TRUE(request_decodes(*frame)) << name;
    EXPECT_EQ(frame->payload.size() + kFrameHeaderSize, bytes.size()) << name;
  }
}

TEST(ProtocolPage, HasAnswersThatTheDecodersAccept) {
  for (const auto& [name, source] : hex_blocks()) {
    if (name.find(" answer") == name.npos) continue;
    const Buffer bytes = hex(source);
    const auto frame = AnswerFrame::decode(untrusted(bytes));
    ASSERT_TRUE(frame) << name;
    EXPECT_EQ(frame->payload.size() + kFrameHeaderSize, bytes.size()) << name;
  }
}

TEST(ProtocolPage, ShowsARequestAndAnAnswerOfEachOperation) {
  const auto blocks = hex_blocks();
  for (const OperationInfo& info : operations()) {
    const std::string name = info.name;
    EXPECT_TRUE(blocks.contains(name + " request") || blocks.contains(name + " request by id")) << name;
    EXPECT_TRUE(blocks.contains(name + " answer")) << name;
  }
}

TEST(ProtocolPage, DerivesKeysFromTheFieldsItNames) {
  const Buffer info = hex(hex_blocks().at("key from KEM info"));
  Reader reader(untrusted(info));
  const auto field = [&reader] {
    const size_t length = reader.u16();
    return copy_of(reader.bytes(length));
  };
  EXPECT_EQ(field(), hex("01"));
  EXPECT_EQ(field(), repeated(static_cast<uint8_t>(Algorithm::kMlKem768), 1));
  EXPECT_EQ(field().size(), 32u);
  EXPECT_EQ(field().size(), 32u);
  EXPECT_EQ(field(), repeated(static_cast<uint8_t>(Algorithm::kAes256Gcm), 1));
  EXPECT_EQ(field(), text("batch 1"));
  EXPECT_TRUE(reader.finish());
}

// ---- Tables against code

TEST(ProtocolPage, ListsEachOperationOfTheCodeAndNoOther) {
  std::map<size_t, std::string> listed, known;
  for (const Row& row : table(section("## Operations"), {"type", "name"})) listed[number(row[0])] = row[1];
  for (const OperationInfo& info : operations()) known[static_cast<size_t>(info.operation)] = info.name;
  EXPECT_EQ(listed, known);
}

TEST(ProtocolPage, ListsEachStatusOfTheCodeAndNoOther) {
  const std::string statuses = section("## Statuses");
  const size_t middle = statuses.find("Statuses of the C library");
  ASSERT_NE(middle, std::string::npos);
  std::map<size_t, std::string> listed, known;
  for (const Row& row : table(statuses.substr(0, middle), {"value", "name"})) {
    EXPECT_LT(number(row[0]), 0x80u);
    listed[number(row[0])] = row[1];
  }
  for (const Row& row : table(statuses.substr(middle), {"value", "name"})) {
    EXPECT_GE(number(row[0]), 0x80u);
    listed[number(row[0])] = row[1];
  }
  for (size_t value = 0; value < 256; ++value) {
    const std::string name = status_name(static_cast<Status>(value));
    if (name != "UNKNOWN_STATUS") known[value] = name;
  }
  EXPECT_EQ(listed, known);
}

TEST(ProtocolPage, GivesTheSizesOfFips) {
  for (const auto& [heading, columns] : {std::pair{"## ML-DSA", Row{"algorithm", "value", "public key"}},
                                         std::pair{"## ML-KEM", Row{"algorithm", "value", "encapsulation key"}}}) {
    const auto rows = table(section(heading), columns);
    EXPECT_EQ(rows.size(), 3u);
    for (const Row& row : rows) {
      const AlgorithmInfo* info = algorithm_info(static_cast<Algorithm>(number(row[1])));
      ASSERT_NE(info, nullptr);
      EXPECT_EQ(row[0], info->name);
      EXPECT_EQ(number(row[2]), info->public_key);
      EXPECT_EQ(number(row[3]), is_ml_dsa(info->algorithm) ? info->signature : info->kem_ciphertext);
    }
  }
}

TEST(ProtocolPage, GivesTheSizesOfEcdsaAndItsHashes) {
  const auto rows = table(section("## ECDSA"), {"algorithm", "value"});
  EXPECT_EQ(rows.size(), 2u);
  for (const Row& row : rows) {
    const AlgorithmInfo* info = algorithm_info(static_cast<Algorithm>(number(row[1])));
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(row[0], info->name);
    EXPECT_EQ(number(row[2]), info->public_key);
    EXPECT_EQ(number(row[3]), info->signature);
  }
  const auto hashes = table(section("## ECDSA"), {"hash", "name"});
  EXPECT_EQ(hashes.size(), 3u);
  for (const Row& row : hashes) {
    EXPECT_EQ(row[1], hash_name(static_cast<Hash>(number(row[0]))));
    EXPECT_EQ(number(row[2]), hash_size(static_cast<Hash>(number(row[0]))));
  }
}

std::string names_of(Usages usages) {
  std::string words;
  for (Usages bit = 1; bit != 0; bit = static_cast<Usages>(bit << 1)) {
    if ((usages & bit) != 0) words += (words.empty() ? "" : ", ") + std::string(usage_name(static_cast<Usage>(bit)));
  }
  return words;
}

TEST(ProtocolPage, ListsTheAlgorithmsAndTheirUsages) {
  const auto rows = table(section("## Keys"), {"algorithm", "value"});
  EXPECT_EQ(rows.size(), algorithms().size());
  for (const Row& row : rows) {
    const AlgorithmInfo* info = algorithm_info(static_cast<Algorithm>(number(row[1])));
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(row[0], info->name);
    EXPECT_EQ(row[2], names_of(info->possible_usages));
    EXPECT_EQ(row[3], names_of(info->default_usages));
  }
}

TEST(ProtocolPage, ListsTheBitsOfUsages) {
  Usages all = 0;
  for (const Row& row : table(section("### Usages"), {"bit", "name"})) {
    EXPECT_EQ(row[1], usage_name(static_cast<Usage>(number(row[0]))));
    all = static_cast<Usages>(all | number(row[0]));
  }
  EXPECT_EQ(all, 0x01ff);
}

TEST(ProtocolPage, ListsTheLifetimes) {
  const auto rows = table(section("### Lifetimes"), {"value", "name"});
  EXPECT_EQ(rows.size(), 4u);
  for (const Row& row : rows) EXPECT_EQ(row[1], lifetime_name(static_cast<Lifetime>(number(row[0]))));
}

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::vector<std::string> words_of(const std::string& source) {
  std::vector<std::string> words(1);
  for (const char c : source) {
    if (is_word_character(c)) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  return words;
}

bool is_upper(const std::string& word) {
  return std::ranges::none_of(word, [](char c) { return std::islower(static_cast<unsigned char>(c)); });
}

TEST(ProtocolPage, NamesOnlyOperationsAndStatusesThatExist) {
  std::set<std::string> known{"UNKNOWN_STATUS", "WVDS_AES_MAX_SIZE"};
  for (const OperationInfo& info : operations()) known.insert(info.name);
  for (int value = 0; value < 256; ++value) known.insert(status_name(static_cast<Status>(value)));
  for (const std::string& word : words_of(page())) {
    EXPECT_TRUE(known.contains(word) || !is_upper(word) || word.find('_') == word.npos) << word;
  }
}

std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading.substr(heading.find(' ') + 1)) {
    if (is_word_character(c) || c == '-') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

TEST(ProtocolPage, LinksToSectionsThatExist) {
  std::set<std::string> anchors;
  for (const std::string& line : lines_of(page())) {
    if (line.starts_with("#")) anchors.insert(anchor_of(line));
  }
  constexpr std::string_view kStart = "](#";
  size_t links = 0;
  for (size_t at = page().find(kStart); at != std::string::npos; at = page().find(kStart, at + 1), ++links) {
    const size_t first = at + kStart.size();
    const std::string anchor = page().substr(first, page().find(')', first) - first);
    EXPECT_TRUE(anchors.contains(anchor)) << anchor;
  }
  EXPECT_GT(links, operations().size());
}

}  // namespace
}  // namespace wvds::protocol
