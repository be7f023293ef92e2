#include "protocol/metrics_messages.h"

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

constexpr uint8_t kFirstOwnStatus = 0x80;  // from here on they are the client library's and never travel

void read_state(Reader& reader, MetricsAnswer& answer) {
  answer.epoch = reader.u64();
  answer.uptime_ms = reader.u64();
  answer.fips_mode = static_cast<FipsMode>(reader.u8());
  answer.fips_state = static_cast<FipsState>(reader.u8());
}

// for_each_count visits the counts between the state and the lists in the order of the wire. One list for both
// directions.
template <class Answer, class Visit>
void for_each_count(Answer& answer, Visit visit) {
  visit(answer.sessions);
  visit(answer.session_limit);
  visit(answer.warnings);
  visit(answer.sessions_opened);
  visit(answer.refused_strangers);
  visit(answer.refused_service_limit);
  visit(answer.refused_client_limit);
  visit(answer.refused_not_ready);
  visit(answer.wasted_wakeups);
  visit(answer.rate_limited);
  visit(answer.locked_bytes);
  visit(answer.locked_bytes_limit);
  visit(answer.window_bytes);
  visit(answer.window_bytes_limit);
  visit(answer.session_keys);
  visit(answer.volatile_keys);
  visit(answer.persistent_keys);
  visit(answer.damaged_keys);
  for (auto& level : answer.use_levels) visit(level);
  visit(answer.reservations_fail);
  visit(answer.reloads);
  visit(answer.failed_reloads);
  visit(answer.audit_entry);
  visit(answer.audit_lost);
}

Result<OperationMetrics> read_operation(Reader& reader) {
  OperationMetrics operation;
  operation.type = reader.u8();
  const size_t status_count = reader.u8();
  for (size_t i = 0; i < status_count; ++i) {
    StatusCount count;
    const uint8_t status = reader.u8();
    count.status = static_cast<Status>(status);
    count.requests = reader.u64();
    const bool in_order = i == 0 || operation.statuses.back().status < count.status;
    WVDS_TRY(require(in_order && status < kFirstOwnStatus && count.requests != 0,
                     "counts of statuses are empty or out of order"));
    operation.statuses.push_back(count);
  }
  operation.latency_sum_ns = reader.u64();
  for (uint64_t& bucket : operation.latencies) bucket = reader.u64();
  return operation;
}

Result<> read_operations(Reader& reader, size_t count, MetricsAnswer& answer) {
  WVDS_TRY(require(count <= kMaxMetricsOperations, "too many operations"));
  for (size_t i = 0; i < count; ++i) {
    WVDS_ASSIGN(operation, read_operation(reader));
    WVDS_TRY(require(i == 0 || answer.operations.back().type < operation.type, "operations are out of order"));
    answer.operations.push_back(std::move(operation));
  }
  return {};
}

Result<> read_most_used_keys(Reader& reader, size_t count, MetricsAnswer& answer) {
  WVDS_TRY(require(count <= kMaxMostUsedKeys, "too many keys"));
  for (size_t i = 0; i < count; ++i) {
    MostUsedKey key;
    key.key_id = reader.u32();
    key.version = reader.u32();
    key.uses = reader.u64();
    key.use_limit = reader.u64();
    WVDS_TRY(require(key.use_limit != 0, "a key without a limit of uses"));
    answer.most_used_keys.push_back(key);
  }
  return {};
}

void write_operation(Writer& writer, const OperationMetrics& operation) {
  writer.u8(operation.type);
  writer.u8(static_cast<uint8_t>(operation.statuses.size()));
  for (const StatusCount& count : operation.statuses) {
    writer.u8(static_cast<uint8_t>(count.status));
    writer.u64(count.requests);
  }
  writer.u64(operation.latency_sum_ns);
  for (const uint64_t bucket : operation.latencies) writer.u64(bucket);
}

}  // namespace

Result<MetricsAnswer> MetricsAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  MetricsAnswer answer;
  read_state(reader, answer);
  const uint8_t locked = reader.u8();
  answer.locked_memory = locked == 1;
  answer.place = reader.u8();
  for_each_count(answer, [&]<class Number>(Number& number) {
    if constexpr (sizeof number == sizeof(uint32_t)) {
      number = reader.u32();
    } else {
      number = reader.u64();
    }
  });
  reader.copy(answer.audit_hash);
  const size_t operation_count = reader.u16();
  const size_t key_count = reader.u16();
  WVDS_TRY(read_operations(reader, operation_count, answer));
  WVDS_TRY(read_most_used_keys(reader, key_count, answer));
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(answer.fips_mode <= FipsMode::kRequired, "unknown FIPS mode"));
  WVDS_TRY(require(answer.fips_state <= FipsState::kUnavailable, "unknown FIPS state"));
  WVDS_TRY(require(locked <= 1 && answer.reservations_fail <= 1, "a truth value is neither 0 nor 1"));
  return answer;
}

Result<size_t> MetricsAnswer::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(operations.size() <= kMaxMetricsOperations && most_used_keys.size() <= kMaxMostUsedKeys,
                            "lists are too long"));
  Writer writer(out);
  writer.u64(epoch);
  writer.u64(uptime_ms);
  writer.u8(static_cast<uint8_t>(fips_mode));
  writer.u8(static_cast<uint8_t>(fips_state));
  writer.u8(locked_memory ? 1 : 0);
  writer.u8(place);
  for_each_count(*this, [&]<class Number>(const Number& number) {
    if constexpr (sizeof number == sizeof(uint32_t)) {
      writer.u32(number);
    } else {
      writer.u64(number);
    }
  });
  writer.bytes(audit_hash);
  writer.u16(static_cast<uint16_t>(operations.size()));
  writer.u16(static_cast<uint16_t>(most_used_keys.size()));
  for (const OperationMetrics& operation : operations) write_operation(writer, operation);
  for (const MostUsedKey& key : most_used_keys) {
    writer.u32(key.key_id);
    writer.u32(key.version);
    writer.u64(key.uses);
    writer.u64(key.use_limit);
  }
  return writer.finish();
}

}  // namespace wvds::protocol
