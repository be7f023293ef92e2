#include "protocol/est_messages.h"

#include <utility>

#include "protocol/fields.h"

namespace wvds::protocol {
namespace {

Result<> require_text(std::string_view text, size_t most) {
  return require(text.size() <= most && is_text(text), "text is too long, or has control characters");
}

// A failure's head is there in any case; without a failure all of it is 0.
void write_failure(Writer& writer, const std::optional<EstFailure>& failure) {
  const EstFailure out = failure.value_or(EstFailure{});
  const std::string name = cut_text(out.name, kMaxEstFailureSize);
  const std::string detail = cut_text(out.detail, kMaxEstDetailSize);
  const std::string advice = cut_text(out.advice, kMaxEstAdviceSize);
  writer.u64(out.at);
  writer.u16(static_cast<uint16_t>(name.size()));
  writer.u16(static_cast<uint16_t>(detail.size()));
  writer.u16(static_cast<uint16_t>(advice.size()));
  writer.u16(0);
  writer.text(name);
  writer.text(detail);
  writer.text(advice);
}

Result<std::optional<EstFailure>> read_failure(Reader& reader) {
  EstFailure failure;
  failure.at = reader.u64();
  const size_t name_length = reader.u16();
  const size_t detail_length = reader.u16();
  const size_t advice_length = reader.u16();
  WVDS_TRY(require_zero(reader.u16()));
  failure.name = reader.text(name_length);
  failure.detail = reader.text(detail_length);
  failure.advice = reader.text(advice_length);
  WVDS_TRY(require(!reader.failed(), "failure is cut short"));
  WVDS_TRY(require_text(failure.name, kMaxEstFailureSize));
  WVDS_TRY(require_text(failure.detail, kMaxEstDetailSize));
  WVDS_TRY(require_text(failure.advice, kMaxEstAdviceSize));
  if (!failure.name.empty()) return std::optional(std::move(failure));
  WVDS_TRY(require(failure == EstFailure{}, "failure without a name"));
  return std::optional<EstFailure>{};
}

void write_certificate(Writer& writer, const EstCertificateState& state) {
  const std::string name = cut_text(state.name, kMaxEstNameSize);
  const std::string subject = cut_text(state.subject, kMaxEstSubjectSize);
  writer.u8(static_cast<uint8_t>(state.phase));
  writer.u8(static_cast<uint8_t>(state.key_type));
  writer.u16(0);
  writer.u32(state.key_id);
  writer.u32(state.previous_key_id);
  writer.u32(state.failures);
  writer.u64(state.not_before);
  writer.u64(state.not_after);
  writer.u64(state.renew_at);
  writer.u64(state.next_attempt);
  writer.bytes(state.fingerprint);
  writer.u16(static_cast<uint16_t>(name.size()));
  writer.u16(static_cast<uint16_t>(subject.size()));
  writer.text(name);
  writer.text(subject);
  write_failure(writer, state.failure);
}

Result<EstCertificateState> read_certificate(Reader& reader) {
  EstCertificateState state;
  state.phase = static_cast<EstPhase>(reader.u8());
  state.key_type = static_cast<Algorithm>(reader.u8());
  WVDS_TRY(require_zero(reader.u16()));
  state.key_id = reader.u32();
  state.previous_key_id = reader.u32();
  state.failures = reader.u32();
  state.not_before = reader.u64();
  state.not_after = reader.u64();
  state.renew_at = reader.u64();
  state.next_attempt = reader.u64();
  reader.copy(state.fingerprint);
  const size_t name_length = reader.u16();
  const size_t subject_length = reader.u16();
  state.name = reader.text(name_length);
  state.subject = reader.text(subject_length);
  WVDS_TRY(require(!reader.failed() && state.phase <= EstPhase::kExpired, "certificate is cut short"));
  WVDS_TRY(require_text(state.name, kMaxEstNameSize));
  WVDS_TRY(require_text(state.subject, kMaxEstSubjectSize));
  WVDS_ASSIGN(failure, read_failure(reader));
  state.failure = std::move(failure);
  return state;
}

EstPart read_part(Reader& reader) {
  EstPart part;
  part.generation = reader.u64();
  part.offset = reader.u32();
  return part;
}

Result<> require_sound_part(const EstPart& part) {
  return require(part.offset == 0 || (part.generation != 0 && part.offset < kMaxEstPemSize),
                 "an offset without a generation, or behind every text");
}

bool has_bytes(RelayEvent event) { return event == RelayEvent::kReceived; }
bool has_bytes(RelayTask task) { return task == RelayTask::kConnect || task == RelayTask::kSend; }

Result<> require_sound_request(const EstRelayRequest& request) {
  const size_t size = request.bytes.size();
  WVDS_TRY(require(request.milliseconds <= kMaxEstWaitMs, "waits for too long"));
  WVDS_TRY(require(request.event <= RelayEvent::kFailed, "unknown event"));
  WVDS_TRY(require((request.event == RelayEvent::kNone) == (request.connection == 0), "an event of no connection"));
  if (request.event == RelayEvent::kFailed) return require(size <= kMaxRelayTextSize, "text is too long");
  if (!has_bytes(request.event)) return require(size == 0, "bytes with an event that has none");
  return require(size != 0 && size <= kMaxRelayBytes, "bytes are not 1 to 32,768");
}

Result<> require_sound_answer(const EstRelayAnswer& answer) {
  const size_t size = answer.bytes.size();
  const size_t most_bytes = answer.task == RelayTask::kConnect ? kMaxRelayHostSize : kMaxRelayBytes;
  WVDS_TRY(require(answer.task <= RelayTask::kClose, "unknown task"));
  WVDS_TRY(require((answer.task == RelayTask::kNothing) == (answer.connection == 0), "a task for no connection"));
  WVDS_TRY(require((answer.task == RelayTask::kConnect) == (answer.port != 0), "a port where none belongs"));
  WVDS_TRY(require(answer.most <= kMaxRelayBytes && (answer.task == RelayTask::kReceive) == (answer.most != 0),
                   "a count of bytes where none belongs"));
  return require(has_bytes(answer.task) ? size != 0 && size <= most_bytes : size == 0, "bytes where none belong");
}

}  // namespace

Result<EstStatusAnswer> EstStatusAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstStatusAnswer answer;
  answer.generation = reader.u64();
  answer.attempts = reader.u64();
  answer.ca_fetched_at = reader.u64();
  const uint32_t count = reader.u32();
  WVDS_TRY(require(count <= kMaxEstCertificates, "too many certificates"));
  WVDS_ASSIGN(ca_failure, read_failure(reader));
  answer.ca_failure = std::move(ca_failure);
  for (uint32_t i = 0; i < count; ++i) {
    WVDS_ASSIGN(certificate, read_certificate(reader));
    answer.certificates.push_back(std::move(certificate));
  }
  WVDS_TRY(reader.finish());
  return answer;
}

Result<size_t> EstStatusAnswer::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(certificates.size() <= kMaxEstCertificates, "too many certificates"));
  Writer writer(out);
  writer.u64(generation);
  writer.u64(attempts);
  writer.u64(ca_fetched_at);
  writer.u32(static_cast<uint32_t>(certificates.size()));
  write_failure(writer, ca_failure);
  for (const EstCertificateState& certificate : certificates) write_certificate(writer, certificate);
  return writer.finish();
}

Result<EstCertificateRequest> EstCertificateRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstCertificateRequest request;
  request.part = read_part(reader);
  request.which = static_cast<EstWhich>(reader.u8());
  const size_t name_length = reader.u8();
  WVDS_TRY(require_zero(reader.u16()));
  request.name = reader.text(name_length);
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_sound_part(request.part));
  WVDS_TRY(require(request.which <= EstWhich::kPrevious, "neither the current nor the previous certificate"));
  WVDS_TRY(require(!request.name.empty(), "name is missing"));
  WVDS_TRY(require_text(request.name, kMaxEstNameSize));
  return request;
}

Result<size_t> EstCertificateRequest::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(!name.empty() && name.size() <= kMaxEstNameSize, "name is not 1 to 32 bytes"));
  Writer writer(out);
  writer.u64(part.generation);
  writer.u32(part.offset);
  writer.u8(static_cast<uint8_t>(which));
  writer.u8(static_cast<uint8_t>(name.size()));
  writer.u16(0);
  writer.text(name);
  return writer.finish();
}

Result<EstCaCertificatesRequest> EstCaCertificatesRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstCaCertificatesRequest request;
  request.part = read_part(reader);
  WVDS_TRY(require_zero(reader.u32()));
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_sound_part(request.part));
  return request;
}

Result<size_t> EstCaCertificatesRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u64(part.generation);
  writer.u32(part.offset);
  writer.u32(0);
  return writer.finish();
}

Result<EstPartAnswer> EstPartAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstPartAnswer answer;
  answer.generation = reader.u64();
  answer.total = reader.u32();
  answer.key_id = reader.u32();
  answer.bytes = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(answer.generation != 0, "no generation"));
  WVDS_TRY(require(answer.total != 0 && answer.total <= kMaxEstPemSize, "total is not 1 to 1,048,575"));
  WVDS_TRY(require(answer.bytes.size() <= answer.total && answer.bytes.size() <= kMaxEstPartSize,
                   "more bytes than there are in all"));
  return answer;
}

Result<size_t> encode_est_part_answer(uint64_t generation, uint32_t total, uint32_t key_id, Bytes bytes,
                                      MutableBytes out) {
  Writer writer(out);
  writer.u64(generation);
  writer.u32(total);
  writer.u32(key_id);
  writer.bytes(bytes);
  return writer.finish();
}

Result<EstWaitRequest> EstWaitRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstWaitRequest request;
  request.known = reader.u64();
  request.milliseconds = reader.u32();
  WVDS_TRY(require_zero(reader.u32()));
  WVDS_TRY(reader.finish());
  WVDS_TRY(require(request.milliseconds <= kMaxEstWaitMs, "waits for too long"));
  return request;
}

Result<size_t> EstWaitRequest::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u64(known);
  writer.u32(milliseconds);
  writer.u32(0);
  return writer.finish();
}

Result<EstWaitAnswer> EstWaitAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstWaitAnswer answer{reader.u64()};
  WVDS_TRY(reader.finish());
  return answer;
}

Result<size_t> EstWaitAnswer::encode(MutableBytes out) const {
  Writer writer(out);
  writer.u64(generation);
  return writer.finish();
}

Result<EstRenewRequest> EstRenewRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstRenewRequest request;
  request.flags = reader.u8();
  const size_t name_length = reader.u8();
  WVDS_TRY(require_zero(reader.u16()));
  request.name = reader.text(name_length);
  WVDS_TRY(reader.finish());
  WVDS_TRY(require((request.flags & ~kEstRenewNow) == 0, "unknown flag"));
  WVDS_TRY(require_text(request.name, kMaxEstNameSize));
  return request;
}

Result<size_t> EstRenewRequest::encode(MutableBytes out) const {
  WVDS_TRY(require_argument(name.size() <= kMaxEstNameSize, "name is longer than 32 bytes"));
  Writer writer(out);
  writer.u8(flags);
  writer.u8(static_cast<uint8_t>(name.size()));
  writer.u16(0);
  writer.text(name);
  return writer.finish();
}

Result<EstRelayRequest> EstRelayRequest::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstRelayRequest request;
  request.milliseconds = reader.u32();
  request.event = static_cast<RelayEvent>(reader.u8());
  const uint8_t reserved = reader.u8();
  WVDS_TRY(require_zero(reader.u16() | reserved));
  request.connection = reader.u32();
  request.bytes = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_sound_request(request));
  return request;
}

Result<size_t> encode_est_relay_request(uint32_t milliseconds, RelayEvent event, uint32_t connection, Bytes bytes,
                                        MutableBytes out) {
  Writer writer(out);
  writer.u32(milliseconds);
  writer.u8(static_cast<uint8_t>(event));
  writer.zeros(3);
  writer.u32(connection);
  writer.bytes(bytes);
  return writer.finish();
}

Result<EstRelayAnswer> EstRelayAnswer::decode(UntrustedBytes payload) {
  Reader reader(payload);
  EstRelayAnswer answer;
  answer.task = static_cast<RelayTask>(reader.u8());
  WVDS_TRY(require_zero(reader.u8()));
  answer.port = reader.u16();
  answer.connection = reader.u32();
  answer.most = reader.u32();
  answer.bytes = reader.rest();
  WVDS_TRY(reader.finish());
  WVDS_TRY(require_sound_answer(answer));
  return answer;
}

Result<size_t> encode_est_relay_answer(RelayTask task, uint16_t port, uint32_t connection, uint32_t most, Bytes bytes,
                                       MutableBytes out) {
  Writer writer(out);
  writer.u8(static_cast<uint8_t>(task));
  writer.u8(0);
  writer.u16(port);
  writer.u32(connection);
  writer.u32(most);
  writer.bytes(bytes);
  return writer.finish();
}

}  // namespace wvds::protocol
