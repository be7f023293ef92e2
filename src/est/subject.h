#pragma once

#include <string_view>

#include "est/certificate.h"
#include "est/failure.h"
#include "est/x509_handles.h"

namespace wvds::est {

inline constexpr size_t kMaxSubjectParts = 16;
inline constexpr size_t kMaxSubjectText = 1024;

// parse_subject reads RFC 4514 text: "CN=gw-17,O=WvdS" is the organisation, then the common name, in the encoding.
// Types are short or long names as OpenSSL knows them, those of RFC 4514 in any case ("cn"), or numbers. Spaces around
// types are passed over, those in values must be escaped at the ends. Not supported, and refused by name: values as
// hexadecimal BER ("#04..."), several attributes in one part ("CN=a+OU=b"). kConfiguration.
Outcome<Subject> parse_subject(std::string_view text);

// make_name encodes a subject, with the string type and the length limits that X.520 has for each attribute.
// kConfiguration, naming the part.
Outcome<X509NameHandle> make_name(const Subject& subject);

}  // namespace wvds::est
