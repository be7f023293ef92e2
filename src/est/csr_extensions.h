#pragma once

#include "est/csr.h"
#include "est/x509_handles.h"

// The extensions of a request. For the X.509 half of est/ only.
namespace wvds::est {

inline constexpr const char* kOidKeyUsage = "2.5.29.15";
inline constexpr const char* kOidAlternativeNames = "2.5.29.17";
inline constexpr const char* kOidExtendedKeyUsage = "2.5.29.37";

// make_extensions builds what `spec` asks for. kConfiguration names the value that can't be encoded.
Outcome<ExtensionsHandle> make_extensions(const CsrSpec& spec);

// key_usage_bit returns the bit's number in RFC 5280, section 4.2.1.3; -1 for a name that it does not have.
int key_usage_bit(const std::string& name);

}  // namespace wvds::est
