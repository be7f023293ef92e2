#pragma once

#include <string>

#include "protocol/metrics_messages.h"

namespace wvds::service {

// BuildFacts is what a metric's labels say of the programs involved.
struct BuildFacts {
  std::string version;  // of the service
  std::string library;  // of the cryptographic library
  std::string provider;
};

// metrics_text writes the figures in Prometheus' text exposition format, version 0.0.4. docs/operation.md lists them.
std::string metrics_text(const protocol::MetricsAnswer& metrics, const BuildFacts& build);

}  // namespace wvds::service
