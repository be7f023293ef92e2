// Drives the whole request handler, in process: frame, op table, rights, rate limit, decoders, handlers, key store,
// cryptography. The input is a script: a byte that says which of three sessions asks, a u16 length, and that many bytes
// of a request area; again and again. Properties: every request gets an answer that a client can decode, with a status
// that travels; no input ends the service; after each script another session still gets a PING through.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "service/testing/secure_heap_root.h"
#include "service/testing/service_harness.h"

namespace {

using wvds::Bytes;
using wvds::Status;
using wvds::service::testing::Answer;
using wvds::service::testing::Harness;
using wvds::service::testing::TestSession;

constexpr size_t kMaxRequests = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

struct World {
  Harness harness;
  TestSession sessions[3] = {harness.open(1), harness.open(2), harness.open(3)};
  TestSession bystander = harness.open(2);

  // A key of each kind, with small ids that a script can name.
  World() {
    for (const auto algorithm : {wvds::Algorithm::kAes256Gcm, wvds::Algorithm::kMlDsa44, wvds::Algorithm::kMlKem512,
                                 wvds::Algorithm::kEcdsaP256}) {
      sessions[0].generate(algorithm);
      sessions[1].generate(algorithm);
    }
  }
};

void run_request(World& world, wvds::Reader& script) {
  TestSession& session = world.sessions[script.u8() % 3];
  const size_t length = std::min<size_t>(script.u16(), script.left());
  const Answer answer = session.send(script.bytes(length).in_place());
  require(answer.status <= wvds::kLastServiceStatus);
  require(answer.status == Status::kSuccess || answer.payload.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Harness::library();  // made before the world, so that it is there until the world's threads have ended, at exit too
  static std::unique_ptr<World> world;
  static size_t scripts = 0;
  if (scripts++ % 1000 == 0) {  // from time to time a new one: keys of former scripts would pile up
    world.reset();
    world = std::make_unique<World>();
    wvds::service::testing::show_secure_heap();
  }
  wvds::Reader script(std::as_bytes(std::span(data, size)));
  for (size_t i = 0; i < kMaxRequests && script.left() > 3; ++i) run_request(*world, script);
  require(world->bystander.call(wvds::protocol::Operation::kPing, {}).status == Status::kSuccess);
  return 0;
}
