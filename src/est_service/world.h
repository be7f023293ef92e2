#pragma once

#include <functional>
#include <memory>

#include "config/service_config.h"
#include "est_service/agent.h"
#include "est_service/byte_stream.h"
#include "est_service/crypto_key_service.h"
#include "est_service/https_server.h"

namespace wvds::est_service {

// System is what est_service needs of the operating system to enrol.
struct System {
  Dialer& dialer;
  std::unique_ptr<Records> records{};
  std::string crypto_service{};  // where it is reached
  // The file that the configuration's password is handed over in.
  std::function<Result<std::string>(const config::SecretSource&)> password_file{};
  std::function<void(const std::string& name)> installed{};  // a certificate was installed
  bool credential_is_writable = false;                       // its certificate_file can be replaced by a renewed one
};

// World is what the agent needs: made from the configuration, in the order in which the parts need each other.
class World {
 public:
  // make reads the files that the configuration names. `config`, `library` and the system's dialer outlive the world.
  static Result<std::unique_ptr<World>> make(const config::ServiceConfig& config, const crypto::Library& library,
                                             System system);

  Surroundings& surroundings() { return surroundings_; }

 private:
  World(const config::ServiceConfig& config, const crypto::Library& library, System system, est::ServerUrl url);
  void take_credential(const config::EstCredential& credential, bool is_writable);

  Folder folder_;
  HttpsServer server_;
  CryptoKeyService keys_;
  Surroundings surroundings_;
};

}  // namespace wvds::est_service
