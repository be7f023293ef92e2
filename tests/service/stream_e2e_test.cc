// Streams through the real service: the vectors of docs/stream-format.md open, and what is written opens again.

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "client/testing/memory_io.h"
#include "protocol/testing/doc_page.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

using client::testing::MemoryIo;
using client::testing::pattern;
using protocol::testing::Buffer;
using protocol::testing::hex;
using protocol::testing::text;

const uint8_t* bytes_of(const Buffer& bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

wvds_key_template aes_key(wvds_lifetime lifetime, uint32_t flags) {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.lifetime = lifetime;
  wanted.flags = flags;
  return wanted;
}

class Streams : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    connection_.emplace(daemon_);
    ASSERT_EQ(connection_->status(), WVDS_SUCCESS);
    std::array<uint8_t, 32> material;
    std::iota(material.begin(), material.end(), uint8_t{0});
    const wvds_key_template wanted = aes_key(WVDS_LIFETIME_SESSION, WVDS_KEY_REPLAY_WINDOW_OFF);
    ASSERT_EQ(wvds_key_import(session(), &key_, nullptr, nullptr, 0, &wanted, WVDS_KEY_FORMAT_RAW, material.data(),
                              material.size()),
              WVDS_SUCCESS);
  }

  wvds_session* session() { return connection_->get(); }

  struct Opened {
    wvds_status status;
    Buffer plaintext;
  };
  Opened opened(const Buffer& stream, const Buffer& aad) {
    MemoryIo memory(stream);
    const wvds_stream_io io = memory.io();
    const wvds_status status = wvds_stream_decrypt(session(), &io, key_, bytes_of(aad), aad.size());
    return {status, memory.output};
  }

  Daemon daemon_;
  std::optional<Connection> connection_;
  uint32_t key_ = 0;
};

Buffer vector_named(const std::string& name) {
  const auto blocks = protocol::testing::hex_blocks(protocol::testing::page_named("stream-format.md"));
  EXPECT_TRUE(blocks.contains(name)) << name;
  return hex(blocks.at(name));
}

TEST_F(Streams, OfTheDocumentOpen) {
  const Buffer empty = vector_named("empty stream"), three = vector_named("three chunks");
  Opened result = opened(empty, {});
  EXPECT_EQ(result.status, WVDS_SUCCESS);
  EXPECT_TRUE(result.plaintext.empty());
  result = opened(three, text("meter 7"));
  EXPECT_EQ(result.status, WVDS_SUCCESS);
  EXPECT_EQ(result.plaintext, text("A stream of three chunks has all of them"));
  uint32_t named = 0;
  EXPECT_EQ(wvds_stream_key(&named, bytes_of(three), three.size()), WVDS_SUCCESS);
  EXPECT_EQ(named, 17u);
}

TEST_F(Streams, OfTheDocumentDoNotOpenWithAnyBitChanged) {
  const Buffer three = vector_named("three chunks");
  for (size_t at = 0; at < three.size(); ++at) {
    Buffer changed = three;
    changed[at] ^= std::byte{0x10};
    EXPECT_NE(opened(changed, text("meter 7")).status, WVDS_SUCCESS) << at;
  }
  EXPECT_EQ(opened(three, text("meter 8")).status, WVDS_DECRYPTION_FAILED);
}

TEST_F(Streams, ComeBackAsTheyWent) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{61440}, size_t{61441}, size_t{2'000'000}}) {
    MemoryIo writing(pattern(size));
    const wvds_stream_io io = writing.io();
    ASSERT_EQ(wvds_stream_encrypt(session(), &io, key_, nullptr, 0), WVDS_SUCCESS);
    EXPECT_EQ(writing.output.size(), WVDS_STREAM_SIZE(size));
    const Opened result = opened(writing.output, {});
    EXPECT_EQ(result.status, WVDS_SUCCESS);
    EXPECT_TRUE(result.plaintext == writing.input) << size;
    EXPECT_EQ(wvds_ping(session()), WVDS_SUCCESS);
  }
}

TEST_F(Streams, SurviveARotationOfTheirKeyInTheMiddle) {
  const wvds_key_template wanted = aes_key(WVDS_LIFETIME_VOLATILE, WVDS_KEY_REPLAY_WINDOW_OFF);
  ASSERT_EQ(wvds_key_generate(session(), &key_, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
  Connection other(daemon_);
  MemoryIo writing(pattern(20 * 61440));
  bool is_rotated = false;
  writing.on_write = [&] {
    uint32_t version = 0;
    return std::exchange(is_rotated, true) ? WVDS_SUCCESS
                                           : wvds_key_rotate(other.get(), &version, nullptr, nullptr, 0, key_);
  };
  const wvds_stream_io io = writing.io();
  ASSERT_EQ(wvds_stream_encrypt(session(), &io, key_, nullptr, 0), WVDS_SUCCESS);
  EXPECT_TRUE(opened(writing.output, {}).plaintext == writing.input);
}

TEST_F(Streams, OfAKeyWithAReplayWindowOpenOnce) {
  const wvds_key_template wanted = aes_key(WVDS_LIFETIME_SESSION, 0);
  ASSERT_EQ(wvds_key_generate(session(), &key_, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
  MemoryIo writing(pattern(100'000));
  const wvds_stream_io io = writing.io();
  ASSERT_EQ(wvds_stream_encrypt(session(), &io, key_, nullptr, 0), WVDS_SUCCESS);
  EXPECT_EQ(opened(writing.output, {}).status, WVDS_SUCCESS);
  EXPECT_EQ(opened(writing.output, {}).status, WVDS_NONCE_REUSE);
}

}  // namespace
}  // namespace wvds::test
