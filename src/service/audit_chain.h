#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/library.h"
#include "keystore/audit_head.h"

// The hash chain of the audit log, as docs/audit-log.md has it: each line is a hash, a space and a JSON object; the
// hash is SHA-256 over the former line's hash in hex and the object's text.
namespace wvds::service {

using keystore::AuditHead;

inline constexpr size_t kMaxAuditLine = 4096;  // bytes, with hash and line end

// hash_text is a hash as 64 hex digits.
std::string hash_text(const AuditHead& head);

// chain_line gives the line of an entry with its line end, and moves `head` on to it. `body` is the JSON object, whose
// member "n" is head.number + 1. kCryptoError without SHA-256; `head` is unchanged then.
Result<std::string> chain_line(const crypto::Library& library, AuditHead& head, std::string_view body);

// ChainReader follows a chain line by line. A file's first entry names the hash before it in its member "previous", so
// that a file can be checked by itself.
class ChainReader {
 public:
  explicit ChainReader(const crypto::Library& library) : library_(library) {}

  // follow_from demands that the chain goes on from `head`; without it the first line's own word is taken.
  void follow_from(const AuditHead& head) { head_ = head; }

  // take checks the next line, without its line end. kStorageError with what is wrong: changed, out of order, no line
  // of this log. A line that breaks the chain is not taken; nothing after it can be.
  Result<> take(std::string_view line);

  // begin_file says that the next line is a file's first. Unless follow_from was called it must say what it follows.
  void begin_file() { at_file_begin_ = true; }

  // head is the last entry taken, or what the chain is known to go on from; start is what the first line followed.
  const std::optional<AuditHead>& head() const { return head_; }
  const std::optional<AuditHead>& start() const { return start_; }

 private:
  Result<> check_hash(std::string_view line, const AuditHead& before) const;

  const crypto::Library& library_;
  std::optional<AuditHead> head_;
  std::optional<AuditHead> start_;
  bool at_file_begin_ = true;
};

}  // namespace wvds::service
