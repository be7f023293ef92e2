// Fuzzes what is read of an audit log: the reader of the chain, and the log that goes on where a former one ended. The
// input's first byte chooses what the store remembers of the log, the second where a byte is changed; the rest is the
// file before the current one and the current one, with an empty line between them. Properties: opening never fails and
// an entry can be written afterwards; what is then in the current file is a whole chain; what the reader takes has the
// number and the hash that it says; of a chain with one changed bit it takes no line from the changed one on.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "service/audit_log.h"
#include "service/testing/memory_audit.h"
#include "service/testing/service_harness.h"

namespace wvds::service {
namespace {

constexpr size_t kHashDigits = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

const crypto::Library& library() { return testing::Harness::library(); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    lines.push_back(text.substr(0, end));
  }
  return lines;
}

// taken counts the lines that the reader takes, and leaves what it took the last one for in `head`.
size_t taken(const std::vector<std::string_view>& lines, AuditHead& head) {
  ChainReader reader(library());
  size_t count = 0;
  for (const std::string_view line : lines) {
    const uint64_t before = reader.head() ? reader.head()->number : 0;
    if (!reader.take(line)) break;
    require(reader.head()->number == before + 1 || count == 0);
    require(hash_text(*reader.head()) == line.substr(0, kHashDigits));
    head = *reader.head();
    ++count;
  }
  return count;
}

// check_a_change takes a file that is a chain and changes one bit in one line of it.
void check_a_change(const std::string& text, uint8_t where) {
  std::string changed = text;
  const auto before = lines_of(text);
  const size_t at = where * text.size() / 256;
  if (text[at] == '\n') return;
  changed[at] = static_cast<char>(changed[at] ^ 1);
  if (changed[at] == '\n') return;
  const auto number = static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'));
  AuditHead head;
  require(taken(lines_of(changed), head) <= number || number >= before.size());
}

// remembered is the head that the store has: none, any, or the one that a line of the files had.
AuditHead remembered(uint8_t choice, std::string_view text) {
  AuditHead head;
  if (choice % 4 == 0) return head;
  const auto lines = lines_of(text);
  std::ranges::fill(head.hash, std::byte{choice});
  head.number = choice / 4;
  if (choice % 4 == 1 || lines.empty()) return head;
  taken({lines.begin(), lines.begin() + 1 + choice / 4 % lines.size()}, head);
  return head;
}

void reopen(testing::MemoryAudit& medium, const AuditHead& known) {
  const auto log = AuditLog::open({.medium = medium, .library = library()}, known);
  log->add({.event = "key-delete", .detail = "text"});
  require(log->ready().has_value() && log->state().lost == 0);
  AuditHead last;
  const auto lines = lines_of(medium.current);
  require(!lines.empty() && taken(lines, last) == lines.size());
  require(last == log->state().head);
}

}  // namespace
}  // namespace wvds::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::service;
  if (size < 2) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t border = text.find("\n\n");
  testing::MemoryAudit medium;
  medium.current = border == std::string::npos ? text : text.substr(border + 2);
  if (border != std::string::npos) medium.former.push_back(text.substr(0, border + 1));
  reopen(medium, remembered(data[0], text));
  check_a_change(medium.current, data[1]);
  return 0;
}
