#pragma once

#include <initializer_list>

#include "service/rights.h"
#include "service/scratch.h"
#include "service/service_state.h"

namespace wvds::service {

// RequestContext is what a handler works with: who asks, and the worker's own keys and memory.
struct RequestContext {
  ServiceState& state;
  Principal& principal;
  const keystore::SessionId session;
  KeyCache& keys;
  Scratch& scratch;
  uint32_t key_id = 0;  // of the key the request is about, for the log
};

// Handler does one operation: decodes the payload (hostile), writes the answer's payload and returns its length. On
// failure the error's status is the answer, with no payload.
using Handler = Result<size_t> (*)(RequestContext& context, UntrustedBytes payload, MutableBytes answer);

// key_of_type finds a key: kKeyNotFound, kWrongKeyType when its algorithm does not fit. Notes the id for the log.
Result<CachedKey*> key_of_type(RequestContext& context, uint32_t id, bool (*fits)(Algorithm));

// usable_key finds a key for a purpose: as key_of_type, kWrongKeyUsage when neither the key nor the caller's grant is
// for it, kKeyNotValid when its dates don't allow it now.
Result<CachedKey*> usable_key(RequestContext& context, uint32_t id, bool (*fits)(Algorithm), Usage usage);

// write_answer writes the parts one after the other.
Result<size_t> write_answer(MutableBytes answer, std::initializer_list<Bytes> parts);

}  // namespace wvds::service
