#include "service/request_context.h"

namespace wvds::service {

namespace {

keystore::Purpose purpose_of(Usage usage) {
  const bool protects = usage == Usage::kEncrypt || usage == Usage::kEncapsulate;
  return protects ? keystore::Purpose::kProtect : keystore::Purpose::kProcess;
}

}  // namespace

Result<CachedKey*> key_of_type(RequestContext& context, uint32_t id, bool (*fits)(Algorithm)) {
  context.key_id = id;
  WVDS_ASSIGN(key, context.keys.find(id));
  if (!fits(key->key().spec().algorithm)) return fail(Status::kWrongKeyType);
  return key;
}

Result<CachedKey*> usable_key(RequestContext& context, uint32_t id, bool (*fits)(Algorithm), Usage usage) {
  WVDS_ASSIGN(key, key_of_type(context, id, fits));
  if (!allows(key->usages(), usage)) return fail(Status::kWrongKeyUsage);
  WVDS_TRY(key->key().check_dates(purpose_of(usage)));
  return key;
}

Result<size_t> write_answer(MutableBytes answer, std::initializer_list<Bytes> parts) {
  Writer writer(answer);
  for (const Bytes part : parts) writer.bytes(part);
  return writer.finish();
}

}  // namespace wvds::service
