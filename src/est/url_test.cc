#include "est/url.h"

#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

ServerUrl url(std::string_view url) {
  const auto server = parse_server_url(url);
  EXPECT_TRUE(server) << url << ": " << detail_of(server);
  return server ? *server : ServerUrl{};
}

TEST(ServerUrl, TakesHostPortAndLabel) {
  EXPECT_EQ(url("https://ca.example"), (ServerUrl{"ca.example", false, 443, ""}));
  EXPECT_EQ(url("HTTPS://CA.Example:8443/"), (ServerUrl{"ca.example", false, 8443, ""}));
  EXPECT_EQ(url("https://ca.example/.well-known/est"), (ServerUrl{"ca.example", false, 443, ""}));
  EXPECT_EQ(url("https://ca.example/.well-known/est/"), (ServerUrl{"ca.example", false, 443, ""}));
  EXPECT_EQ(url("https://ca.example/.well-known/est/line-4"), (ServerUrl{"ca.example", false, 443, "line-4"}));
  EXPECT_EQ(url("https://ca.example/.well-known/est/line-4/"), (ServerUrl{"ca.example", false, 443, "line-4"}));
  EXPECT_EQ(url("https://10.0.0.1:443"), (ServerUrl{"10.0.0.1", true, 443, ""}));
  EXPECT_EQ(url("https://[2001:DB8::1]:8085/"), (ServerUrl{"2001:db8::1", true, 8085, ""}));
  EXPECT_EQ(url("https://localhost:1"), (ServerUrl{"localhost", false, 1, ""}));
  EXPECT_EQ(url("https://xn--bcher-kva.example"), (ServerUrl{"xn--bcher-kva.example", false, 443, ""}));
  EXPECT_EQ(url("https://3com.example.4you"), (ServerUrl{"3com.example.4you", false, 443, ""}));
}

TEST(ServerUrl, DecodesTheLabel) {
  EXPECT_EQ(url("https://h/.well-known/est/a%20b%2fc%C3%a4").label, "a b/c\xc3\xa4");
  EXPECT_EQ(url("https://h/.well-known/est/a+b:c@d").label, "a+b:c@d");
}

TEST(ServerUrl, SaysWhatToWriteInstead) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"", "https://"},
      {"ca.example", "https://"},
      {"http://ca.example", "https://"},
      {"https://", "neither a host name"},
      {"https:///.well-known/est", "neither a host name"},
      {"https://b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"https://user:secret@ca.example", "before @"},
      {"https://ca.example:0", "1 to 65535"},
      {"https://ca.example:65536", "1 to 65535"},
      {"https://ca.example:", "1 to 65535"},
      {"https://ca.example:+1", "1 to 65535"},
      {"https://ca.example.", "dot"},
      {"https://ca..example", "neither"},
      {"https://-ca.example", "neither"},
      {"https://ca example", "neither"},
      {"https://1.2.3", "neither"},
      {"https://1.2.3.256", "neither"},
      {"https://01.2.3.4", "neither"},
      {"https://::1", "brackets"},
      {"https://[::1", "]"},
      {"https://[::1]8443", "colon"},
      {"https://[fe80::1%25eth0]", "zone"},
      {"https://[12345::]", "no IPv6 address"},
      {"https://ca.example?x", "no ?"},
      {"https://ca.example/#x", "no #"},
      {"https://ca.example/est", "path"},
      {"https://ca.example/.well-known/estx", "path"},
      {"https://ca.example/.well-known/est/a/b", "one label"},
      {"https://ca.example/.well-known/est//", "empty"},
      {"https://ca.example/.well-known/est/cacerts", "operation"},
      {"https://ca.example/.well-known/est/fullcmc", "operation"},
      {"https://ca.example/.well-known/est/%2e%2E", "empty, . or .."},
      {"https://ca.example/.well-known/est/a b", "percent-encoded"},
      {"https://ca.example/.well-known/est/\xc3\xa4", "percent-encoded"},
      {"https://ca.example/.well-known/est/%4", "hexadecimal"},
      {"https://ca.example/.well-known/est/%zz", "hexadecimal"},
      {"https://ca.example/.well-known/est/%0a", "control"},
  };
  for (const auto& [url, advice] : kWrong) {
    EXPECT_TRUE(fails_as(parse_server_url(url), FailureKind::kConfiguration, advice)) << url;
  }
  EXPECT_TRUE(fails_as(parse_server_url("https://h/.well-known/est/" + std::string(256, 'a')),
                       FailureKind::kConfiguration, "255"));
  EXPECT_TRUE(fails_as(parse_server_url("https://" + std::string(64, 'a')), FailureKind::kConfiguration, "neither"));
  EXPECT_TRUE(
      fails_as(parse_server_url("https://h/" + std::string(kMaxUrl, 'a')), FailureKind::kConfiguration, "longer"));
}

TEST(ServerUrl, NeverShowsWhatStandsBeforeTheAt) {
  EXPECT_EQ(detail_of(parse_server_url("https://user:secret@h")).find("secret"), std::string::npos);
}

// RFC 9110, section 7.2
TEST(ServerUrl, AuthorityIsWhatTheHostFieldHolds) {
  EXPECT_EQ(url("https://ca.example:443").authority(), "ca.example");
  EXPECT_EQ(url("https://ca.example:8443").authority(), "ca.example:8443");
  EXPECT_EQ(url("https://[::1]").authority(), "[::1]");
  EXPECT_EQ(url("https://[::1]:8443").authority(), "[::1]:8443");
}

// RFC 7030, section 3.2.2
TEST(OperationTarget, IsThePathOfTheOperation) {
  const ServerUrl plain = url("https://h");
  EXPECT_EQ(operation_target(plain, Operation::kCaCerts), "/.well-known/est/cacerts");
  EXPECT_EQ(operation_target(plain, Operation::kSimpleEnroll), "/.well-known/est/simpleenroll");
  EXPECT_EQ(operation_target(plain, Operation::kSimpleReenroll), "/.well-known/est/simplereenroll");
  EXPECT_EQ(operation_target(plain, Operation::kCsrAttrs), "/.well-known/est/csrattrs");
  EXPECT_EQ(operation_target(plain, Operation::kServerKeygen), "/.well-known/est/serverkeygen");
  EXPECT_EQ(operation_target(plain, Operation::kRenewalInfo, "aYhba4.AIdlQyE"),
            "/.well-known/est/renewal-info/aYhba4.AIdlQyE");
  EXPECT_EQ(operation_target(url("https://h/.well-known/est/a%20b%2F%C3%A4%25"), Operation::kCaCerts),
            "/.well-known/est/a%20b%2F%C3%A4%25/cacerts");
}

TEST(RedirectTarget, FollowsOnTheSameServerOnly) {
  const ServerUrl server = url("https://ca.example:8443");
  const auto to = [&](std::string_view location) {
    return redirect_target(server, "/.well-known/est/cacerts?x=1", location);
  };
  EXPECT_EQ(to("https://ca.example:8443/other/cacerts"), "/other/cacerts");
  EXPECT_EQ(to("HTTPS://CA.EXAMPLE:8443/other?a=b#part"), "/other?a=b");
  EXPECT_EQ(to("https://ca.example:8443"), "/");
  EXPECT_EQ(to("https://ca.example:8443?q"), "/?q");
  EXPECT_EQ(to("//ca.example:8443/x"), "/x");
  EXPECT_EQ(to("/x/y"), "/x/y");
  EXPECT_EQ(to("cacerts2"), "/.well-known/est/cacerts2");
  EXPECT_EQ(to("label/cacerts"), "/.well-known/est/label/cacerts");
  EXPECT_EQ(to("?y=2"), "/.well-known/est/cacerts?y=2");
  for (const char* bad : {"https://ca.example/x", "https://evil.example:8443/x", "https://ca.example.evil:8443/x",
                          "https://ca.example:8443@evil.example/x", "//evil.example/x", "http://ca.example:8443/x",
                          "ftp:x", "javascript:alert(1)", "https://", "", "#x", "/a b", "/a\r\nX: y", "/a/../b", "/..",
                          "../x", "\\\\evil", "/\xc3\xa4"}) {
    EXPECT_TRUE(fails_as(to(bad), FailureKind::kRedirectRefused)) << bad;
  }
  EXPECT_TRUE(fails_as(to("https://evil.example/x"), FailureKind::kRedirectRefused, "https://evil.example/x"));
}

TEST(RedirectTarget, ComparesIpv6AddressesByTheirValue) {
  const ServerUrl server = url("https://[2001:db8::1]");
  EXPECT_EQ(redirect_target(server, "/a", "https://[2001:DB8:0:0:0:0:0:1]:443/b"), "/b");
  EXPECT_FALSE(redirect_target(server, "/a", "https://[2001:db8::2]/b"));
}

TEST(Ipv6, ReadsWhatRfc4291Writes) {
  const auto loopback = parse_ipv6("::1");
  ASSERT_TRUE(loopback);
  EXPECT_EQ((*loopback)[15], 1);
  EXPECT_EQ(parse_ipv6("0:0:0:0:0:0:0:1"), loopback);
  EXPECT_EQ(parse_ipv6("::"), (std::array<uint8_t, 16>{}));
  EXPECT_EQ(parse_ipv6("::ffff:1.2.3.4"), parse_ipv6("::FFFF:102:304"));
  EXPECT_EQ(parse_ipv6("1:2:3:4:5:6:7::"), parse_ipv6("1:2:3:4:5:6:7:0"));
  EXPECT_TRUE(parse_ipv6("1:2:3:4:5:6:1.2.3.4"));
  for (const char* bad :
       {"", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:", "::g", "::12345", "1.2.3.4::", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "::1%eth0", "[::1]"}) {
    EXPECT_FALSE(parse_ipv6(bad)) << bad;
  }
}

}  // namespace
}  // namespace wvds::est
