#include <cstdlib>

#include "keystore/hsm/helper_messages.h"
#include "keystore/hsm/helper_server.h"

// Functions: Message::decode, of both directions, and HelperServer::answer before a module is loaded. Property: what is
// accepted is encoded to the same bytes again, and every request is answered by a message that can be decoded.
using namespace wvds;
using namespace wvds::keystore::hsm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  if (const auto message = Message::decode(input)) {
    const WipedBytes again = message->encode();
    if (again.size() != size || std::memcmp(again.expose().data(), data, size) != 0) std::abort();
    for (size_t i = 0; i <= message->fields.size(); ++i) {
      (void)message->number(i);
      (void)message->text(i, 64);
    }
  }
  static HelperServer server([](const std::string&) -> Result<Module> { return fail(Status::kStorageError, "none"); });
  if (!Message::decode(server.answer(input).expose())) std::abort();
  return 0;
}
