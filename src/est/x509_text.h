#pragma once

#include <string>

#include "est/certificate.h"
#include "est/failure.h"
#include "est/x509_handles.h"

// What OpenSSL's certificate objects and errors say, as text. For the X.509 half of est/ only.
namespace wvds::est {

std::string text_of(BIO* bio);                       // of a memory BIO
std::string name_text(const X509_NAME* name);        // RFC 4514, everything outside ASCII escaped
std::string object_text(const ASN1_OBJECT* object);  // short name, or the number where there is none
std::string oid_text(const ASN1_OBJECT* object);     // "2.5.4.3"
std::string utf8_of(const ASN1_STRING* string);
std::string ip_text(const ASN1_STRING* address);  // empty unless it has 4 or 16 bytes

Subject parts_of(const X509_NAME* name);
Names names_of(const GENERAL_NAMES* names);  // null is fine

// object_of finds an object by its number, short or long name; null when there is none.
ObjectHandle object_of(const std::string& name);

// openssl_failed builds a failure from what OpenSSL left in this thread's error queue, which it empties.
std::unexpected<Failure> openssl_failed(FailureKind kind, std::string what);

// normal_ip writes an address as ip_text does; empty when it is none.
std::string normal_ip(const std::string& text);

}  // namespace wvds::est
