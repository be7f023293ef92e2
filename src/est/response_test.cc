#include "est/response.h"

#include "est/media_type.h"
#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

constexpr int64_t kAnswered = 1795000000;

HttpResponse answer(unsigned status, std::vector<HttpField> fields = {}, std::string_view body = {}) {
  HttpResponse response;
  response.status = status;
  response.reason = "Reason";
  response.fields = std::move(fields);
  append(response.body, body);
  return response;
}

Outcome<Judgement> judged(Operation operation, HttpResponse response, size_t redirects = 0) {
  static const ServerUrl server{"ca.example", false, 443, ""};
  return judge_response({server, operation, "/.well-known/est/x", redirects}, std::move(response), kAnswered);
}

// as gives the wanted alternative of a judgement, or fails the test.
template <class T>
T as(Outcome<Judgement> judgement) {
  EXPECT_TRUE(judgement) << detail_of(judgement);
  T* wanted = judgement ? std::get_if<T>(&*judgement) : nullptr;
  EXPECT_NE(wanted, nullptr) << "another alternative";
  return wanted == nullptr ? T{} : std::move(*wanted);
}

const std::vector<HttpField> kPkcs7{{"content-type", "application/pkcs7-mime; smime-type=certs-only"}};

TEST(MediaType, TakesParametersInAnyOrderAndCase) {
  const auto type = parse_media_type("  Application/PKCS7-Mime ; name=\"x;y\";;SMIME-Type=\"certs-only\" ; ");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->name, "application/pkcs7-mime");
  EXPECT_EQ(*type->parameter("smime-type"), "certs-only");
  EXPECT_EQ(*type->parameter("name"), "x;y");
  EXPECT_EQ(type->parameter("boundary"), nullptr);
  for (const char* bad :
       {"", "application", "application/", "/x", "a/b x", "a/b;x", "a/b; x=", "a/b;x=1;X=2", "a/b;x=\"", "a/b,c/d"}) {
    EXPECT_FALSE(parse_media_type(bad)) << bad;
  }
}

TEST(JudgeResponse, GivesTheDecodedBody) {
  for (const char* type : {"application/pkcs7-mime", "application/pkcs7-mime; smime-type=certs-only",
                           "APPLICATION/PKCS7-MIME;charset=x;SMIME-TYPE=\"Certs-Only\""}) {
    for (const Operation operation : {Operation::kCaCerts, Operation::kSimpleEnroll, Operation::kSimpleReenroll}) {
      EXPECT_EQ(to_text(as<Body>(judged(operation, answer(200, {{"content-type", type}}, "Zm9v\r\n"))).data), "foo");
    }
  }
  EXPECT_EQ(
      to_text(
          as<Body>(judged(Operation::kCsrAttrs, answer(200, {{"content-type", "application/csrattrs"}}, "Zm9v"))).data),
      "foo");
  EXPECT_EQ(to_text(as<Body>(judged(Operation::kRenewalInfo,
                                    answer(200, {{"content-type", "application/json; charset=utf-8"}}, "{}")))
                        .data),
            "{}");
}

// RFC 8951, section 3: the header says nothing.
TEST(JudgeResponse, DecodesWhateverTheTransferEncodingHeaderSays) {
  for (const char* encoding : {"base64", "binary", "BASE64", "7bit"}) {
    auto fields = kPkcs7;
    fields.push_back({"content-transfer-encoding", encoding});
    EXPECT_EQ(to_text(as<Body>(judged(Operation::kCaCerts, answer(200, fields, "Zm9v"))).data), "foo");
  }
}

TEST(JudgeResponse, RefusesOtherContent) {
  EXPECT_TRUE(
      fails_as(judged(Operation::kCaCerts, answer(200, {}, "Zm9v")), FailureKind::kBadContentType, "no Content-Type"));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(200, {{"content-type", "text/html"}}, "<html>")),
                       FailureKind::kBadContentType,
                       "/cacerts has Content-Type text/html instead of application/pkcs7-mime"));
  EXPECT_TRUE(fails_as(
      judged(Operation::kSimpleEnroll,
             answer(200, {{"content-type", "application/pkcs7-mime; smime-type=server-generated-key"}}, "Zm9v")),
      FailureKind::kBadContentType));
  EXPECT_TRUE(fails_as(judged(Operation::kCsrAttrs, answer(200, kPkcs7, "Zm9v")), FailureKind::kBadContentType));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(200, kPkcs7, "****")), FailureKind::kBadBase64));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(200, kPkcs7, "\r\n")), FailureKind::kBadBase64, "empty"));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(204)), FailureKind::kBadHttp));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(206, kPkcs7, "Zm9v")), FailureKind::kBadHttp));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(304)), FailureKind::kBadHttp));
}

// RFC 7030, section 4.5.2
TEST(JudgeResponse, ReadsNoAttributesFrom204And404) {
  as<NothingDemanded>(judged(Operation::kCsrAttrs, answer(204)));
  as<NothingDemanded>(judged(Operation::kCsrAttrs, answer(404, {{"content-type", "text/html"}}, "<html>")));
  as<NothingDemanded>(judged(Operation::kCsrAttrs, answer(200)));
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(404)), FailureKind::kNotOffered, "/.well-known/est/x"));
}

TEST(JudgeResponse, WaitsAsTheServerSays) {
  const Retry named = as<Retry>(judged(Operation::kSimpleEnroll, answer(202, {{"retry-after", "3600"}}, "pending\n")));
  EXPECT_EQ(named.seconds, 3600);
  EXPECT_TRUE(named.accepted);
  EXPECT_TRUE(named.detail.contains("pending"));
  EXPECT_FALSE(as<Retry>(judged(Operation::kSimpleEnroll, answer(202))).seconds);
  const Retry busy = as<Retry>(judged(Operation::kSimpleEnroll, answer(503, {{"retry-after", "7"}})));
  EXPECT_EQ(busy.seconds, 7);
  EXPECT_FALSE(busy.accepted);
  EXPECT_TRUE(
      fails_as(judged(Operation::kSimpleEnroll, answer(503, {}, "db down")), FailureKind::kServerError, "db down"));
  EXPECT_FALSE(as<Retry>(judged(Operation::kSimpleEnroll, answer(429))).seconds);
}

// RFC 9110, section 10.2.3
TEST(RetryAfter, ReadsSecondsAndDatesWithinBounds) {
  const auto of = [](std::vector<HttpField> fields) { return retry_after(answer(202, std::move(fields)), 784111700); };
  EXPECT_EQ(of({{"retry-after", " 120 "}}), 120);
  EXPECT_EQ(of({{"retry-after", "0"}}), 1);
  EXPECT_EQ(of({{"retry-after", "86400"}}), 86400);
  EXPECT_EQ(of({{"retry-after", "86401"}}), 86400);
  EXPECT_EQ(of({{"retry-after", "99999999999999999999999999"}}), 86400);
  EXPECT_EQ(of({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}), 77);
  EXPECT_EQ(of({{"retry-after", "Sun, 06 Nov 1994 08:40:00 GMT"}}), 1);
  EXPECT_EQ(of({{"retry-after", "Sun, 06 Nov 2094 08:49:37 GMT"}}), 86400);
  EXPECT_EQ(of({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"date", "Sun, 06 Nov 1994 08:49:07 GMT"}}), 30)
      << "the server's clock counts";
  for (const char* bad : {"", "-5", "1.5", "soon", "1e3"}) EXPECT_FALSE(of({{"retry-after", bad}})) << bad;
  EXPECT_FALSE(of({}));
}

TEST(ServerTime, IsTheDateField) {
  EXPECT_EQ(server_time(answer(200, {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}}), kAnswered), 784111777);
  EXPECT_FALSE(server_time(answer(200, {{"date", "yesterday"}}), kAnswered));
  EXPECT_FALSE(server_time(answer(200), kAnswered));
}

TEST(JudgeResponse, HandsChallengesOn) {
  const auto asked =
      as<Authenticate>(judged(Operation::kSimpleEnroll,
                              answer(401, {{"www-authenticate", "Basic realm=x"}, {"www-authenticate", "Negotiate"}})));
  EXPECT_EQ(asked.challenges.size(), 2u);
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(401, {}, "no such device")),
                       FailureKind::kCredentialRejected, "no such device"));
  EXPECT_TRUE(
      fails_as(judged(Operation::kSimpleEnroll, answer(401, {{"www-authenticate", "\""}})), FailureKind::kBadHttp));
}

TEST(JudgeResponse, FollowsRedirectsOfTheSameServer) {
  for (const unsigned status : {301u, 302u, 307u, 308u}) {
    EXPECT_EQ(
        as<Redirect>(judged(Operation::kSimpleEnroll, answer(status, {{"location", "https://ca.example/y"}}))).target,
        "/y");
  }
  EXPECT_EQ(as<Redirect>(judged(Operation::kCaCerts, answer(303, {{"location", "/y"}}))).target, "/y");
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(303, {{"location", "/y"}})),
                       FailureKind::kRedirectRefused, "303"));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(302, {{"location", "https://other.example/y"}})),
                       FailureKind::kRedirectRefused, "https://other.example/y"));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(302)), FailureKind::kRedirectRefused, "without a Location"));
  as<Redirect>(judged(Operation::kCaCerts, answer(302, {{"location", "/y"}}), kMaxRedirects - 1));
  EXPECT_TRUE(fails_as(judged(Operation::kCaCerts, answer(302, {{"location", "/y"}}), kMaxRedirects),
                       FailureKind::kRedirectRefused, "more than 3 times"));
}

TEST(JudgeResponse, GivesTheServersReason) {
  const auto said = [](std::vector<HttpField> fields, std::string_view body) {
    return detail_of(judged(Operation::kSimpleEnroll, answer(400, std::move(fields), body)));
  };
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(400, {}, "CN is missing\n")),
                       FailureKind::kRequestRefused, "400 Reason: CN is missing"));
  EXPECT_TRUE(said({{"content-type", "text/plain; charset=utf-8"}}, "a\x1b[2Jb").contains("a?[2Jb"));
  EXPECT_TRUE(
      said({{"content-type", "application/problem+json"}}, "{\"detail\":\"x\"}").contains("{\"detail\":\"x\"}"));
  EXPECT_FALSE(said({{"content-type", "text/html"}}, "<html>").contains("html"));
  EXPECT_LT(said({}, std::string(5000, 'x')).size(), kMaxServerText + 100);
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(403, {}, "not yours")), FailureKind::kRequestRefused,
                       "not yours"));
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(413)), FailureKind::kRequestRefused, "size"));
  EXPECT_TRUE(fails_as(judged(Operation::kServerKeygen, answer(405)), FailureKind::kNotOffered));
  EXPECT_TRUE(fails_as(judged(Operation::kServerKeygen, answer(501)), FailureKind::kNotOffered));
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(408)), FailureKind::kServerError));
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(500, {}, "oops")), FailureKind::kServerError, "oops"));
  EXPECT_TRUE(fails_as(judged(Operation::kSimpleEnroll, answer(999)), FailureKind::kServerError));
}

const std::vector<HttpField> kMixed{{"content-type", "multipart/mixed; boundary=est-server-boundary"}};

// The form in which libest 3.2.0 sends it
std::string key_answer(std::string_view key_type = "application/pkcs8",
                       std::string_view certificate_type = "application/pkcs7-mime; smime-type=certs-only",
                       std::string_view key = "a2V5\n", std::string_view certificate = "Y2VydA==\n") {
  std::string text = "--est-server-boundary\r\nContent-Type: ";
  text.append(key_type).append("\r\nContent-Transfer-Encoding: base64\r\n\r\n").append(key);
  text.append("\r\n--est-server-boundary\r\nContent-Type: ").append(certificate_type);
  return text.append("\r\nContent-Transfer-Encoding: base64\r\n\r\n")
      .append(certificate)
      .append("\r\n--est-server-boundary--\r\n\r\n");
}

TEST(JudgeResponse, TakesKeyAndCertificateApart) {
  const auto made = as<ServerMadeKey>(judged(Operation::kServerKeygen, answer(200, kMixed, key_answer())));
  EXPECT_EQ(to_text(made.key), "key");
  EXPECT_EQ(to_text(made.certificate), "cert");
  EXPECT_FALSE(made.encrypted);
  const auto encrypted = as<ServerMadeKey>(
      judged(Operation::kServerKeygen,
             answer(200, kMixed, key_answer("application/pkcs7-mime; smime-type=server-generated-key"))));
  EXPECT_TRUE(encrypted.encrypted);
  EXPECT_EQ(to_text(encrypted.key), "key");
  const auto turned = as<ServerMadeKey>(
      judged(Operation::kServerKeygen,
             answer(200, kMixed, key_answer("application/pkcs7-mime", "application/pkcs8", "Y2VydA==", "a2V5"))));
  EXPECT_EQ(to_text(turned.key), "key");
}

TEST(JudgeResponse, RefusesOtherParts) {
  const auto refused = [](FailureKind kind, const std::string& body, std::vector<HttpField> fields = kMixed) {
    return fails_as(judged(Operation::kServerKeygen, answer(200, std::move(fields), body)), kind);
  };
  EXPECT_TRUE(refused(FailureKind::kBadContentType, key_answer("application/pkcs8", "application/pkcs8")));
  EXPECT_TRUE(refused(FailureKind::kBadContentType, key_answer("text/plain")));
  EXPECT_TRUE(refused(FailureKind::kBadContentType, "--est-server-boundary--"));
  EXPECT_TRUE(refused(FailureKind::kBadContentType, key_answer(), kPkcs7));
  EXPECT_TRUE(refused(FailureKind::kBadHttp, key_answer(), {{"content-type", "multipart/mixed"}}));
  EXPECT_TRUE(refused(FailureKind::kBadHttp, key_answer(), {{"content-type", "multipart/mixed; boundary=other"}}));
  EXPECT_TRUE(refused(FailureKind::kBadBase64, key_answer("application/pkcs8", "application/pkcs7-mime", "SECRET**")));
  EXPECT_EQ(
      detail_of(judged(Operation::kServerKeygen,
                       answer(200, kMixed, key_answer("application/pkcs8", "application/pkcs7-mime", "SECRET**"))))
          .find("SECRET"),
      std::string::npos);
}

}  // namespace
}  // namespace wvds::est
