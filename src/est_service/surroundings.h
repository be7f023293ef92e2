#pragma once

#include <functional>

#include "config/est_section.h"
#include "crypto/library.h"
#include "est_service/folder.h"
#include "est_service/key_service.h"
#include "est_service/server.h"

namespace wvds::est_service {

// Surroundings is what enrolling needs of the world; tests put their own in.
struct Surroundings {
  const config::Est& config;
  const crypto::Library& library;
  Server& server;
  KeyService& keys;
  Folder& folder;
  std::vector<est::Certificate> configured_anchors{};  // of trust.anchors_file
  std::vector<est::Certificate> implicit_anchors{};    // of trust.implicit_anchors_file
  // The credential's certificate and key; null where the configuration has none. Read anew each time: it may be
  // renewed.
  std::function<est::Outcome<Identity>()> file_identity{};
  // Puts a renewed certificate in its place; null where that can't be done.
  std::function<est::Outcome<>(const std::string& pem)> save_credential{};
  std::function<uint64_t()> random{};                        // for jitter: any number
  std::function<void(const std::string& name)> installed{};  // a certificate was installed; after it is durable
};

}  // namespace wvds::est_service
