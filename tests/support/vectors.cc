#include "support/vectors.h"

#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace wvds::test {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// octets decodes RFC 4648 base64 with padding.
Octets octets(const std::string& text) {
  Octets out;
  uint32_t bits = 0;
  int count = 0;
  for (const char digit : text) {
    if (digit == '=') break;
    const size_t value = kBase64Digits.find(digit);
    if (value == std::string_view::npos) throw std::runtime_error("not base64: " + text.substr(0, 40));
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::byte>(bits >> count & 0xff));
    }
  }
  return out;
}

// octets_in returns a field that may be absent, then empty.
Octets octets_in(const Json& object, const char* field) { return octets(object.value(field, std::string())); }

Octets joined(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool is_valid(const Json& test) {
  return test.contains("testPassed") ? test.at("testPassed").get<bool>() : test.value("result", "valid") == "valid";
}

Algorithm algorithm_of(const Json& group, Algorithm of_file) {
  if (of_file != Algorithm::kNone) return of_file;
  const auto found = algorithm_from_name(group.at("parameterSet").get<std::string>());
  if (!found) throw std::runtime_error("unknown parameter set");
  return *found;
}

using AddCase = std::function<void(const Json& group, const Json& test, const std::string& id)>;

// for_each_case calls `add` for every case of a file and notes what the file says was left out.
void for_each_case(const std::string& file, Skipped& left_out, const AddCase& add) {
  std::ifstream stream(vector_path(file));
  if (!stream) throw std::runtime_error("tests/vectors/" + file + " can't be opened");
  const Json document = Json::parse(stream);
  for (const Json& entry : document.at("left_out")) {
    left_out.push_back({entry.at("reason").get<std::string>(), entry.at("cases").get<size_t>()});
  }
  for (const Json& group : document.at("testGroups")) {
    for (const Json& test : group.at("tests")) {
      add(group, test, file + " case " + std::to_string(test.at("tcId").get<int>()));
    }
  }
}

struct SourceFile {
  const char* name;
  Algorithm algorithm = Algorithm::kNone;  // where the file does not say
};

constexpr SourceFile kWycheproofSign[] = {{"wycheproof/mldsa_44_sign_seed_test.json", Algorithm::kMlDsa44},
                                          {"wycheproof/mldsa_65_sign_seed_test.json", Algorithm::kMlDsa65}};
constexpr SourceFile kWycheproofVerify[] = {{"wycheproof/mldsa_44_verify_test.json", Algorithm::kMlDsa44},
                                            {"wycheproof/mldsa_87_verify_test.json", Algorithm::kMlDsa87}};
constexpr SourceFile kWycheproofEcdsa[] = {{"wycheproof/ecdsa_secp256r1_sha256_test.json", Algorithm::kEcdsaP256},
                                           {"wycheproof/ecdsa_secp256r1_sha512_test.json", Algorithm::kEcdsaP256},
                                           {"wycheproof/ecdsa_secp384r1_sha256_test.json", Algorithm::kEcdsaP384},
                                           {"wycheproof/ecdsa_secp384r1_sha384_test.json", Algorithm::kEcdsaP384}};
constexpr const char* kWycheproofKemKeygen[] = {"wycheproof/mlkem_512_keygen_seed_test.json",
                                                "wycheproof/mlkem_768_keygen_seed_test.json",
                                                "wycheproof/mlkem_1024_keygen_seed_test.json"};
constexpr const char* kWycheproofDecaps[] = {"wycheproof/mlkem_512_test.json", "wycheproof/mlkem_1024_test.json"};
constexpr const char* kWycheproofKeys[] = {"wycheproof/mlkem_768_encaps_test.json",
                                           "wycheproof/mlkem_1024_encaps_test.json"};
constexpr const char* kAcvpSign = "acvp/ML-DSA-sigGen-FIPS204-tr1.json";
constexpr const char* kAcvpVerify = "acvp/ML-DSA-sigVer-FIPS204.json";
constexpr const char* kAcvpKem = "acvp/ML-KEM-encapDecap-FIPS203-tr1.json";

void add_acvp_sign(Vectors<MlDsaSignCase>& all) {
  for_each_case(kAcvpSign, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    const bool mu = group.value("externalMu", false);
    all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "seed"),
                         octets_in(test, mu ? "mu" : "message"), octets_in(test, "context"),
                         octets_in(test, "signature"), mu, true});
  });
}

void add_wycheproof_sign(const SourceFile& file, Vectors<MlDsaSignCase>& all) {
  for_each_case(file.name, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    MlDsaSignCase made{id,    file.algorithm, octets_in(group, "privateSeed"), {}, {}, octets_in(test, "sig"),
                       false, is_valid(test)};
    if (test.contains("msg")) {
      made.message = octets_in(test, "msg");
      made.context = octets_in(test, "ctx");
      all.cases.push_back(made);
    }
    if (test.contains("mu")) {
      made.id = id + " by mu";
      made.message = octets_in(test, "mu");
      made.context.clear();
      made.external_mu = true;
      all.cases.push_back(made);
    }
  });
}

}  // namespace

Vectors<AeadCase> aes_256_gcm_vectors() {
  Vectors<AeadCase> all;
  for_each_case(
      "wycheproof/aes_gcm_test.json", all.left_out, [&](const Json&, const Json& test, const std::string& id) {
        all.cases.push_back({id, octets_in(test, "key"), octets_in(test, "iv"), octets_in(test, "aad"),
                             octets_in(test, "msg"), octets_in(test, "ct"), octets_in(test, "tag"), is_valid(test)});
      });
  return all;
}

Vectors<KeygenCase> mldsa_keygen_vectors() {
  Vectors<KeygenCase> all;
  for_each_case("acvp/ML-DSA-keyGen-FIPS204.json", all.left_out,
                [&](const Json& group, const Json& test, const std::string& id) {
                  all.cases.push_back(
                      {id, algorithm_of(group, Algorithm::kNone), octets_in(test, "seed"), octets_in(test, "pk")});
                });
  return all;
}

Vectors<MlDsaSignCase> mldsa_sign_vectors() {
  Vectors<MlDsaSignCase> all;
  add_acvp_sign(all);
  for (const SourceFile& file : kWycheproofSign) add_wycheproof_sign(file, all);
  return all;
}

Vectors<MlDsaVerifyCase> mldsa_verify_vectors() {
  Vectors<MlDsaVerifyCase> all;
  for_each_case(kAcvpVerify, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    const bool mu = group.value("externalMu", false);
    all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "pk"),
                         octets_in(test, mu ? "mu" : "message"), octets_in(test, "context"),
                         octets_in(test, "signature"), mu, is_valid(test)});
  });
  for (const SourceFile& file : kWycheproofVerify) {
    for_each_case(file.name, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
      all.cases.push_back({id, file.algorithm, octets_in(group, "publicKey"), octets_in(test, "msg"),
                           octets_in(test, "ctx"), octets_in(test, "sig"), false, is_valid(test)});
    });
  }
  return all;
}

Vectors<Pkcs8Case> mldsa_pkcs8_vectors() {
  Vectors<Pkcs8Case> all;
  for (const SourceFile& file : kWycheproofSign) {
    Octets last;
    for_each_case(file.name, all.left_out, [&](const Json& group, const Json&, const std::string& id) {
      const Octets der = octets_in(group, "privateKeyPkcs8");
      if (der.empty() || der == last) return;  // one for each group
      last = der;
      all.cases.push_back({id, file.algorithm, der, octets_in(group, "privateSeed")});
    });
  }
  all.left_out.clear();  // a file's left-out cases are signatures, not keys
  return all;
}

Vectors<EcdsaVerifyCase> ecdsa_verify_vectors() {
  Vectors<EcdsaVerifyCase> all;
  for (const SourceFile& file : kWycheproofEcdsa) {
    for_each_case(file.name, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
      all.cases.push_back({id, file.algorithm, hash_from_name(group.at("sha").get<std::string>()).value(),
                           octets_in(group, "publicKey"), octets_in(test, "msg"), octets_in(test, "sig"),
                           is_valid(test)});
    });
  }
  return all;
}

Vectors<KeygenCase> mlkem_keygen_vectors() {
  Vectors<KeygenCase> all;
  for_each_case("acvp/ML-KEM-keyGen-FIPS203.json", all.left_out,
                [&](const Json& group, const Json& test, const std::string& id) {
                  all.cases.push_back({id, algorithm_of(group, Algorithm::kNone),
                                       joined(octets_in(test, "d"), octets_in(test, "z")), octets_in(test, "ek")});
                });
  for (const char* file : kWycheproofKemKeygen) {
    for_each_case(file, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
      all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "seed"), octets_in(test, "ek")});
    });
  }
  return all;
}

Vectors<MlKemDecapsCase> mlkem_decaps_vectors() {
  Vectors<MlKemDecapsCase> all;
  for_each_case(kAcvpKem, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    if (group.at("function") != "decapsulation") return;
    all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), joined(octets_in(test, "d"), octets_in(test, "z")),
                         octets_in(test, "c"), octets_in(test, "k"), true});
  });
  for (const char* file : kWycheproofDecaps) {
    for_each_case(file, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
      all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "seed"), octets_in(test, "c"),
                           octets_in(test, "K"), is_valid(test)});
    });
  }
  return all;
}

Vectors<MlKemEncapsCase> mlkem_encaps_vectors() {
  Vectors<MlKemEncapsCase> all;
  for_each_case(kAcvpKem, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    if (group.at("function") != "encapsulation") return;
    all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "ek"), octets_in(test, "m"),
                         octets_in(test, "c"), octets_in(test, "k")});
  });
  all.left_out.clear();  // the file's left-out cases are decapsulations
  return all;
}

Vectors<MlKemKeyCase> mlkem_key_vectors() {
  Vectors<MlKemKeyCase> all;
  for_each_case(kAcvpKem, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
    if (group.at("function") != "encapsulationKeyCheck") return;
    all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "ek"), is_valid(test)});
  });
  all.left_out.clear();  // the file's left-out cases are decapsulations
  for (const char* file : kWycheproofKeys) {
    for_each_case(file, all.left_out, [&](const Json& group, const Json& test, const std::string& id) {
      all.cases.push_back({id, algorithm_of(group, Algorithm::kNone), octets_in(test, "ek"), is_valid(test)});
    });
  }
  return all;
}

void report(std::string_view what, size_t ran, const Skipped& left_out, const Skipped& skipped) {
  std::printf("%.*s: ran %zu cases\n", static_cast<int>(what.size()), what.data(), ran);
  for (const LeftOut& entry : skipped) std::printf("  skipped %zu: %s\n", entry.cases, entry.reason.c_str());
  for (const LeftOut& entry : left_out)
    std::printf("  not in tests/vectors: %zu: %s\n", entry.cases, entry.reason.c_str());
}

}  // namespace wvds::test
