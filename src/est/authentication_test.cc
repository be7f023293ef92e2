#include "est/authentication.h"

#include <array>

#include "crypto/base64.h"
#include "crypto/testing/library_fixture.h"
#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

using crypto::FipsMode;
using crypto::library_in;

std::vector<Challenge> challenges_of(std::vector<std::string> values) {
  const auto parsed = parse_challenges(values);
  EXPECT_TRUE(parsed) << detail_of(parsed);
  return parsed ? *parsed : std::vector<Challenge>{};
}

std::string listed(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += challenge.scheme + "[" + challenge.token68;
    for (const auto& [name, value] : challenge.parameters) text += name + "=" + value + ";";
    text += "]";
  }
  return text;
}

TEST(Challenges, AreReadFromOneFieldOrSeveral) {
  EXPECT_EQ(listed(challenges_of({R"(Basic realm="a, b = \"c\"", charset=UTF-8)"})),
            R"(basic[realm=a, b = "c";charset=UTF-8;])");
  EXPECT_EQ(listed(challenges_of({R"(Digest realm="r", qop="auth,auth-int", nonce=n, Basic realm="r")"})),
            "digest[realm=r;qop=auth,auth-int;nonce=n;]basic[realm=r;]");
  EXPECT_EQ(listed(challenges_of({"Negotiate", "NTLM TlRMTVNTUAAC==, Basic realm = x"})),
            "negotiate[]ntlm[TlRMTVNTUAAC==]basic[realm=x;]");
  EXPECT_EQ(listed(challenges_of({",, Basic realm=\"\" , ,Bearer ,"})), "basic[realm=;]bearer[]");
  EXPECT_EQ(listed(challenges_of({"Newauth, Basic realm=x"})), "newauth[]basic[realm=x;]");
  EXPECT_EQ(listed(challenges_of({""})), "");
  // libest 3.2.0
  EXPECT_EQ(listed(challenges_of({R"(Digest qop="auth", realm="estrealm", nonce="1763891590")"})),
            "digest[qop=auth;realm=estrealm;nonce=1763891590;]");
}

TEST(Challenges, ThatCantBeReadAreRefused) {
  for (const char* bad :
       {"Basic realm=\"open", "=x", "Basic realm", "Basic a b", "Basic realm=\"a\"b", "Basic realm=x y=z",
        "Basic realm=a, realm=b", "Basic realm=a, REALM=b", "Basic \x01", "\"x\"", "Basic a=b, c=\"d"}) {
    const std::vector<std::string> values{bad};
    const auto parsed = parse_challenges(values);
    if (std::string_view(bad) == "Basic realm") {
      EXPECT_TRUE(parsed) << "token68";
    } else {
      EXPECT_TRUE(fails_as(parsed, FailureKind::kBadHttp)) << bad;
    }
  }
}

TEST(Challenges, AreBounded) {
  std::string many = "A";
  for (size_t i = 1; i < kMaxChallenges; ++i) many += ", A";
  EXPECT_EQ(challenges_of({many}).size(), kMaxChallenges);
  EXPECT_FALSE(parse_challenges(std::vector<std::string>{many + ", A"}));
  EXPECT_FALSE(parse_challenges(std::vector<std::string>{many, "A"}));
  std::string parameters = "A p0=x";
  for (size_t i = 1; i < kMaxChallengeParameters; ++i) parameters += ", p" + std::to_string(i) + "=x";
  EXPECT_EQ(challenges_of({parameters})[0].parameters.size(), kMaxChallengeParameters);
  EXPECT_FALSE(parse_challenges(std::vector<std::string>{parameters + ", more=x"}));
}

constexpr const char* kSha256 = R"(Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256)";
constexpr const char* kMd5 = R"(Digest realm="r", nonce="n", qop="auth", algorithm=MD5)";
constexpr const char* kBasic = R"(Basic realm="r")";

Outcome<ChosenScheme> chosen(std::vector<std::string> values, FipsMode mode = FipsMode::kOff,
                             AuthenticationPolicy policy = {}) {
  return choose_scheme(challenges_of(std::move(values)), policy, library_in(mode));
}

TEST(ChooseScheme, TakesTheBestOne) {
  EXPECT_EQ(chosen({kBasic, kMd5, kSha256})->scheme, Scheme::kDigestSha256);
  EXPECT_EQ(chosen({kSha256, kMd5, kBasic})->scheme, Scheme::kDigestSha256);
  EXPECT_EQ(chosen({kBasic, kMd5})->scheme, Scheme::kDigestMd5);
  EXPECT_EQ(chosen({kBasic, kMd5}, FipsMode::kRequired)->scheme, Scheme::kBasic);
  EXPECT_EQ(chosen({"Bearer x", kBasic})->scheme, Scheme::kBasic);
  EXPECT_EQ(chosen({kBasic, kMd5, kSha256}, FipsMode::kRequired)->scheme, Scheme::kDigestSha256);
  EXPECT_EQ(chosen({kBasic, kSha256}, FipsMode::kOff, {.basic = true, .digest = false})->scheme, Scheme::kBasic);
  EXPECT_EQ(chosen({R"(digest REALM=r, Nonce=n, QOP="auth-int, auth", ALGORITHM="sha-256", stale=TRUE)"})->scheme,
            Scheme::kDigestSha256);
  EXPECT_EQ(chosen({R"(Digest realm=r, nonce=n, qop=auth)"})->scheme, Scheme::kDigestMd5);
}

TEST(ChooseScheme, SaysWhyNoneIsTaken) {
  const auto refused = [](std::vector<std::string> values, const char* why, FipsMode mode = FipsMode::kOff,
                          AuthenticationPolicy policy = {}) {
    return fails_as(chosen(std::move(values), mode, policy), FailureKind::kUnsupportedAuthentication, why);
  };
  EXPECT_TRUE(refused({kMd5}, "Digest with MD5, which FIPS forbids", FipsMode::kRequired));
  EXPECT_TRUE(refused({R"(Digest realm=r, nonce=n, qop=auth)"}, "MD5", FipsMode::kRequired));
  EXPECT_TRUE(refused({kBasic, kMd5}, "Basic, which is switched off, Digest with MD5", FipsMode::kRequired,
                      {.basic = false, .digest = true}));
  EXPECT_TRUE(refused({kSha256}, "switched off", FipsMode::kOff, {.basic = true, .digest = false}));
  EXPECT_TRUE(refused({"Bearer realm=x", "Negotiate"}, "bearer, negotiate"));
  EXPECT_TRUE(refused({R"(Digest realm=r, nonce=n, qop=auth, algorithm=SHA-512-256)"}, "SHA-512-256"));
  EXPECT_TRUE(refused({R"(Digest realm=r, nonce=n, algorithm=SHA-256)"}, "without qop=auth"));
  EXPECT_TRUE(refused({R"(Digest realm=r, nonce=n, algorithm=SHA-256, qop="auth-int")"}, "without qop=auth"));
  EXPECT_TRUE(refused({R"(Digest realm=r, qop=auth)"}, "without realm or nonce"));
  EXPECT_TRUE(refused({}, "does not say which"));
}

std::string value_of(const ChosenScheme& scheme, std::string_view user, std::string_view password, Bytes random,
                     uint32_t count = 1, FipsMode mode = FipsMode::kOff) {
  const auto value = authorization_value(library_in(mode), scheme, {user, as_bytes(password)},
                                         {"GET", "/dir/index.html", count, random});
  return value ? to_text(*value) : "failure: " + value.error().detail;
}

// RFC 7616, section 3.9.1
TEST(Digest, GivesTheAnswersOfRfc7616) {
  const std::string challenge =
      R"(realm="http-auth@example.org", qop="auth, auth-int", algorithm=%, )"
      R"(nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
  const std::string answer =
      R"(Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", )"
      R"(uri="/dir/index.html", algorithm=%, qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", )"
      R"(response="#", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
  const auto with = [](std::string text, const std::string& algorithm, const std::string& response) {
    text.replace(text.find('%'), 1, algorithm);
    if (const size_t at = text.find('#'); at != std::string::npos) text.replace(at, 1, response);
    return text;
  };
  const auto random = crypto::base64_decode(as_bytes("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
  ASSERT_TRUE(random);
  const auto sha256 = chosen({"Digest " + with(challenge, "SHA-256", "")});
  EXPECT_EQ(value_of(*sha256, "Mufasa", "Circle of Life", *random),
            with(answer, "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
  EXPECT_EQ(value_of(*sha256, "Mufasa", "Circle of Life", *random, 1, FipsMode::kRequired),
            with(answer, "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
  const auto md5 = chosen({"Digest " + with(challenge, "MD5", "")});
  EXPECT_EQ(value_of(*md5, "Mufasa", "Circle of Life", *random),
            with(answer, "MD5", "8ca523f5e9506fed4657c9700eebdbec"));
}

constexpr std::array<std::byte, kCnonceRandom> kRandom{};

TEST(Digest, CountsAndEscapesAndLeavesOutWhatTheServerDidNotSend) {
  const auto plain = chosen({R"(Digest realm="a \"b\" \\ c", nonce="n", qop="auth")"});
  const std::string value = value_of(*plain, "u\"s\\er", "p", kRandom, 0x1a2b);
  EXPECT_TRUE(value.starts_with(R"(Digest username="u\"s\\er", realm="a \"b\" \\ c", nonce="n")")) << value;
  EXPECT_TRUE(value.contains("nc=00001a2b,")) << value;
  EXPECT_FALSE(value.contains("opaque") || value.contains("algorithm") || value.contains("userhash")) << value;
}

// The hash was computed with Python's hashlib: sha256("Jäsøn Doe:api@example.org").
TEST(Digest, HashesOrEncodesTheUserName) {
  const std::string user = "J\xc3\xa4s\xc3\xb8n Doe";
  const auto hashed =
      chosen({R"(Digest realm="api@example.org", nonce=n, qop=auth, algorithm=SHA-256, userhash=true, charset=UTF-8)"});
  const std::string value = value_of(*hashed, user, "p", kRandom);
  EXPECT_TRUE(value.starts_with(
      "Digest username=\"5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7\", userhash=true, "))
      << value;
  const auto shown = chosen({R"(Digest realm="api@example.org", nonce=n, qop=auth, algorithm=SHA-256)"});
  EXPECT_TRUE(
      value_of(*shown, user, "p", kRandom).starts_with("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm="));
}

TEST(Digest, WithMd5IsRefusedUnderFipsEvenWhenChosenElsewhere) {
  const auto md5 = chosen({kMd5});
  EXPECT_TRUE(value_of(*md5, "u", "p", kRandom, 1, FipsMode::kRequired).starts_with("failure: MD5"));
}

TEST(Digest, NeedsRandomBytes) {
  EXPECT_TRUE(value_of(*chosen({kSha256}), "u", "p", Bytes(kRandom).first(15)).starts_with("failure: "));
}

// RFC 7617, sections 2 and 2.1
TEST(Basic, GivesTheValuesOfRfc7617) {
  EXPECT_EQ(value_of(*chosen({kBasic}), "Aladdin", "open sesame", {}), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(value_of(*chosen({kBasic}), "test", "123\xc2\xa3", {}), "Basic dGVzdDoxMjPCow==");
  EXPECT_EQ(value_of(*chosen({kBasic}), "u", "a:b", {}), "Basic dTphOmI=");
}

TEST(Authorization, RefusesWhatTheSchemeCantCarry) {
  const auto refused = [](const char* challenge, std::string_view user, std::string_view password) {
    return fails_as(authorization_value(library_in(FipsMode::kOff), *chosen({challenge}), {user, as_bytes(password)},
                                        {"GET", "/", 1, kRandom}),
                    FailureKind::kConfiguration);
  };
  EXPECT_TRUE(refused(kBasic, "a:b", "p"));
  EXPECT_TRUE(refused(kBasic, "a\nb", "p"));
  EXPECT_TRUE(refused(kBasic, "a", "p\r\nX: y"));
  EXPECT_TRUE(refused(kSha256, "a\x7f", "p"));
  EXPECT_TRUE(refused(kSha256, "a", std::string_view("p\0", 2)));
}

Authenticator authenticator(std::string user = "user") {
  auto password = crypto::LockedBytes::copy_of(as_bytes("password"));
  EXPECT_TRUE(password);
  return {library_in(FipsMode::kOff), std::move(user), std::move(*password)};
}

std::string next(Authenticator& authenticator) {
  const auto value = authenticator.authorization("GET", "/x", kRandom);
  return value ? to_text(*value) : "failure: " + value.error().detail;
}

std::string digest_with(const char* nonce, const char* more = "") {
  return std::string(R"(Digest realm="r", qop="auth", algorithm=SHA-256, nonce=")") + nonce + "\"" + more;
}

TEST(Authenticator, AnswersFromTheFirstChallengeOn) {
  Authenticator user = authenticator();
  EXPECT_EQ(next(user), "");
  ASSERT_TRUE(user.challenged(challenges_of({digest_with("one")})));
  EXPECT_TRUE(next(user).contains("nonce=\"one\""));
  EXPECT_TRUE(next(user).contains("nc=00000002"));
}

TEST(Authenticator, KnowsARefusedPassword) {
  for (const std::string& challenge : {digest_with("one"), std::string(kBasic)}) {
    Authenticator user = authenticator();
    ASSERT_TRUE(user.challenged(challenges_of({challenge})));
    next(user);
    EXPECT_TRUE(fails_as(user.challenged(challenges_of({challenge})), FailureKind::kCredentialRejected,
                         "refuses user \"user\""));
  }
}

TEST(Authenticator, TakesANewNonceWhereTheOldOneIsStale) {
  Authenticator user = authenticator();
  ASSERT_TRUE(user.challenged(challenges_of({digest_with("one")})));
  next(user);
  ASSERT_TRUE(user.challenged(challenges_of({digest_with("two", ", stale=true")})));
  const std::string value = next(user);
  EXPECT_TRUE(value.contains("nonce=\"two\"") && value.contains("nc=00000001")) << value;
}

TEST(Authenticator, TriesAgainWhereTheNonceServedBefore) {
  Authenticator user = authenticator();
  ASSERT_TRUE(user.challenged(challenges_of({digest_with("one")})));
  next(user);
  user.accepted();
  next(user);
  EXPECT_TRUE(user.challenged(challenges_of({digest_with("two")}))) << "old without saying so";
  next(user);
  EXPECT_TRUE(fails_as(user.challenged(challenges_of({digest_with("three")})), FailureKind::kCredentialRejected));
}

TEST(Authenticator, EndsAServersStaleAnswers) {
  Authenticator user = authenticator();
  bool refused = false;
  for (int i = 0; i < 5 && !refused; ++i) {
    refused = !user.challenged(challenges_of({digest_with("n", ", stale=true")}));
    next(user);
  }
  EXPECT_TRUE(refused);
}

TEST(Authenticator, WithoutCredentialsSaysSo) {
  Authenticator nobody = authenticator("");
  EXPECT_FALSE(nobody.has_credentials());
  EXPECT_TRUE(
      fails_as(nobody.challenged(challenges_of({kBasic})), FailureKind::kCredentialRejected, "none are configured"));
}

}  // namespace
}  // namespace wvds::est
