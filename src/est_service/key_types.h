#pragma once

#include <string>

#include "base/algorithm.h"

namespace wvds::est_service {

// key_type_of is what certificates call an algorithm's keys (crypto/certificate_key.h): "ML-DSA-65", "P-256".
inline std::string key_type_of(Algorithm algorithm) {
  if (algorithm == Algorithm::kEcdsaP256) return "P-256";
  if (algorithm == Algorithm::kEcdsaP384) return "P-384";
  const AlgorithmInfo* info = algorithm_info(algorithm);
  return info == nullptr ? "" : info->name;
}

}  // namespace wvds::est_service
