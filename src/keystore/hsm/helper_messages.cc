#include "keystore/hsm/helper_messages.h"

namespace wvds::keystore::hsm {
namespace {

std::unexpected<Error> malformed(const char* why) { return fail(Status::kInvalidPayload, why); }

}  // namespace

Result<Bytes> Message::bytes(size_t field, size_t least, size_t most) const {
  if (field >= fields.size()) return malformed("a field is missing");
  const Bytes value = fields[field].expose();
  if (value.size() < least || value.size() > most) return malformed("a field of the wrong size");
  return value;
}

Result<std::string> Message::text(size_t field, size_t most) const {
  WVDS_ASSIGN(value, bytes(field, 0, most));
  return std::string(reinterpret_cast<const char*>(value.data()), value.size());
}

Result<uint64_t> Message::number(size_t field) const {
  WVDS_ASSIGN(value, bytes(field, sizeof(uint64_t), sizeof(uint64_t)));
  return Reader(value).u64();
}

void Message::add_number(uint64_t number) { fields.emplace_back(std::as_bytes(std::span(&number, 1))); }

Result<Message> Message::decode(Bytes packet) {
  if (packet.size() > kMaxHelperMessage) return malformed("a message that is too long");
  Reader reader(packet);
  Message out;
  out.kind = reader.u8();
  const uint8_t count = reader.u8();
  if (count > kMaxHelperFields) return malformed("a message with too many fields");
  for (uint8_t i = 0; i < count; ++i) {
    const UntrustedBytes value = reader.bytes(reader.u32());
    if (reader.failed()) return malformed("a message that is too short");
    out.fields.emplace_back(value.size());
    value.copy_to(out.fields.back().expose_for_writing());
  }
  if (!reader.finish()) return malformed("a message that is longer than its fields");
  return out;
}

WipedBytes Message::encode() const {
  size_t size = 2;
  for (const WipedBytes& field : fields) size += sizeof(uint32_t) + field.size();
  WipedBytes out(size);
  Writer writer(out.expose_for_writing());
  writer.u8(kind);
  writer.u8(static_cast<uint8_t>(fields.size()));
  for (const WipedBytes& field : fields) {
    writer.u32(static_cast<uint32_t>(field.size()));
    writer.bytes(field.expose());
  }
  return out;
}

}  // namespace wvds::keystore::hsm
