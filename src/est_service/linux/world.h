#pragma once

#include <memory>

#include "config/service_config.h"
#include "est_service/agent.h"
#include "est_service/byte_stream.h"
#include "est_service/crypto_key_service.h"
#include "est_service/https_server.h"
#include "platform/disk.h"

namespace wvds::est_service {

// World is what the agent needs of Linux: made from the configuration, in the order in which the parts need each other.
class World {
 public:
  // make reads the files that the configuration names. `config` and `dialer` outlive the world. The command after a
  // renewal is not waited for when `stop` becomes readable.
  static Result<std::unique_ptr<World>> make(const config::ServiceConfig& config, const crypto::Library& library,
                                             Dialer& dialer, int stop);

  Surroundings& surroundings() { return surroundings_; }

 private:
  World(const config::ServiceConfig& config, const crypto::Library& library, Dialer& dialer,
        std::unique_ptr<platform::Disk> disk, Folder folder, est::ServerUrl url, int stop);

  std::unique_ptr<platform::Disk> disk_;
  Folder folder_;
  HttpsServer server_;
  CryptoKeyService keys_;
  Surroundings surroundings_;
};

}  // namespace wvds::est_service
