#include "protocol/service_messages.h"

#include <limits>

#include "protocol/fields.h"
#include "protocol/frame.h"

namespace wvds::protocol {
namespace {

Result<> read_texts(Reader& reader, StatusAnswer& answer) {
  answer.service_version = read_text(reader);
  answer.library_version = read_text(reader);
  answer.provider = read_text(reader);
  const size_t warning_count = reader.u16();
  for (size_t i = 0; i < warning_count && !reader.failed(); ++i) answer.warnings.push_back(read_text(reader));
  WVDS_TRY(reader.finish());
  for (const std::string* text : {&answer.service_version, &answer.library_version, &answer.provider}) {
    WVDS_TRY(require(is_text(*text), "not UTF-8 text without control characters"));
  }
  for (const std::string& warning : answer.warnings) {
    WVDS_TRY(require(is_text(warning), "warning is not UTF-8 text without control characters"));
  }
  return {};
}

Result<> write_texts(Writer& writer, const StatusAnswer& answer) {
  WVDS_TRY(write_text(writer, printable(answer.service_version)));
  WVDS_TRY(write_text(writer, printable(answer.library_version)));
  WVDS_TRY(write_text(writer, printable(answer.provider)));
  WVDS_TRY(require_argument(answer.warnings.size() <= std::numeric_limits<uint16_t>::max(), "too many warnings"));
  writer.u16(static_cast<uint16_t>(answer.warnings.size()));
  for (const std::string& warning : answer.warnings) WVDS_TRY(write_text(writer, printable(warning)));
  return {};
}

}  // namespace

Result<RandomRequest> RandomRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  RandomRequest request;
  request.length = reader.u32();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(request.length != 0 && request.length <= kMaxRequestPayload, "length is not 1 to 65,536"));
  return request;
}

Result<size_t> RandomRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u32(length);
  return writer.finish();
}

Result<> decode_empty_request(UntrustedBytes payload) { return require(payload.empty(), "payload is not empty"); }

Result<StatusAnswer> StatusAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  StatusAnswer answer;
  answer.fips_mode = static_cast<FipsMode>(reader.u8());
  answer.fips_state = static_cast<FipsState>(reader.u8());
  const uint8_t locked = reader.u8();
  answer.locked_memory = locked == 1;
  answer.place = reader.u8();
  answer.epoch = reader.u64();
  answer.uptime_ms = reader.u64();
  answer.sessions = reader.u32();
  answer.session_limit = reader.u32();
  answer.persistent_keys = reader.u32();
  answer.memory_keys = reader.u32();
  WVDS_TRY(read_texts(reader, answer));
  WVDS_TRY(require(answer.fips_mode <= FipsMode::kRequired, "unknown FIPS mode"));
  WVDS_TRY(require(answer.fips_state <= FipsState::kUnavailable, "unknown FIPS state"));
  WVDS_TRY(require(locked <= 1, "locked memory is neither 0 nor 1"));
  return answer;
}

Result<size_t> StatusAnswer::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u8(static_cast<uint8_t>(fips_mode));
  writer.u8(static_cast<uint8_t>(fips_state));
  writer.u8(locked_memory ? 1 : 0);
  writer.u8(place);
  writer.u64(epoch);
  writer.u64(uptime_ms);
  writer.u32(sessions);
  writer.u32(session_limit);
  writer.u32(persistent_keys);
  writer.u32(memory_keys);
  WVDS_TRY(write_texts(writer, *this));
  return writer.finish();
}

}  // namespace wvds::protocol
