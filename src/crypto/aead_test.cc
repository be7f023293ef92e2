#include "crypto/aead.h"

#include <openssl/err.h>

#include <set>
#include <type_traits>

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<AeadSealer> && !std::is_move_constructible_v<AeadSealer>,
              "a copied sealer would repeat nonces");
static_assert(!std::is_copy_assignable_v<AeadSealer> && !std::is_move_assignable_v<AeadSealer>);

template <class NonceArgument>
concept AcceptsNonce = requires(AeadSealer& sealer, NonceArgument nonce, Tag& tag) {
  sealer.seal(UntrustedBytes(), UntrustedBytes(), MutableBytes(), nonce, tag);
};
static_assert(AcceptsNonce<Nonce&>);
static_assert(!AcceptsNonce<const Nonce&>, "the nonce is an output only");

struct Sealed {
  Octets ciphertext;
  Nonce nonce{};
  Tag tag{};
};

class Aead : public testing::TestWithParam<std::tuple<FipsMode, NonceMode>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  NonceMode mode() const { return std::get<1>(GetParam()); }

  std::unique_ptr<AeadSealer> sealer(uint64_t limit = kMaxMessages) const {
    auto made = AeadSealer::create(library(), key_, mode(), limit);
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  std::unique_ptr<AeadOpener> opener() const {
    auto made = AeadOpener::create(library(), key_);
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  static Sealed seal(AeadSealer& sealer, Bytes aad, Bytes plaintext) {
    Sealed out;
    out.ciphertext.resize(plaintext.size());
    const auto done = sealer.seal(UntrustedBytes(aad), UntrustedBytes(plaintext), out.ciphertext, out.nonce, out.tag);
    EXPECT_TRUE(done) << why(done);
    return out;
  }

  const Octets key_ = pattern(kAesKeySize, 7);
  const Octets aad_ = octets("header");
};

std::string aead_name(const testing::TestParamInfo<std::tuple<FipsMode, NonceMode>>& info) {
  return std::string(std::get<0>(info.param) == FipsMode::kRequired ? "Fips" : "Default") +
         (std::get<1>(info.param) == NonceMode::kCounter ? "Counter" : "Random");
}

INSTANTIATE_TEST_SUITE_P(, Aead,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::Values(NonceMode::kCounter, NonceMode::kRandom)),
                         aead_name);

TEST_P(Aead, OpensWhatItSealed) {
  const auto sealing = sealer();
  const auto opening = opener();
  for (const size_t size : {0, 1, 15, 16, 17, 64, 1000, 65536, 1 << 20}) {
    const Octets plaintext = pattern(size);
    const Sealed sealed = seal(*sealing, aad_, plaintext);
    Octets opened(size);
    const auto done = opening->open(sealed.nonce, aad_, sealed.ciphertext, sealed.tag, opened);
    ASSERT_TRUE(done) << size << ": " << why(done);
    EXPECT_EQ(opened, plaintext);
    EXPECT_TRUE(size < 16 || sealed.ciphertext != plaintext);
  }
}

TEST_P(Aead, OpensWithoutAadAndWithoutPlaintext) {
  const auto sealing = sealer();
  const auto opening = opener();
  const Sealed only_aad = seal(*sealing, aad_, {});
  const Sealed nothing = seal(*sealing, {}, {});
  EXPECT_TRUE(opening->open(only_aad.nonce, aad_, {}, only_aad.tag, {}));
  EXPECT_TRUE(opening->open(nothing.nonce, {}, {}, nothing.tag, {}));
  EXPECT_EQ(status_of(opening->open(only_aad.nonce, {}, {}, only_aad.tag, {})), Status::kDecryptionFailed);
}

TEST_P(Aead, OpensInPlace) {
  const Octets plaintext = pattern(333);
  Sealed sealed = seal(*sealer(), aad_, plaintext);
  ASSERT_TRUE(opener()->open(sealed.nonce, aad_, sealed.ciphertext, sealed.tag, sealed.ciphertext));
  EXPECT_EQ(sealed.ciphertext, plaintext);
}

TEST_P(Aead, RefusesEveryFlippedBitAndWipesThePlaintext) {
  const auto opening = opener();
  const Octets plaintext = pattern(40);
  const Sealed good = seal(*sealer(), aad_, plaintext);
  const auto refuses = [&](const Sealed& sealed, const Octets& aad) {
    Octets opened = pattern(plaintext.size(), 99);
    return status_of(opening->open(sealed.nonce, aad, sealed.ciphertext, sealed.tag, opened)) ==
               Status::kDecryptionFailed &&
           all_zero(opened);
  };
  const auto flip = [](auto& bytes, size_t bit) { bytes[bit / 8] ^= std::byte{1} << (bit % 8); };
  for (size_t bit = 0; bit < kTagSize * 8; ++bit) {
    Sealed bad = good;
    flip(bad.tag, bit);
    EXPECT_TRUE(refuses(bad, aad_)) << "tag bit " << bit;
  }
  for (size_t bit = 0; bit < kNonceSize * 8; ++bit) {
    Sealed bad = good;
    flip(bad.nonce, bit);
    EXPECT_TRUE(refuses(bad, aad_)) << "nonce bit " << bit;
  }
  for (size_t bit = 0; bit < plaintext.size() * 8; ++bit) {
    Sealed bad = good;
    flip(bad.ciphertext, bit);
    EXPECT_TRUE(refuses(bad, aad_)) << "ciphertext bit " << bit;
  }
  for (size_t bit = 0; bit < aad_.size() * 8; ++bit) {
    Octets aad = aad_;
    flip(aad, bit);
    EXPECT_TRUE(refuses(good, aad)) << "AAD bit " << bit;
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "a refused message leaves nothing in OpenSSL's error queue";
  Octets opened(plaintext.size());
  EXPECT_TRUE(opening->open(good.nonce, aad_, good.ciphertext, good.tag, opened)) << "and the opener still works";
  EXPECT_EQ(opened, plaintext);
}

TEST_P(Aead, RefusesAnotherKeysMessage) {
  const Sealed sealed = seal(*sealer(), aad_, pattern(64));
  auto other = AeadOpener::create(library(), pattern(kAesKeySize, 8));
  ASSERT_TRUE(other);
  Octets opened = pattern(64, 3);
  EXPECT_EQ(status_of((*other)->open(sealed.nonce, aad_, sealed.ciphertext, sealed.tag, opened)),
            Status::kDecryptionFailed);
  EXPECT_TRUE(all_zero(opened));
}

TEST_P(Aead, RefusesKeysOfAnotherSize) {
  for (const size_t size : {0, 16, 24, 31, 33}) {
    EXPECT_EQ(status_of(AeadSealer::create(library(), pattern(size), mode())), Status::kInvalidPayload) << size;
    EXPECT_EQ(status_of(AeadOpener::create(library(), pattern(size))), Status::kInvalidPayload) << size;
  }
}

TEST_P(Aead, RefusesBuffersOfDifferentSizesAndWipesTheOutput) {
  const Octets plaintext = pattern(32);
  Octets out = pattern(31);
  Nonce nonce;
  Tag tag;
  nonce.fill(std::byte{0xaa});
  tag.fill(std::byte{0xaa});
  EXPECT_EQ(status_of(sealer()->seal({}, UntrustedBytes(plaintext), out, nonce, tag)), Status::kCryptoError);
  EXPECT_TRUE(all_zero(out) && all_zero(nonce) && all_zero(tag));
  out = pattern(31);
  EXPECT_EQ(status_of(opener()->open(nonce, {}, plaintext, tag, out)), Status::kCryptoError);
  EXPECT_TRUE(all_zero(out));
}

TEST_P(Aead, RefusesOverlappingBuffers) {
  Octets area = pattern(96);
  const MutableBytes all = area;
  Nonce nonce{};
  Tag tag{};
  const auto sealing = sealer();
  const auto seal_onto = [&](Bytes aad, Bytes plaintext, MutableBytes out) {
    return status_of(sealing->seal(UntrustedBytes(aad), UntrustedBytes(plaintext), out, nonce, tag));
  };
  EXPECT_EQ(seal_onto({}, all.first(32), all.first(32)), Status::kCryptoError);
  EXPECT_EQ(seal_onto({}, all.first(32), all.subspan(31, 32)), Status::kCryptoError);
  EXPECT_EQ(seal_onto({}, all.subspan(31, 32), all.first(32)), Status::kCryptoError);
  EXPECT_EQ(seal_onto(all.subspan(40, 1), all.first(32), all.subspan(32, 32)), Status::kCryptoError);
  EXPECT_EQ(seal_onto(all.subspan(64, 32), all.first(32), all.subspan(32, 32)), Status::kSuccess)
      << "touching is not overlapping";
  EXPECT_EQ(status_of(opener()->open(nonce, {}, all.first(32), tag, all.subspan(1, 32))), Status::kCryptoError);
}

TEST_P(Aead, NeverRepeatsANonceOverTwoSealersOfOneKey) {
  constexpr int kMessages = 100'000;
  const auto first = sealer();
  const auto second = sealer();
  std::set<Nonce> seen;
  const Octets plaintext = pattern(16);
  for (int i = 0; i < kMessages; ++i) {
    seen.insert(seal(i % 2 == 0 ? *first : *second, {}, plaintext).nonce);
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kMessages));
}

TEST_P(Aead, StopsAtItsMessageLimit) {
  const auto sealing = sealer(3);
  const Octets plaintext = pattern(16);
  for (int i = 0; i < 3; ++i) seal(*sealing, {}, plaintext);
  Octets out = pattern(16);
  Nonce nonce;
  Tag tag;
  nonce.fill(std::byte{0xaa});
  tag.fill(std::byte{0xaa});
  EXPECT_EQ(status_of(sealing->seal({}, UntrustedBytes(plaintext), out, nonce, tag)), Status::kKeyUsedUp);
  EXPECT_TRUE(all_zero(out) && all_zero(nonce) && all_zero(tag));
}

TEST_P(Aead, LeavesBytesAroundItsOutputsAlone) {
  Octets area(3 * 64, std::byte{0x5a});
  Octets plaintext = pattern(64);
  Nonce nonce{};
  Tag tag{};
  ASSERT_TRUE(sealer()->seal({}, UntrustedBytes(plaintext), MutableBytes(area).subspan(64, 64), nonce, tag));
  const Octets border(64, std::byte{0x5a});
  EXPECT_TRUE(same(Bytes(area).first(64), border) && same(Bytes(area).last(64), border));
}

class AeadNonces : public LibraryTest {};
WVDS_IN_BOTH_MODES(AeadNonces);

std::vector<Nonce> nonces_of(const Library& library, NonceMode mode, int count) {
  auto sealer = AeadSealer::create(library, pattern(kAesKeySize), mode);
  std::vector<Nonce> nonces(static_cast<size_t>(count));
  Octets out(1);
  const Octets plaintext(1);
  Tag tag{};
  for (Nonce& nonce : nonces) EXPECT_TRUE((*sealer)->seal({}, UntrustedBytes(plaintext), out, nonce, tag));
  return nonces;
}

TEST_P(AeadNonces, OfACounterShareFourBytesAndCountByOne) {
  const auto nonces = nonces_of(library(), NonceMode::kCounter, 1000);
  const auto counter = [](const Nonce& nonce) {
    uint64_t value = 0;
    for (size_t i = 4; i < nonce.size(); ++i) value = value << 8 | std::to_integer<uint64_t>(nonce[i]);
    return value;
  };
  for (size_t i = 1; i < nonces.size(); ++i) {
    EXPECT_TRUE(same(Bytes(nonces[i]).first(4), Bytes(nonces[0]).first(4)));
    EXPECT_EQ(counter(nonces[i]), counter(nonces[i - 1]) + 1);
  }
}

TEST_P(AeadNonces, OfCountersStartAtRandom) {
  std::set<Nonce> starts;
  std::set<std::vector<std::byte>> fixed;
  for (int i = 0; i < 20; ++i) {
    const Nonce start = nonces_of(library(), NonceMode::kCounter, 1).front();
    starts.insert(start);
    fixed.insert({start.begin(), start.begin() + 4});
  }
  EXPECT_EQ(starts.size(), 20u);
  EXPECT_GE(fixed.size(), 19u);  // two equal ones: 1 in 23 million
}

TEST_P(AeadNonces, AtRandomDifferInEveryByte) {
  const auto nonces = nonces_of(library(), NonceMode::kRandom, 1000);
  for (size_t position = 0; position < kNonceSize; ++position) {
    std::set<std::byte> values;
    for (const Nonce& nonce : nonces) values.insert(nonce[position]);
    EXPECT_GT(values.size(), 200u) << "byte " << position;  // 251 expected of 256
  }
}

}  // namespace
}  // namespace wvds::crypto
