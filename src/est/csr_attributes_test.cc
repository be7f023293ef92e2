#include "est/csr_attributes.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include "est/csr_extensions.h"
#include "est/testing/der.h"
#include "est/testing/x509_fixture.h"

namespace wvds::est {
namespace {

using crypto::from_hex;
using crypto::Octets;
using der::oid;
using der::sequence;
using der::set;
using der::tlv;

Octets attribute(const char* type, Bytes values) { return sequence({oid(type), tlv(0x31, values)}); }

constexpr const char* kChallengePassword = "1.2.840.113549.1.9.7";
constexpr const char* kExtensionRequest = "1.2.840.113549.1.9.14";
constexpr const char* kRequestTemplate = "1.2.840.113549.1.9.16.2.61";
constexpr const char* kExtensionTemplate = "1.2.840.113549.1.9.16.2.62";
constexpr const char* kEcPublicKey = "1.2.840.10045.2.1";
constexpr const char* kP384 = "1.3.132.0.34";
constexpr const char* kMlDsa65 = "2.16.840.1.101.3.4.3.18";
constexpr const char* kRsa = "1.2.840.113549.1.1.1";

Octets version() { return from_hex("020100"); }
Octets text(std::string_view value) { return tlv(0x0c, as_bytes(value)); }

// request_template writes CsrAttrs with one template of these fields.
Octets request_template(std::initializer_list<Octets> fields) {
  return sequence({attribute(kRequestTemplate, sequence(fields))});
}

CsrDemands parsed(Bytes der) {
  const auto demands = parse_csr_attributes(der);
  EXPECT_TRUE(demands) << demands.error().detail;
  return demands ? *demands : CsrDemands{};
}

// The examples of RFC 9908, section 5, in its own bytes

TEST(CsrAttributes, ReadExample51WithACompleteExtension) {
  const CsrDemands demands = parsed(from_hex(
      "3068306606092a864886f70d01090e3159305730550603551d110101ff044b3049a04706082b0601050507080aa03b1639726663383939"
      "342b66643733396663323363333434303131323233333434353530303030303030302b406163702e6578616d706c652e636f6d"));
  ASSERT_EQ(demands.extensions.size(), 1u);
  EXPECT_EQ(demands.extensions[0].oid, kOidAlternativeNames);
  EXPECT_TRUE(demands.extensions[0].critical);
  CsrSpec spec;
  ASSERT_TRUE(obey(demands, spec));
  ASSERT_EQ(spec.extensions.size(), 1u);
  EXPECT_EQ(spec.extensions[0].value, *demands.extensions[0].value) << "as the server sent it";
  EXPECT_TRUE(spec.extensions[0].critical);
}

TEST(CsrAttributes, ReadExample52) {
  const CsrDemands demands =
      parsed(from_hex("303206092a864886f70d0109073012"
                      "06072a8648ce3d0201310706052b8104002206072b060101010116"
                      "06082a8648ce3d040303"));
  EXPECT_TRUE(demands.challenge_password);
  ASSERT_EQ(demands.keys.size(), 1u);
  EXPECT_EQ(demands.keys[0].type, "P-384");
  EXPECT_EQ(demands.signatures, std::vector<std::string>{"ecdsa-with-SHA384"});
  EXPECT_EQ(demands.unknown, std::vector<std::string>{"1.3.6.1.1.1.1.22"});
  CsrSpec spec;
  spec.key_type = "P-384";
  EXPECT_TRUE(obey(demands, spec));
  EXPECT_TRUE(spec.wants_binding);
  spec.key_type = "ML-DSA-65";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration,
                 "the server wants a key of type P-384, and config.json has ML-DSA-65");
}

TEST(CsrAttributes, ReadExample53WithOthersBeside) {
  const CsrDemands demands =
      parsed(from_hex("304506092a864886f70d010907301206072a8648ce3d0201310706052b8104002306092a864886f70d010914"
                      "060a0992268993f22c640105060355040506082a8648ce3d040304"));
  EXPECT_EQ(demands.keys[0].type, "P-521");
  EXPECT_EQ(demands.wished, std::vector<std::string>{"serialNumber"});
  EXPECT_EQ(demands.signatures, std::vector<std::string>{"ecdsa-with-SHA512"});
  EXPECT_EQ(demands.unknown.size(), 2u);
}

TEST(CsrAttributes, ReadExample54WithAnRsaKeySize) {
  const CsrDemands demands =
      parsed(from_hex("302906092a864886f70d010907301106092a864886f70d010101310402021000"
                      "06092a864886f70d01010b"));
  EXPECT_EQ(demands.keys[0].type, "RSA");
  EXPECT_EQ(demands.keys[0].bits, 4096);
  EXPECT_EQ(demands.signatures, std::vector<std::string>{"RSA-SHA256"});
  CsrSpec spec;
  spec.key_type = "RSA-4096";
  EXPECT_TRUE(obey(demands, spec));
  spec.key_type = "RSA-2048";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "RSA with 4096 bits");
}

// What libest's server sends, and RFC 7030, section 4.5.2 has as its example: object identifiers alone
TEST(CsrAttributes, TakeObjectIdentifiersAlone) {
  const CsrDemands demands =
      parsed(from_hex("302606072b06010101011606092a864886f70d01090706052b810400220609608648016503040202"));
  EXPECT_TRUE(demands.challenge_password);
  EXPECT_EQ(demands.keys[0].type, "P-384");
  EXPECT_EQ(demands.hashes, std::vector<std::string>{"SHA384"});
  CsrSpec spec;
  spec.key_type = "P-256";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "P-384");
  EXPECT_FALSE(spec.wants_binding) << "a spec that can't obey stays as it is";
}

TEST(CsrAttributes, MayBeEmpty) {
  const CsrDemands demands = parsed(from_hex("3000"));
  CsrSpec spec;
  spec.key_type = "ML-DSA-87";
  EXPECT_TRUE(obey(demands, spec));
  EXPECT_FALSE(spec.wants_binding);
}

TEST(CsrAttributes, NameAKeyOfMlDsa) {
  const CsrDemands demands = parsed(sequence({oid(kMlDsa65)}));
  ASSERT_EQ(demands.keys.size(), 1u);
  EXPECT_EQ(demands.keys[0].type, "ML-DSA-65");
  CsrSpec spec;
  spec.key_type = "ML-DSA-65";
  EXPECT_TRUE(obey(demands, spec));
  spec.key_type = "ML-DSA-44";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "ML-DSA-65, and config.json has ML-DSA-44");
}

TEST(CsrAttributes, LetTheClientChooseAmongKeys) {
  const CsrDemands demands = parsed(sequence({oid(kMlDsa65), oid(kEcPublicKey), oid(kP384)}));
  CsrSpec spec;
  for (const char* fits : {"ML-DSA-65", "P-384"}) {
    spec.key_type = fits;
    EXPECT_TRUE(obey(demands, spec)) << fits;
  }
  spec.key_type = "P-256";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "ML-DSA-65 or a key of type P-384");
  CsrSpec any_curve;
  any_curve.key_type = "P-256";
  EXPECT_TRUE(obey(parsed(sequence({oid(kEcPublicKey)})), any_curve));
}

TEST(CsrAttributes, NameSignaturesThatTheKeyMustMake) {
  const CsrDemands demands = parsed(sequence({oid("1.2.840.10045.4.3.3")}));
  CsrSpec spec;
  spec.key_type = "P-256";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "signatures by ecdsa-with-SHA384");
  spec.key_type = "ML-DSA-65";
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "signatures by ecdsa-with-SHA384");
  const CsrDemands hash = parsed(sequence({oid("2.16.840.1.101.3.4.2.2")}));
  EXPECT_TRUE(obey(hash, spec)) << "ML-DSA hashes by itself";
  spec.key_type = "P-256";
  expect_failure(obey(hash, spec), FailureKind::kConfiguration, "the hash SHA384");
}

TEST(CsrAttributes, TakeExtensionsNamedAsServersDidBeforeRfc9908) {
  const CsrDemands demands = parsed(sequence({attribute(kExtensionRequest, oid(kOidAlternativeNames))}));
  CsrSpec spec;
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "alternative names");
  spec.names.dns = {"gw"};
  EXPECT_TRUE(obey(demands, spec));
}

TEST(CsrAttributes, DictateExtensions) {
  const Octets usage = from_hex("03020780");
  const Octets extension = sequence({oid(kOidKeyUsage), from_hex("0101ff"), tlv(0x04, usage)});
  const CsrDemands demands = parsed(sequence({attribute(kExtensionRequest, sequence({extension}))}));
  CsrSpec spec;
  spec.extensions.push_back({kOidKeyUsage, false, from_hex("03020106")});
  ASSERT_TRUE(obey(demands, spec));
  ASSERT_EQ(spec.extensions.size(), 1u) << "the server's takes the configured one's place";
  EXPECT_EQ(spec.extensions[0].value, usage);
  EXPECT_TRUE(spec.extensions[0].critical);
}

Octets names_extension(std::initializer_list<Octets> names) {
  return sequence({oid(kOidAlternativeNames), tlv(0x04, sequence(names))});
}

TEST(CsrAttributes, DictateAlternativeNames) {
  const Octets dns = tlv(0x82, as_bytes("gw.example"));
  const Octets ip = tlv(0x87, from_hex("c0000201"));
  const CsrDemands demands = parsed(sequence({attribute(kExtensionRequest, sequence({names_extension({dns, ip})}))}));
  CsrSpec spec;
  spec.names.ip = {"192.0.2.1"};
  ASSERT_TRUE(obey(demands, spec));
  EXPECT_EQ(spec.names, (Names{{"gw.example"}, {"192.0.2.1"}, {}, {}}));
  EXPECT_EQ(spec.extensions.size(), 1u);
  CsrSpec other;
  other.names.dns = {"other.example"};
  expect_failure(obey(demands, other), FailureKind::kConfiguration, "\"other.example\", which is not among them");
}

TEST(CsrAttributes, LeaveAlternativeNamesToFill) {
  const Octets dns = tlv(0x82, {});
  const Octets given = tlv(0x86, as_bytes("urn:site:7"));
  const CsrDemands demands =
      parsed(sequence({attribute(kExtensionRequest, sequence({names_extension({dns, given})}))}));
  CsrSpec spec;
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "kind DNS");
  spec.names.dns = {"gw.example"};
  ASSERT_TRUE(obey(demands, spec));
  EXPECT_EQ(spec.names, (Names{{"gw.example"}, {}, {"urn:site:7"}, {}}));
  EXPECT_TRUE(spec.extensions.empty());
}

TEST(CsrAttributes, LeaveARenewalsNamesAlone) {
  const auto& library = crypto::library_in(FipsMode::kOff);
  const factory::Ca ca = factory::make_ca(library, "P-256", "CN=Root", kCaYears);
  CsrSpec spec;
  spec.renews = ca.certificate;
  const CsrDemands demands = parsed(
      sequence({attribute(kExtensionRequest, sequence({names_extension({tlv(0x82, as_bytes("gw.example"))})}))}));
  ASSERT_TRUE(obey(demands, spec));
  EXPECT_TRUE(spec.names.empty());
  EXPECT_TRUE(spec.extensions.empty());
}

// Templates (RFC 9908, section 3.4)

TEST(CsrTemplate, GivesPartsOfTheSubjectAndLeavesOthersToTheClient) {
  const Octets subject =
      sequence({set({sequence({oid("2.5.4.10"), text("WvdS")})}), set({sequence({oid("2.5.4.3")})})});
  const CsrDemands demands = parsed(request_template({version(), subject, tlv(0xa1, {})}));
  EXPECT_TRUE(demands.from_template);
  CsrSpec spec;
  spec.subject = *parse_subject("CN=gw-17,OU=Field,O=Elsewhere");
  ASSERT_TRUE(obey(demands, spec));
  EXPECT_EQ(spec.subject, (Subject{{"O", "WvdS"}, {"CN", "gw-17"}, {"OU", "Field"}}));
  CsrSpec nameless;
  nameless.subject = *parse_subject("OU=Field");
  expect_failure(obey(demands, nameless), FailureKind::kConfiguration, "a CN in the subject, and config.json has none");
}

TEST(CsrTemplate, NamesTheKey) {
  const auto with_key = [&](Octets algorithm, Octets rest) {
    return parsed(request_template(
        {version(), tlv(0xa0, der::joined({sequence({std::move(algorithm)}), std::move(rest)})), tlv(0xa1, {})}));
  };
  EXPECT_EQ(with_key(oid(kMlDsa65), {}).keys[0].type, "ML-DSA-65");
  EXPECT_EQ(with_key(der::joined({oid(kEcPublicKey), oid(kP384)}), {}).keys[0].type, "P-384");
  EXPECT_EQ(with_key(der::joined({oid(kEcPublicKey), oid("1.2.3.4")}), {}).keys[0].type, "1.2.3.4");
  Octets modulus(385, std::byte{0xff});
  modulus[0] = std::byte{0};
  const Octets placeholder = sequence({tlv(0x02, modulus), from_hex("0203010001")});
  const CsrDemands rsa =
      with_key(der::joined({oid(kRsa), from_hex("0500")}), tlv(0x03, der::joined({from_hex("00"), placeholder})));
  EXPECT_EQ(rsa.keys[0].type, "RSA");
  EXPECT_EQ(rsa.keys[0].bits, 3072);
}

TEST(CsrTemplate, NamesExtensionsWithAndWithoutValue) {
  const Octets fill = sequence({oid(kOidAlternativeNames)});
  const Octets given = sequence({oid(kOidExtendedKeyUsage), tlv(0x04, from_hex("300a06082b06010505070302"))});
  const Octets critical = sequence({oid(kOidKeyUsage), from_hex("0101ff")});
  const Octets attributes = attribute(kExtensionTemplate, sequence({fill, given, critical}));
  const CsrDemands demands = parsed(request_template({version(), tlv(0xa1, attributes)}));
  ASSERT_EQ(demands.extensions.size(), 3u);
  EXPECT_FALSE(demands.extensions[0].value);
  EXPECT_TRUE(demands.extensions[1].value);
  EXPECT_TRUE(demands.extensions[2].critical);
  CsrSpec spec;
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "alternative names, and config.json has none");
  spec.names.dns = {"gw"};
  EXPECT_TRUE(obey(demands, spec));
  spec.key_usages.clear();
  expect_failure(obey(demands, spec), FailureKind::kConfiguration, "a key usage");
}

TEST(CsrTemplate, CountsAloneAndOnce) {
  const Octets challenge = attribute(kChallengePassword, from_hex("0c00"));
  const Octets one = attribute(kRequestTemplate, sequence({version(), tlv(0xa1, challenge)}));
  const CsrDemands demands = parsed(sequence({oid(kP384), one, oid(kMlDsa65)}));
  EXPECT_TRUE(demands.from_template);
  EXPECT_TRUE(demands.challenge_password);
  EXPECT_TRUE(demands.keys.empty()) << "RFC 9908, section 4: what stands beside a template is ignored";
  expect_failure(parse_csr_attributes(sequence({one, one})), FailureKind::kBadAttributes, "more than one template");
}

TEST(CsrAttributes, AreRefusedWhenTheyAreMalformed) {
  const auto refused = [](const Octets& bytes, const char* detail) {
    expect_failure(parse_csr_attributes(bytes), FailureKind::kBadAttributes, detail);
  };
  const Octets extension = names_extension({tlv(0x82, as_bytes("gw"))});
  refused({}, "not one ASN.1 sequence");
  refused(from_hex("300000"), "not one ASN.1 sequence");
  refused(from_hex("0403010203"), "not one ASN.1 sequence");
  refused(sequence({from_hex("020101")}), "neither an object identifier nor an attribute");
  refused(sequence({sequence({})}), "neither");
  refused(sequence({attribute(kExtensionRequest, sequence({extension, extension}))}), "is there twice");
  refused(sequence({attribute(kExtensionRequest, sequence({sequence({})}))}), "an extension is malformed");
  refused(sequence({attribute(kExtensionRequest, sequence({sequence({oid("1.2.3"), from_hex("0500")})}))}),
          "malformed");
  refused(sequence({attribute(kExtensionRequest, from_hex("0500"))}), "extension request is malformed");
  refused(sequence({attribute(kRsa, from_hex("020100"))}), "key size");
  refused(sequence({attribute(kRsa, from_hex("02047fffffff"))}), "key size");
  refused(sequence({attribute(kEcPublicKey, from_hex("3000"))}), "a curve is not named");
  refused(sequence({attribute(kRequestTemplate, {})}), "template");
  refused(request_template({from_hex("020101"), tlv(0xa1, {})}), "template");
  refused(request_template({version()}), "template");
  refused(request_template({version(), sequence({set({})}), tlv(0xa1, {})}), "does not have one attribute");
  refused(
      request_template({version(), sequence({set({sequence({oid("2.5.4.3"), from_hex("020101")})})}), tlv(0xa1, {})}),
      "CN is no text");
  refused(request_template({version(), tlv(0xa0, {}), tlv(0xa1, {})}), "the key is malformed");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(CsrAttributes, AreBounded) {
  expect_failure(parse_csr_attributes(Octets(kMaxCsrAttributesBytes + 1)), FailureKind::kTooLarge, "16385 bytes");
  Octets many;
  for (int i = 0; i <= kMaxCsrAttributes; ++i) many = der::joined({many, oid("1.2.3")});
  expect_failure(parse_csr_attributes(tlv(0x30, many)), FailureKind::kBadAttributes, "more than 64 elements");
  expect_failure(parse_csr_attributes(sequence({attribute(kChallengePassword, many)})), FailureKind::kBadAttributes,
                 "too many values");
  Octets nested;
  for (int i = 0; i < 8000; ++i) nested = der::joined({nested, from_hex("3080")});
  expect_failure(parse_csr_attributes(nested), FailureKind::kBadAttributes);
}

TEST(Obey, RefusesNamesThatItCantRead) {
  CsrDemands demands;
  demands.extensions.push_back({kOidAlternativeNames, false, from_hex("3003820161ff")});
  CsrSpec spec;
  expect_failure(obey(demands, spec), FailureKind::kBadAttributes, "alternative names can't be read");
  demands.extensions[0].value = sequence({tlv(0x82, {}), tlv(0x88, from_hex("2a03"))});  // a registered ID beside
  spec.names.dns = {"gw"};
  expect_failure(obey(demands, spec), FailureKind::kBadAttributes, "mix entries to fill");
}

}  // namespace
}  // namespace wvds::est
