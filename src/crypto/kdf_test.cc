#include "crypto/kdf.h"

#include <openssl/err.h>

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

class Kdf : public LibraryTest {
 protected:
  std::string hkdf(std::string_view secret, std::string_view salt, std::string_view info, size_t size) const {
    Octets out(size);
    const auto done = hkdf_sha256(library(), from_hex(secret), from_hex(salt), from_hex(info), out);
    EXPECT_TRUE(done) << why(done);
    return to_hex(out);
  }
};
WVDS_IN_BOTH_MODES(Kdf);

// RFC 5869, appendix A
TEST_P(Kdf, HkdfGivesTheValuesOfRfc5869) {
  std::string ikm;
  for (int i = 0; i < 22; ++i) ikm += "0b";
  EXPECT_EQ(hkdf(ikm, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf(ikm, "", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_P(Kdf, HkdfRefusesMoreThan255BlocksAndWipesTheOutput) {
  Octets most(255 * 32);
  EXPECT_TRUE(hkdf_sha256(library(), pattern(32), {}, {}, most));
  Octets over = pattern(255 * 32 + 1);
  EXPECT_EQ(status_of(hkdf_sha256(library(), pattern(32), {}, {}, over)), Status::kCryptoError);
  EXPECT_TRUE(all_zero(over));
  EXPECT_EQ(status_of(hkdf_sha256(library(), pattern(32), {}, {}, {})), Status::kCryptoError);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// Computed with Python's hmac module, block by block as RFC 8018, section 5.2 has it.
TEST_P(Kdf, Pbkdf2GivesAnIndependentlyComputedValue) {
  Octets out(64);
  ASSERT_TRUE(pbkdf2_sha512(library(), as_bytes("passwordPASSWORDpassword"),
                            as_bytes("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096, out));
  EXPECT_EQ(to_hex(out),
            "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71"
            "115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8");
}

TEST_P(Kdf, Pbkdf2HoldsTheLowerBoundsInEveryMode) {
  const Octets passphrase = octets("password");
  const Octets salt = pattern(16);
  Octets out(32);
  EXPECT_TRUE(pbkdf2_sha512(library(), passphrase, salt, 1000, out));
  const auto refuses = [&](Bytes bad_passphrase, Bytes bad_salt, uint32_t iterations) {
    out = pattern(32);
    return status_of(pbkdf2_sha512(library(), bad_passphrase, bad_salt, iterations, out)) == Status::kInvalidPayload &&
           all_zero(out);
  };
  EXPECT_TRUE(refuses(Bytes(passphrase).first(7), salt, 1000));
  EXPECT_TRUE(refuses(passphrase, Bytes(salt).first(15), 1000));
  EXPECT_TRUE(refuses(passphrase, salt, 999));
}

// FIPS 180-4: the empty message and "abc"
TEST_P(Kdf, Sha256GivesTheKnownValues) {
  EXPECT_EQ(to_hex(*sha256(library(), {})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(*sha256(library(), as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

class KeyFromKem : public LibraryTest {
 protected:
  KeyFromKem() { std::ranges::copy(pattern(32, 3), secret_.expose_for_writing().begin()); }

  KemKeyInputs inputs() const {
    return {.direction = KemDirection::kToDecapsulator,
            .kem = Algorithm::kMlKem768,
            .encapsulation_key = encapsulation_key_,
            .ciphertext = ciphertext_,
            .context = context_};
  }
  std::string derive(const KemKeyInputs& inputs) const {
    const auto key = key_from_kem(library(), secret_, inputs);
    EXPECT_TRUE(key) << why(key);
    return to_hex(key->expose());
  }
  Status status(const KemKeyInputs& inputs) const { return status_of(key_from_kem(library(), secret_, inputs)); }

  const Octets encapsulation_key_ = pattern(1184, 1);
  const Octets ciphertext_ = pattern(1088, 2);
  const Octets context_ = octets("gateway to backend");
  SharedSecret secret_;
};
WVDS_IN_BOTH_MODES(KeyFromKem);

// Computed with Python's hmac and hashlib modules from the description in kdf.h.
TEST_P(KeyFromKem, GivesAnIndependentlyComputedKeyForEachDirection) {
  KemKeyInputs in = inputs();
  EXPECT_EQ(derive(in), "00ac854277937ef49fc795445f93fa5d911518722c4798a86e3a8987f770936b");
  in.direction = KemDirection::kToEncapsulator;
  EXPECT_EQ(derive(in), "7bb22bc2c89a16499f34a598b24f960b5a299cd4b8dc13a1b58c79e6fb33c60a");
}

TEST_P(KeyFromKem, DependsOnEveryInput) {
  const std::string base = derive(inputs());
  const Octets other_encapsulation_key = pattern(1184, 11);
  const Octets other_ciphertext = pattern(1088, 12);
  KemKeyInputs in = inputs();
  in.encapsulation_key = other_encapsulation_key;
  EXPECT_NE(derive(in), base);
  in = inputs();
  in.ciphertext = other_ciphertext;
  EXPECT_NE(derive(in), base);
  in = inputs();
  in.context = in.context.first(in.context.size() - 1);
  EXPECT_NE(derive(in), base);
  secret_.expose_for_writing()[0] ^= std::byte{1};
  EXPECT_NE(derive(inputs()), base);
}

TEST_P(KeyFromKem, RefusesInputsThatDoNotFitTheAlgorithm) {
  KemKeyInputs in = inputs();
  in.kem = Algorithm::kMlDsa65;
  EXPECT_EQ(status(in), Status::kWrongKeyType);
  in.kem = Algorithm::kMlKem512;
  EXPECT_EQ(status(in), Status::kInvalidPayload);
  in = inputs();
  in.ciphertext = in.ciphertext.first(1087);
  EXPECT_EQ(status(in), Status::kInvalidPayload);
  in = inputs();
  in.direction = static_cast<KemDirection>(3);
  EXPECT_EQ(status(in), Status::kInvalidPayload);
  const Octets long_context(65536);
  in = inputs();
  in.context = long_context;
  EXPECT_EQ(status(in), Status::kInvalidPayload);
  in.context = Bytes(long_context).first(65535);
  EXPECT_EQ(status(in), Status::kSuccess);
}

}  // namespace
}  // namespace wvds::crypto
