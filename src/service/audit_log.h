#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "platform/clock.h"
#include "service/audit_chain.h"

// The audit log: every management operation, denial and failure, in a chain of hashes. docs/audit-log.md is its format.
namespace wvds::service {

// AuditMedium is where the lines rest. One call at a time; errors are kStorageError and name file and cause.
class AuditMedium {
 public:
  virtual ~AuditMedium() = default;

  // remembers tells whether what was appended can be read again. Where it can't, reading gives nothing.
  virtual bool remembers() const = 0;

  // read_current is the file that lines are appended to, empty where there is none; read_former the one before it.
  virtual Result<std::string> read_current() = 0;
  virtual Result<std::string> read_former() = 0;

  // append adds a whole line or, on failure, nothing; with `durable` it returns when the line is on the disk.
  virtual Result<> append(std::string_view line, bool durable) = 0;

  // cut shortens the current file to `size` bytes. close_current gives it another name, which says `first`, the number
  // of the entry it begins with or, `damaged`, of the one that is next; the next append makes a new file.
  virtual Result<> cut(uint64_t size) = 0;
  virtual Result<> close_current(uint64_t number, bool damaged) = 0;
};

// AuditEvent is what happened: no payload, no secret. Texts may be a client's.
struct AuditEvent {
  std::string_view event;  // the operation as config.json names it, or what else happened
  Status status = Status::kSuccess;
  std::string_view principal = {};
  uint64_t session = 0;  // 0: none
  uint32_t key_id = 0;   // 0: none
  std::string_view detail = {};
  uint32_t left_out = 0;  // failures of this principal that had no entry of their own
  bool durable = false;   // on the disk before add returns
};

// AuditState is how the log is.
struct AuditState {
  AuditHead head;
  uint64_t lost = 0;  // entries that could not be written since the start
};

// AuditLog writes the chain. Thread-safe; a call blocks as long as the medium does.
class AuditLog {
 public:
  struct Parts {
    AuditMedium& medium;
    const crypto::Library& library;
    uint64_t max_bytes = 16u << 20;                        // of a file
    std::function<void(const AuditHead&)> keep_head = {};  // makes the head durable within seconds
    std::function<platform::TimePoint()> now = platform::monotonic_now;
  };

  // open goes on where the log ended. `known` is the last head that was kept. A log that does not lead up to it was
  // changed or cut: what is there is set aside, not written over, a new file says so, and warnings() too. Never fails:
  // a medium that can't be used, or not be read, is told by ready() and warnings(), and left as it is.
  static std::unique_ptr<AuditLog> open(Parts parts, const AuditHead& known);

  // add writes an entry. Where it can't, the entry is counted as lost, and the next one that is written says how many
  // were.
  void add(const AuditEvent& event);

  // ready is an error while entries can't be written; it tries again where the last one failed. What is to have an
  // entry must not happen then.
  Result<> ready();

  AuditState state() const;
  std::vector<std::string> warnings() const;

 private:
  explicit AuditLog(Parts parts) : parts_(std::move(parts)) {}

  Result<> recover();
  Result<std::string> follow(const AuditHead& known);
  Result<> follow_file(std::string_view text, const AuditHead& known, ChainReader& reader, bool& met) const;
  Result<> set_aside(const std::string& why);
  Result<> write(const AuditEvent& event);
  Result<> begin_file(const AuditEvent& why);
  Result<> append(const AuditEvent& event, bool begins_file);
  Result<> catch_up();
  void note(Result<> written);
  void failed(const std::string& why);
  void keep(bool at_once);

  const Parts parts_;
  mutable std::mutex mutex_;
  bool is_recovered_ = false;
  AuditHead head_;
  uint64_t file_bytes_ = 0;  // 0: the next entry begins a file
  uint64_t first_of_file_ = 0;
  uint64_t lost_ = 0;
  uint64_t untold_ = 0;  // of the lost ones
  std::string failure_;  // why entries can't be written; empty while they can
  std::string damage_;   // found at the start
  platform::TimePoint kept_{};
};

}  // namespace wvds::service
