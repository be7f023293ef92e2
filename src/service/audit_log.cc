#include "service/audit_log.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "platform/wall_clock.h"

namespace wvds::service {
namespace {

constexpr size_t kMaxDetail = 512;  // bytes of a detail
constexpr auto kKeepInterval = std::chrono::minutes(1);

using Json = nlohmann::ordered_json;

// body_of is an entry's JSON text. Bytes that are no UTF-8 are replaced; control characters are escaped, so that a text
// can't forge a line.
std::string body_of(const AuditEvent& event, uint64_t number, const std::string& time, const std::string& previous) {
  Json body{{"n", number}, {"time", time}, {"event", event.event}, {"outcome", status_name(event.status)}};
  if (!event.principal.empty()) body["principal"] = event.principal;
  if (event.session != 0) body["session"] = event.session;
  if (event.key_id != 0) body["key"] = event.key_id;
  if (!event.detail.empty()) body["detail"] = event.detail.substr(0, kMaxDetail);
  if (event.left_out != 0) body["left_out"] = event.left_out;
  if (!previous.empty()) body["previous"] = previous;
  return body.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// next_line takes a whole line from `text`; nothing where there is none.
std::optional<std::string_view> next_line(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::unique_ptr<AuditLog> AuditLog::open(Parts parts, const AuditHead& known) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(parts)));
  log->head_ = known;
  if (const Result<> recovered = log->recover(); !recovered) log->failed(recovered.error().detail);
  return log;
}

// recover finds the log's end, once. While it can't be read nothing is known of it, and nothing there is touched.
Result<> AuditLog::recover() {
  if (is_recovered_ || !parts_.medium.remembers()) return {};
  WVDS_ASSIGN(change, follow(AuditHead(head_)));
  if (!change.empty()) WVDS_TRY(set_aside(change));
  is_recovered_ = true;
  return {};
}

// follow reads the log's end up to its last whole line, and gives what shows that it was changed. A kept head that lies
// before the current file must be in the one before.
Result<std::string> AuditLog::follow(const AuditHead& known) {
  WVDS_ASSIGN(text, parts_.medium.read_current());
  if (text.empty()) return known.number == 0 ? std::string() : std::string("the log is not there");
  const size_t whole = text.rfind('\n') + 1;  // 0 where there is no line end
  if (whole == 0) return std::string("the log has no whole line");
  ChainReader reader(parts_.library);
  bool met = known.number == 0;
  if (const Result<> followed = follow_file(text, known, reader, met); !followed) return followed.error().detail;
  if (!met) {
    WVDS_ASSIGN(former, parts_.medium.read_former());
    ChainReader both(parts_.library);
    if (const Result<> followed = follow_file(former, known, both, met); !followed) return followed.error().detail;
    both.begin_file();
    if (const Result<> followed = follow_file(text, known, both, met); !followed) return followed.error().detail;
  }
  if (!met) return std::string("entries are missing at its end");
  if (whole != text.size()) WVDS_TRY(parts_.medium.cut(whole));  // half a line, of a power cut
  head_ = *reader.head();
  file_bytes_ = whole;
  first_of_file_ = reader.start()->number + 1;
  return std::string();
}

Result<> AuditLog::follow_file(std::string_view text, const AuditHead& known, ChainReader& reader, bool& met) const {
  while (const auto line = next_line(text)) {
    if (const Result<> taken = reader.take(*line); !taken) {
      const uint64_t number = reader.head() ? reader.head()->number + 1 : 0;
      return fail(Status::kStorageError, "entry " + std::to_string(number) + " " + taken.error().detail);
    }
    for (const AuditHead& passed : {*reader.start(), *reader.head()}) {
      if (passed.number != known.number) continue;
      if (passed.hash != known.hash)
        return fail(Status::kStorageError,
                    "entry " + std::to_string(known.number) + " is not the one that was written");
      met = true;
    }
  }
  return {};
}

Result<> AuditLog::set_aside(const std::string& why) {
  WVDS_TRY(parts_.medium.close_current(head_.number + 1, true));
  damage_ = "the audit log was changed: " + why + "; what is left of it was set aside";
  log_error("the audit log was changed", {{"cause", why}});
  note(begin_file({.event = "audit-broken", .status = Status::kStorageError, .detail = why, .durable = true}));
  return {};
}

void AuditLog::add(const AuditEvent& event) try {
  const std::lock_guard lock(mutex_);
  note(write(event));
} catch (const std::exception&) {  // no memory left
  const std::lock_guard lock(mutex_);
  note(fail(Status::kStorageError, "no memory for an entry"));
}

Result<> AuditLog::write(const AuditEvent& event) {
  WVDS_TRY(catch_up());
  if (file_bytes_ >= parts_.max_bytes) {
    WVDS_TRY(parts_.medium.close_current(first_of_file_, false));
    file_bytes_ = 0;
    keep(true);
  }
  if (file_bytes_ == 0) WVDS_TRY(begin_file({.event = "audit-begin", .durable = true}));
  return append(event, false);
}

Result<> AuditLog::begin_file(const AuditEvent& why) {
  first_of_file_ = head_.number + 1;
  return append(why, true);
}

// catch_up makes good what failed before: it finds the log's end, and tells of the entries that could not be written.
Result<> AuditLog::catch_up() {
  WVDS_TRY(recover());
  if (untold_ == 0) return {};
  const uint64_t untold = untold_;
  const std::string detail = std::to_string(untold) + " entries could not be written";
  const AuditEvent event{.event = "audit-resumed", .status = Status::kStorageError, .detail = detail, .durable = true};
  WVDS_TRY(file_bytes_ == 0 ? begin_file(event) : append(event, false));
  untold_ -= untold;
  return {};
}

Result<> AuditLog::append(const AuditEvent& event, bool begins_file) {
  AuditHead head = head_;
  const std::string time = platform::time_text(platform::wall_clock_now(), parts_.now());
  const std::string previous = begins_file ? hash_text(head) : std::string();
  WVDS_ASSIGN(line, chain_line(parts_.library, head, body_of(event, head.number + 1, time, previous)));
  WVDS_TRY(parts_.medium.append(line, event.durable));
  head_ = head;
  file_bytes_ += line.size();
  keep(event.durable);
  return {};
}

// keep hands the head on: at once for what must not be lost, and otherwise now and then, since each time costs the
// store a write.
void AuditLog::keep(bool at_once) {
  const platform::TimePoint now = parts_.now();
  if (!parts_.keep_head || (!at_once && now < kept_ + kKeepInterval)) return;
  kept_ = now;
  parts_.keep_head(head_);
}

void AuditLog::note(Result<> written) {
  if (written) {
    if (!failure_.empty()) log_info("the audit log is written again");
    return failure_.clear();
  }
  ++lost_;
  ++untold_;
  failed(written.error().detail);
}

void AuditLog::failed(const std::string& why) {
  if (failure_ != why) log_error("the audit log can't be written", {{"cause", why}});
  failure_ = why;
}

Result<> AuditLog::ready() {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) return {};
  if (const Result<> caught = catch_up(); !caught)
    return fail(Status::kStorageError, "the audit log can't be written: " + caught.error().detail);
  failure_.clear();
  log_info("the audit log is written again");
  return {};
}

AuditState AuditLog::state() const {
  const std::lock_guard lock(mutex_);
  return {head_, lost_};
}

std::vector<std::string> AuditLog::warnings() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  if (!damage_.empty()) out.push_back(damage_);
  if (!failure_.empty()) out.push_back("the audit log can't be written, so that nothing can be managed: " + failure_);
  return out;
}

}  // namespace wvds::service
