#include "examples/envelope/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "examples/envelope/fingerprint.h"

namespace {

envelope_header example_header(uint32_t data_len) {
  envelope_header header{};
  header.sequence = 0x1122334455667788;
  header.part = 7;
  header.is_last_part = 1;
  std::strcpy(header.sender, "gateway-01");
  std::fill(std::begin(header.recipient), std::end(header.recipient), 0xAB);
  header.data_len = data_len;
  return header;
}

// example builds a whole envelope whose parts are filled with bytes that tell them apart.
std::vector<uint8_t> example(uint32_t data_len) {
  const envelope_header header = example_header(data_len);
  const std::vector<uint8_t> kem(ENVELOPE_KEM_SIZE, 0xC1);
  std::vector<uint8_t> bytes(envelope_size(data_len), 0xC2);
  std::fill(bytes.end() - ENVELOPE_SIGNATURE_SIZE, bytes.end(), 0xC3);
  EXPECT_EQ(envelope_write_header(bytes.data(), &header, kem.data()), ENVELOPE_OK);
  return bytes;
}

envelope_result parse(const std::vector<uint8_t>& bytes) {
  envelope_view view;
  // a copy of exact size, so that a sanitizer sees a read behind the end
  const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  return envelope_parse(&view, exact.data(), exact.size());
}

std::vector<uint8_t> with(std::vector<uint8_t> bytes, size_t at, std::vector<uint8_t> values) {
  std::copy(values.begin(), values.end(), bytes.begin() + static_cast<ptrdiff_t>(at));
  return bytes;
}

}  // namespace

TEST(Envelope, ParsesWhatWasWritten) {
  const auto bytes = example(100);
  envelope_view view;
  ASSERT_EQ(envelope_parse(&view, bytes.data(), bytes.size()), ENVELOPE_OK);
  EXPECT_EQ(view.header.sequence, 0x1122334455667788u);
  EXPECT_EQ(view.header.part, 7u);
  EXPECT_EQ(view.header.is_last_part, 1);
  EXPECT_STREQ(view.header.sender, "gateway-01");
  EXPECT_EQ(view.header.recipient[31], 0xAB);
  EXPECT_EQ(view.header.data_len, 100u);
  EXPECT_EQ(view.kem_ciphertext[0], 0xC1);
  EXPECT_EQ(view.kem_ciphertext[ENVELOPE_KEM_SIZE - 1], 0xC1);
  EXPECT_EQ(view.sealed, view.kem_ciphertext + ENVELOPE_KEM_SIZE);
  EXPECT_EQ(view.sealed_len, 128u);
  EXPECT_EQ(view.signature[0], 0xC3);
  EXPECT_EQ(view.bytes + view.signed_len, view.signature);
  EXPECT_EQ(view.signature + ENVELOPE_SIGNATURE_SIZE, bytes.data() + bytes.size());
}

// The offsets are published in docs/envelope.md: other programs read them.
TEST(Envelope, HasTheDocumentedOffsets) {
  const auto bytes = example(2);
  const std::vector<uint8_t> head(bytes.begin(), bytes.begin() + 24);
  EXPECT_EQ(head, (std::vector<uint8_t>{'W',  'V',  'D',  'E',  1, 1, 0, 0, 0x88, 0x77, 0x66, 0x55,
                                        0x44, 0x33, 0x22, 0x11, 7, 0, 0, 0, 1,    0,    0,    0}));
  EXPECT_EQ(std::memcmp(bytes.data() + 24, "gateway-01\0\0", 12), 0);
  EXPECT_EQ(bytes[56], 0xAB);
  EXPECT_EQ(bytes[87], 0xAB);
  EXPECT_EQ(bytes[88], 2);
  EXPECT_EQ(bytes[92], 0xC1);
  EXPECT_EQ(bytes[1179], 0xC1);
  EXPECT_EQ(bytes[1180], 0xC2);
  EXPECT_EQ(bytes[1180 + 12 + 2 + 16], 0xC3);
  EXPECT_EQ(bytes.size(), 4517u + 2);
}

TEST(Envelope, HoldsFromNothingToTheLimit) {
  EXPECT_EQ(parse(example(0)), ENVELOPE_OK);
  EXPECT_EQ(parse(example(ENVELOPE_MAX_DATA)), ENVELOPE_OK);
  EXPECT_EQ(example(ENVELOPE_MAX_DATA).size(), static_cast<size_t>(ENVELOPE_MAX_SIZE));
}

TEST(Envelope, RefusesEveryTruncation) {
  const auto whole = example(5);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(parse({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)}), ENVELOPE_OK) << length;
  }
}

TEST(Envelope, RefusesBytesBehindIt) {
  auto bytes = example(5);
  bytes.push_back(0);
  EXPECT_EQ(parse(bytes), ENVELOPE_BAD_LENGTH);
}

TEST(Envelope, RefusesWhatIsNoEnvelope) {
  EXPECT_EQ(parse({}), ENVELOPE_NOT_ONE);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(parse(with(example(1), i, {0x00})), ENVELOPE_NOT_ONE);
}

TEST(Envelope, RefusesAnotherVersionOrSuite) {
  EXPECT_EQ(parse(with(example(1), 4, {2})), ENVELOPE_UNKNOWN_VERSION);
  EXPECT_EQ(parse(with(example(1), 5, {2})), ENVELOPE_UNKNOWN_VERSION);
}

TEST(Envelope, RefusesFieldsThatNoSenderWrites) {
  const auto good = example(1);
  EXPECT_EQ(parse(with(good, 6, {1})), ENVELOPE_BAD_HEADER) << "reserved";
  EXPECT_EQ(parse(with(good, 7, {1})), ENVELOPE_BAD_HEADER) << "reserved";
  EXPECT_EQ(parse(with(good, 8, {0, 0, 0, 0, 0, 0, 0, 0})), ENVELOPE_BAD_HEADER) << "sequence 0";
  EXPECT_EQ(parse(with(good, 16, {0, 0, 0, 0})), ENVELOPE_BAD_HEADER) << "part 0";
  EXPECT_EQ(parse(with(good, 20, {2})), ENVELOPE_BAD_HEADER) << "unknown flag";
  EXPECT_EQ(parse(with(good, 23, {1})), ENVELOPE_BAD_HEADER) << "unknown flag";
}

TEST(Envelope, RefusesSendersThatAreNoName) {
  const auto good = example(1);
  EXPECT_EQ(parse(with(good, 24, std::vector<uint8_t>(32, 0))), ENVELOPE_BAD_HEADER) << "empty";
  EXPECT_EQ(parse(with(good, 24, {'.'})), ENVELOPE_BAD_HEADER) << "hidden file";
  EXPECT_EQ(parse(with(good, 25, {'/'})), ENVELOPE_BAD_HEADER) << "path";
  EXPECT_EQ(parse(with(good, 25, {0x80})), ENVELOPE_BAD_HEADER) << "not ASCII";
  EXPECT_EQ(parse(with(good, 26, {0})), ENVELOPE_BAD_HEADER) << "bytes behind the name's end";
  EXPECT_EQ(parse(with(good, 55, {'x'})), ENVELOPE_BAD_HEADER) << "bytes behind the name's end";
  EXPECT_EQ(parse(with(good, 24, std::vector<uint8_t>(32, 'x'))), ENVELOPE_OK) << "32 letters";
}

TEST(Envelope, RefusesLengthsThatLie) {
  EXPECT_EQ(parse(with(example(5), 88, {4})), ENVELOPE_BAD_LENGTH);
  EXPECT_EQ(parse(with(example(5), 88, {6})), ENVELOPE_BAD_LENGTH);
  EXPECT_EQ(parse(with(example(5), 88, {0xFF, 0xFF, 0xFF, 0xFF})), ENVELOPE_BAD_HEADER);
  EXPECT_EQ(parse(with(example(5), 88, {0x01, 0xC0, 0, 0})), ENVELOPE_BAD_HEADER) << "one over the limit";
}

TEST(Envelope, LeavesNothingBehindAFailure) {
  const auto bytes = with(example(5), 88, {4});
  envelope_view view;
  std::memset(&view, 0xFF, sizeof view);
  ASSERT_NE(envelope_parse(&view, bytes.data(), bytes.size()), ENVELOPE_OK);
  const envelope_view nothing{};
  EXPECT_EQ(std::memcmp(&view, &nothing, sizeof view), 0);
}

TEST(Envelope, IsNotWrittenWithAHeaderThatNoneWouldRead) {
  const std::vector<uint8_t> kem(ENVELOPE_KEM_SIZE, 0);
  std::vector<uint8_t> out(ENVELOPE_AAD_SIZE, 0xEE);
  auto header = example_header(1);
  header.sequence = 0;
  EXPECT_EQ(envelope_write_header(out.data(), &header, kem.data()), ENVELOPE_BAD_HEADER);
  header = example_header(ENVELOPE_MAX_DATA + 1);
  EXPECT_EQ(envelope_write_header(out.data(), &header, kem.data()), ENVELOPE_BAD_HEADER);
  EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](uint8_t byte) { return byte == 0xEE; }));
}

TEST(EnvelopeSender, HasOneToThirtyTwoPlainCharacters) {
  EXPECT_TRUE(envelope_sender_is_valid("a"));
  EXPECT_TRUE(envelope_sender_is_valid("Pump_7.north-2"));
  EXPECT_TRUE(envelope_sender_is_valid(std::string(32, 'x').c_str()));
  EXPECT_FALSE(envelope_sender_is_valid(""));
  EXPECT_FALSE(envelope_sender_is_valid(std::string(33, 'x').c_str()));
  EXPECT_FALSE(envelope_sender_is_valid("-x"));
  EXPECT_FALSE(envelope_sender_is_valid("a/b"));
  EXPECT_FALSE(envelope_sender_is_valid("a b"));
}

// FIPS 180-4's own example for "abc".
TEST(Fingerprint, IsSha256) {
  uint8_t out[ENVELOPE_FINGERPRINT_SIZE];
  const uint8_t message[] = {'a', 'b', 'c'};
  ASSERT_EQ(fingerprint_of(out, message, sizeof message), 1);
  char text[FINGERPRINT_TEXT_SIZE];
  fingerprint_text(text, out);
  EXPECT_STREQ(text, "ba7816bf8f01cfea");
  EXPECT_EQ(out[31], 0xad);
}
