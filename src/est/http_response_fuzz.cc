// Fuzzes HttpResponseParser. The first byte says in which pieces the input comes. Properties: pieces of any size and
// the whole at once give the same answer; nothing exceeds the limits; what judge_response makes of it is printable.

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <span>

#include "est/http.h"
#include "est/response.h"

namespace wvds::est {
namespace {

constexpr size_t kBodyLimit = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(const std::string& text) {
  for (const char c : text) require(c >= ' ' && c <= '~');
}

std::optional<HttpResponse> read(Bytes input, size_t piece, bool& failed) {
  HttpResponseParser parser(kBodyLimit);
  for (; !input.empty(); input = input.subspan(std::min(piece, input.size()))) {
    const auto pushed = parser.push(input.first(std::min(piece, input.size())));
    if (!pushed) check_text(pushed.error().detail);
    failed = !pushed;
    if (failed) return std::nullopt;
  }
  failed = !parser.complete() && !parser.finish();
  if (failed) return std::nullopt;
  return parser.take();
}

void check_limits(const HttpResponse& response) {
  size_t header = 0;
  for (const HttpField& field : response.fields) header += field.name.size() + field.value.size();
  require(response.fields.size() <= kMaxHttpFields && header <= kMaxHttpHeader && response.body.size() <= kBodyLimit);
  require(response.status >= 200 && response.status <= 999);
}

void judge(const HttpResponse& response) {
  static const ServerUrl server{"ca.example", false, 443, ""};
  for (int operation = 0; operation <= static_cast<int>(Operation::kRenewalInfo); ++operation) {
    const auto judged = judge_response({server, static_cast<Operation>(operation), "/.well-known/est/x"}, response, 0);
    if (!judged) check_text(judged.error().detail);
  }
}

void check(Bytes input, size_t piece) {
  bool whole_failed = false;
  bool pieces_failed = false;
  const auto whole = read(input, input.size(), whole_failed);
  const auto pieces = read(input, piece, pieces_failed);
  require(whole_failed == pieces_failed);
  if (!whole) return;
  check_limits(*whole);
  require(whole->status == pieces->status && whole->body == pieces->body &&
          whole->fields.size() == pieces->fields.size());
  require(whole->reusable == pieces->reusable);
  judge(*whole);
}

}  // namespace
}  // namespace wvds::est

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  wvds::est::check(std::as_bytes(std::span(data + 1, size - 1)), data[0] == 0 ? 1 : data[0]);
  return 0;
}
