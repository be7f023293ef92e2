#include "service/audit_chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/kdf.h"

namespace wvds::service {
namespace {

constexpr size_t kHashSize = 64;  // hex digits
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += kHexDigits[static_cast<uint8_t>(byte) >> 4];
    text += kHexDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

bool from_hex(std::string_view text, MutableBytes out) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t high = kHexDigits.find(text[2 * i]);
    const size_t low = kHexDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return true;
}

Result<std::array<std::byte, 32>> chained(const crypto::Library& library, const AuditHead& before,
                                          std::string_view body) {
  const std::string text = hash_text(before) + std::string(body);
  return crypto::sha256(library, as_bytes(text));
}

std::unexpected<Error> broken(std::string_view why) { return fail(Status::kStorageError, std::string(why)); }

// Entry is what the chain needs of an entry.
struct Entry {
  uint64_t number = 0;
  std::string previous;  // of a file's first entry
};

std::optional<Entry> parse_entry(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = json.find("n");
  if (number == json.end() || !number->is_number_unsigned()) return std::nullopt;
  Entry entry{.number = number->get<uint64_t>(), .previous = {}};
  const auto previous = json.find("previous");
  if (previous == json.end()) return entry;
  if (!previous->is_string()) return std::nullopt;
  entry.previous = previous->get<std::string>();
  return entry;
}

}  // namespace

std::string hash_text(const AuditHead& head) { return to_hex(head.hash); }

Result<std::string> chain_line(const crypto::Library& library, AuditHead& head, std::string_view body) {
  WVDS_ASSIGN(hash, chained(library, head, body));
  head = {head.number + 1, hash};
  return hash_text(head) + " " + std::string(body) + "\n";
}

Result<> ChainReader::check_hash(std::string_view line, const AuditHead& before) const {
  AuditHead given;
  if (!from_hex(line.substr(0, kHashSize), given.hash)) return broken("is no line of an audit log");
  WVDS_ASSIGN(hash, chained(library_, before, line.substr(kHashSize + 1)));
  if (hash != given.hash) return broken("was changed, or an entry before it was changed or removed");
  return {};
}

Result<> ChainReader::take(std::string_view line) {
  if (line.size() >= kMaxAuditLine || line.size() < kHashSize + 2 || line[kHashSize] != ' ')
    return broken("is no line of an audit log");
  const auto entry = parse_entry(line.substr(kHashSize + 1));
  if (!entry || entry->number == 0) return broken("is no line of an audit log");
  if (!head_) {
    AuditHead before{.number = entry->number - 1, .hash = {}};
    if (!at_file_begin_ || !from_hex(entry->previous, before.hash))
      return broken("does not say which entry it follows");
    head_ = before;
  }
  if (entry->number != head_->number + 1) {
    return broken("has number " + std::to_string(entry->number) + " where " + std::to_string(head_->number + 1) +
                  " is next");
  }
  if (!entry->previous.empty() && entry->previous != hash_text(*head_))
    return broken("follows another entry than the one before it");
  WVDS_TRY(check_hash(line, *head_));
  if (!start_) start_ = head_;
  AuditHead taken{.number = entry->number, .hash = {}};
  from_hex(line.substr(0, kHashSize), taken.hash);
  head_ = taken;
  at_file_begin_ = false;
  return {};
}

}  // namespace wvds::service
