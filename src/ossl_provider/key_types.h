#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wvds_crypto.h"

// What OpenSSL wants to know about the algorithms.
namespace wvds::ossl_provider {

using Octets = std::vector<uint8_t>;
using OctetsView = std::span<const uint8_t>;

// KeyType is an algorithm of the service as OpenSSL sees it.
struct KeyType {
  wvds_algorithm algorithm;
  const char* name;   // of OpenSSL's key type: "ML-DSA-65", "EC"
  const char* group;  // the curve's name; null: not on a curve
  size_t public_key_size;
  size_t signature_size;  // the most
  int bits;
  int security_bits;
  int security_category;    // of NIST's post-quantum process; 0: in none
  OctetsView signature_id;  // of ML-DSA: DER AlgorithmIdentifier of its signatures
  bool is_ec() const { return group != nullptr; }
};

// key_type returns null for an algorithm whose keys OpenSSL has no use for here.
const KeyType* key_type(wvds_algorithm algorithm);

// curve finds a curve by one of the names that OpenSSL has for it; null when it is none of the service's.
const KeyType* curve(std::string_view group);

// HashType is a hash function that the service signs with.
struct HashType {
  wvds_hash hash;
  const char* name;  // as OpenSSL fetches it
  size_t size;
  OctetsView ecdsa_id;  // DER AlgorithmIdentifier of ECDSA with it
};

std::span<const HashType> hash_types();

}  // namespace wvds::ossl_provider
