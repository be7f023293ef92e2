#include "est/http.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

std::string request_text(const HttpRequest& request) {
  const auto bytes = request_bytes(request);
  return bytes ? to_text(*bytes) : "failure: " + bytes.error().detail;
}

TEST(HttpRequest, GetHasNoBody) {
  HttpRequest request;
  request.authority = "ca.example:8443";
  request.target = "/.well-known/est/cacerts";
  request.accept = "application/pkcs7-mime";
  EXPECT_EQ(request_text(request),
            "GET /.well-known/est/cacerts HTTP/1.1\r\nHost: ca.example:8443\r\nUser-Agent: WvdS-est_service\r\n"
            "Accept: application/pkcs7-mime\r\nConnection: keep-alive\r\n\r\n");
}

TEST(HttpRequest, PostCarriesTheBodyAsItIs) {
  const std::string_view authorization = "Basic dTpw";
  HttpRequest request;
  request.method = Method::kPost;
  request.authority = "[::1]";
  request.target = "/.well-known/est/simpleenroll";
  request.accept = "application/pkcs7-mime";
  request.content_type = "application/pkcs10";
  request.body = as_bytes("Zm9v");
  request.authorization = as_bytes(authorization);
  request.close = true;
  EXPECT_EQ(request_text(request),
            "POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: [::1]\r\nUser-Agent: WvdS-est_service\r\n"
            "Accept: application/pkcs7-mime\r\nAuthorization: Basic dTpw\r\nContent-Type: application/pkcs10\r\n"
            "Content-Transfer-Encoding: base64\r\nContent-Length: 4\r\nConnection: close\r\n\r\nZm9v");
}

TEST(HttpRequest, LetsNothingEndItsLine) {
  const HttpRequest good{.authority = "h", .target = "/x"};
  ASSERT_TRUE(request_bytes(good));
  HttpRequest bad = good;
  bad.target = "/x HTTP/1.1\r\nEvil: y";
  EXPECT_TRUE(fails_as(request_bytes(bad), FailureKind::kConfiguration));
  bad.target = "x";
  EXPECT_TRUE(fails_as(request_bytes(bad), FailureKind::kConfiguration));
  bad = good;
  bad.authority = "h\r\nEvil: y";
  EXPECT_TRUE(fails_as(request_bytes(bad), FailureKind::kConfiguration));
  bad.authority = "";
  EXPECT_TRUE(fails_as(request_bytes(bad), FailureKind::kConfiguration));
  bad = good;
  bad.authorization = as_bytes("Basic x\ny");
  EXPECT_TRUE(fails_as(request_bytes(bad), FailureKind::kConfiguration));
}

// read_all pushes in pieces of `piece` bytes, then ends the stream if need be.
Outcome<HttpResponse> read_all(std::string_view text, size_t piece, size_t body_limit = 1000) {
  HttpResponseParser parser(body_limit);
  while (!text.empty()) {
    const auto pushed = parser.push(as_bytes(text.substr(0, piece)));
    if (!pushed) return std::unexpected(pushed.error());
    EXPECT_EQ(*pushed, parser.complete());
    text.remove_prefix(std::min(piece, text.size()));
  }
  if (!parser.complete()) {
    if (auto finished = parser.finish(); !finished) return std::unexpected(finished.error());
  }
  EXPECT_TRUE(parser.complete());
  return parser.take();
}

constexpr size_t kPieces[] = {1, 2, 3, 7, 100, 12000, 100000};

TEST(HttpResponse, IsTheSameInPiecesOfAnySize) {
  for (const size_t piece : kPieces) {
    const auto response = read_all(
        "HTTP/1.1 200 OK\r\nContent-Type: application/pkcs7-mime\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: "
        "6\r\n\r\nZm9v\r\n",
        piece);
    ASSERT_TRUE(response) << detail_of(response);
    EXPECT_EQ(response->status, 200u);
    EXPECT_EQ(response->version, 11u);
    EXPECT_EQ(response->reason, "OK");
    EXPECT_EQ(*response->field("content-type"), "application/pkcs7-mime");
    EXPECT_EQ(response->field("x-b"), nullptr);
    EXPECT_EQ(response->field_values("x-a"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(to_text(response->body), "Zm9v\r\n");
    EXPECT_TRUE(response->reusable);
  }
}

TEST(HttpResponse, JoinsChunksAndDropsExtensionsAndTrailers) {
  for (const size_t piece : kPieces) {
    const auto response = read_all(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: "
        "t\r\n\r\n",
        piece);
    ASSERT_TRUE(response) << detail_of(response);
    EXPECT_EQ(to_text(response->body), "abc0123456789");
    EXPECT_EQ(response->field("trailer"), nullptr);
    EXPECT_TRUE(response->reusable);
  }
}

// Whichever bytes of the last chunk come alone: in a build with assertions Beast would end the program.
TEST(HttpResponse, MayConsistOfTheLastChunkAlone) {
  for (const size_t piece : kPieces) {
    const auto response = read_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", piece);
    ASSERT_TRUE(response) << detail_of(response);
    EXPECT_EQ(to_text(response->body), "");
    EXPECT_TRUE(response->reusable);
  }
}

// RFC 9112, section 6.3, item 8; and the Status field that libest sends.
TEST(HttpResponse, OfHttp10EndsWithTheStream) {
  for (const size_t piece : kPieces) {
    const auto response = read_all("HTTP/1.0 200 OK\r\nStatus: 200 OK\r\n\r\nZm9v", piece);
    ASSERT_TRUE(response) << detail_of(response);
    EXPECT_EQ(response->version, 10u);
    EXPECT_EQ(to_text(response->body), "Zm9v");
    EXPECT_FALSE(response->reusable);
  }
}

TEST(HttpResponse, OfHttp10WithALengthKeepsTheConnectionWhereItSaysSo) {
  EXPECT_FALSE(read_all("HTTP/1.0 401 No\r\nContent-Length: 0\r\n\r\n", 10)->reusable);
  EXPECT_TRUE(read_all("HTTP/1.0 401 No\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", 10)->reusable);
  EXPECT_TRUE(read_all("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 10)->reusable);
  EXPECT_FALSE(read_all("HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", 10)->reusable);
}

TEST(HttpResponse, KnowsWhenOnlyTheEndCanCompleteIt) {
  HttpResponseParser parser;
  EXPECT_FALSE(parser.needs_end());
  ASSERT_TRUE(parser.push(as_bytes("HTTP/1.1 200 OK\r\n\r\nabc")));
  EXPECT_TRUE(parser.needs_end());
  EXPECT_FALSE(parser.complete());
  EXPECT_EQ(parser.take().status, 0u) << "incomplete";
  ASSERT_TRUE(parser.finish());
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(to_text(parser.take().body), "abc");
}

TEST(HttpResponse, PassesInformationalAnswersOver) {
  for (const size_t piece : kPieces) {
    const auto response = read_all(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", piece);
    ASSERT_TRUE(response) << detail_of(response);
    EXPECT_EQ(response->status, 204u);
    EXPECT_EQ(response->field("link"), nullptr);
  }
  std::string endless;
  for (size_t i = 0; i <= kMaxInformational; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_TRUE(fails_as(read_all(endless, 5), FailureKind::kBadHttp, "without end"));
  EXPECT_TRUE(fails_as(read_all("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 5), FailureKind::kBadHttp, "101"));
}

TEST(HttpResponse, WithBytesBehindItEndsTheConnection) {
  for (const size_t piece : kPieces) {
    const auto response = read_all("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n", piece);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 204u);
    EXPECT_FALSE(response->reusable);
  }
}

TEST(HttpResponse, IncompleteIsALostConnection) {
  for (const char* text :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    for (const size_t piece : kPieces)
      EXPECT_TRUE(fails_as(read_all(text, piece), FailureKind::kConnectionLost)) << text;
  }
}

TEST(HttpResponse, ThatIsNotHttpIsRefused) {
  for (const char* text :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 001 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad field\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"}) {
    for (const size_t piece : kPieces) EXPECT_TRUE(fails_as(read_all(text, piece), FailureKind::kBadHttp)) << text;
  }
}

TEST(HttpResponse, OfAnotherProtocolIsKnownByItsFirstBytes) {
  HttpResponseParser parser;
  EXPECT_TRUE(fails_as(parser.push(as_bytes("SSH-2.0-x")), FailureKind::kBadHttp, "it begins \"SSH-2.0-x\""));
  HttpResponseParser slow;
  EXPECT_TRUE(slow.push(as_bytes("HT")));
  EXPECT_TRUE(fails_as(slow.push(as_bytes("TP/2.")), FailureKind::kBadHttp));
}

TEST(HttpResponse, StaysFailed) {
  HttpResponseParser parser;
  ASSERT_FALSE(parser.push(as_bytes("nonsense\r\n\r\n")));
  EXPECT_TRUE(fails_as(parser.push(as_bytes("HTTP/1.1 204 No\r\n\r\n")), FailureKind::kBadHttp));
  EXPECT_TRUE(fails_as(parser.finish(), FailureKind::kBadHttp));
  EXPECT_FALSE(parser.complete());
}

TEST(HttpResponse, HasALimitForItsBodyHoweverItComes) {
  const std::string exact(1000, 'x');
  const std::string over(1001, 'x');
  const auto with_length = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const auto in_chunks = [](const std::string& body) {
    std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const char c : body) text += std::string("1\r\n") + c + "\r\n";
    return text + "0\r\n\r\n";
  };
  const auto until_end = [](const std::string& body) { return "HTTP/1.1 200 OK\r\n\r\n" + body; };
  for (const size_t piece : kPieces) {
    for (const auto& make : {std::function(with_length), std::function(in_chunks), std::function(until_end)}) {
      EXPECT_TRUE(read_all(make(exact), piece));
      EXPECT_TRUE(fails_as(read_all(make(over), piece), FailureKind::kTooLarge, "1000 bytes"));
    }
  }
  EXPECT_TRUE(
      fails_as(read_all("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", 7), FailureKind::kTooLarge));
  EXPECT_TRUE(fails_as(read_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", 7),
                       FailureKind::kTooLarge));
}

TEST(HttpResponse, HasALimitForItsHeaderInPiecesOfAnySize) {
  const auto with_fields = [](size_t count, size_t length) {
    std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    for (size_t i = 0; i < count; ++i) text += "X: " + std::string(length, 'x') + "\r\n";
    return text + "\r\n";
  };
  for (const size_t piece : kPieces) {
    EXPECT_TRUE(read_all(with_fields(kMaxHttpFields - 1, 10), piece));
    EXPECT_TRUE(fails_as(read_all(with_fields(kMaxHttpFields, 10), piece), FailureKind::kTooLarge, "fields"));
    EXPECT_TRUE(read_all(with_fields(15, 1000), piece));
    EXPECT_TRUE(fails_as(read_all(with_fields(17, 1000), piece), FailureKind::kTooLarge));
    EXPECT_TRUE(fails_as(read_all(with_fields(1, 20000), piece), FailureKind::kTooLarge));
    EXPECT_TRUE(
        fails_as(read_all("HTTP/1.1 200 " + std::string(20000, 'x') + "\r\n\r\n", piece), FailureKind::kTooLarge));
  }
}

TEST(HttpResponse, BoundsEndlessHeadersChunkLinesAndTrailers) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& start :
       {std::string("HTTP/1.1 200 OK\r\nX: "), chunked + "1;", chunked + "0\r\nX: ", std::string("HTTP/1.1 200 ")}) {
    HttpResponseParser parser;
    size_t pushed = 0;
    std::optional<Failure> failure;
    for (std::string piece = start; !failure && pushed < 10 * kMaxHttpHeader; piece = std::string(100, 'x')) {
      const auto done = parser.push(as_bytes(piece));
      if (!done) failure = done.error();
      pushed += piece.size();
    }
    ASSERT_TRUE(failure) << start;
    EXPECT_TRUE(failure->kind == FailureKind::kTooLarge || failure->kind == FailureKind::kBadHttp);
    EXPECT_LT(pushed, 2 * kMaxHttpHeader) << start;
  }
  std::string many = chunked + "0\r\n";
  for (size_t i = 0; i < 200; ++i) many += "X: y\r\n";
  EXPECT_TRUE(fails_as(read_all(many + "\r\n", 50), FailureKind::kTooLarge));
}

TEST(ParseFields, ReadsHeaderLinesAlone) {
  const auto fields = parse_fields("Content-Type: application/pkcs8\r\nX-Y:\r\n");
  ASSERT_TRUE(fields) << detail_of(fields);
  ASSERT_EQ(fields->size(), 2u);
  EXPECT_EQ((*fields)[0].name, "content-type");
  EXPECT_EQ((*fields)[0].value, "application/pkcs8");
  EXPECT_EQ((*fields)[1].value, "");
  EXPECT_TRUE(parse_fields("")->empty());
  EXPECT_EQ(parse_fields("A: b")->size(), 1u);
  EXPECT_EQ(parse_fields("Content-Length: 7\r\n")->size(), 1u);
  for (const char* bad : {"no colon\r\n", "A: b\r\n\r\nC: d\r\n", "A : b\r\n", "\r\n", " A: b\r\n"}) {
    EXPECT_TRUE(fails_as(parse_fields(bad), FailureKind::kBadHttp)) << bad;
  }
}

}  // namespace
}  // namespace wvds::est
