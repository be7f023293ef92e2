#include "est/renewal_info.h"

#include <span>
#include <vector>

#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

Outcome<RenewalInfo> parsed(std::string_view json) { return parse_renewal_info(as_bytes(json)); }

// The example of draft-ietf-lamps-est-renewal-info, section 3.2
TEST(RenewalInfo, ReadsTheDraftsExample) {
  const auto info =
      parsed(R"({ "suggestedWindow": { "start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z" } })");
  ASSERT_TRUE(info) << detail_of(info);
  EXPECT_EQ(info->window, (RenewalWindow{1735790400, 1735876800}));
  EXPECT_EQ(info->explanation_url, "");
}

// RFC 9773, section 4.2
TEST(RenewalInfo, ReadsWhatAcmeAddsAndPassesOverTheRest) {
  const auto info = parsed(
      R"({"x":[1,{"y":null}],"explanationURL":"https://example.com/docs/ari\u001b","suggestedWindow":{"end":"2025-01-03T04:00:00.5+01:00","z":1,"start":"2025-01-02T04:00:00Z"}})");
  ASSERT_TRUE(info) << detail_of(info);
  EXPECT_EQ(info->window, (RenewalWindow{1735790400, 1735873200}));
  EXPECT_EQ(info->explanation_url, "https://example.com/docs/ari?");
  EXPECT_EQ(
      parsed(R"({"explanationURL":5,"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"}})")
          ->explanation_url,
      "");
}

TEST(RenewalInfo, RefusesWhatIsNoWindow) {
  for (const char* bad :
       {"", "null", "[]", "{", "{}", R"({"suggestedWindow":1})", R"({"suggestedWindow":{}})",
        R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z"}})", R"({"suggestedWindow":{"start":1,"end":2}})",
        R"({"suggestedWindow":{"start":"x","end":"y"}})",
        R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"}} x)", "\xff\xfe{}"}) {
    EXPECT_TRUE(fails_as(parsed(bad), FailureKind::kBadHttp)) << bad;
  }
}

TEST(RenewalInfo, IsBounded) {
  const std::string window = R"("suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"}})";
  const auto nested = [&](int depth) {
    return "{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "," + window;
  };
  EXPECT_TRUE(parsed(nested(3)));
  EXPECT_TRUE(fails_as(parsed(nested(50)), FailureKind::kBadHttp));
  EXPECT_TRUE(fails_as(parsed(std::string(8000, '[')), FailureKind::kBadHttp));
  EXPECT_TRUE(
      fails_as(parsed("{\"x\":\"" + std::string(kMaxRenewalInfo, 'x') + "\"," + window), FailureKind::kTooLarge));
}

Bytes bytes_of(const std::vector<uint8_t>& values) { return std::as_bytes(std::span(values)); }

// RFC 9773, section 4.1
TEST(RenewalCertificateId, IsThatOfTheExample) {
  const std::vector<uint8_t> authority{0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3,
                                       0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4};
  const std::vector<uint8_t> serial{0x00, 0x87, 0x65, 0x43, 0x21};
  EXPECT_EQ(renewal_certificate_id(bytes_of(authority), bytes_of(serial)), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  const std::vector<uint8_t> high(3, 0xff);
  EXPECT_EQ(renewal_certificate_id(bytes_of(high), bytes_of({0xfb, 0xef})), "____.--8");
}

TEST(RenewalCertificateId, NeedsBothParts) {
  const std::vector<uint8_t> part{1};
  const std::vector<uint8_t> large(65, 1);
  EXPECT_TRUE(fails_as(renewal_certificate_id({}, bytes_of(part)), FailureKind::kConfiguration));
  EXPECT_TRUE(fails_as(renewal_certificate_id(bytes_of(part), {}), FailureKind::kConfiguration));
  EXPECT_TRUE(fails_as(renewal_certificate_id(bytes_of(large), bytes_of(part)), FailureKind::kConfiguration));
}

// RFC 9773, sections 4.3.2 and 4.3.3
TEST(RenewalInfoDelay, StaysBetweenAMinuteAndADay) {
  EXPECT_EQ(renewal_info_delay(21600), 21600);
  EXPECT_EQ(renewal_info_delay(1), 60);
  EXPECT_EQ(renewal_info_delay(1 << 30), 86400);
  EXPECT_EQ(renewal_info_delay(0), kRenewalInfoInterval);
}

}  // namespace
}  // namespace wvds::est
