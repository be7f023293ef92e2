#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "config/secret_source.h"
#include "config/section.h"

// The section "est": what est_service enrols where. docs/config.md explains every key; the defaults are those below.
namespace wvds::config {

struct Vocabulary;

// EstTrust: how the server is known before its own CA certificates are. At least one of the three.
struct EstTrust {
  std::string anchors_file;               // PEM: the explicit trust anchors (RFC 7030, section 3.6.1) to begin with
  std::string implicit_anchors_file;      // PEM: for the first /cacerts only (section 3.6.2)
  std::vector<std::string> fingerprints;  // SHA-256 of a root certificate, 64 hexadecimal digits

  bool operator==(const EstTrust&) const = default;
};

// EstCredential authenticates the first enrolment. Later ones use the certificate itself.
struct EstCredential {
  std::string username;  // HTTP Basic or Digest, as the server asks
  SecretSource password;
  std::string certificate_file;  // PEM, leaf first: a certificate that the device has already
  std::string key_file;          // PEM: its private key in a file
  uint32_t key_id = 0;           // or the id of its key in crypto_service

  bool operator==(const EstCredential&) const = default;
};

// EstCertificate is one certificate that the device shall have.
struct EstCertificate {
  std::string name = "device";
  Algorithm key_type = Algorithm::kMlDsa65;
  std::string subject;  // RFC 4514: "CN=gw-17,O=Example"
  std::vector<std::string> dns;
  std::vector<std::string> ip;
  std::vector<std::string> uri;
  std::vector<std::string> email;
  bool rekey = false;            // a new key at each renewal
  bool server_made_key = false;  // by /serverkeygen
  std::string signed_by;  // ML-KEM: name of the certificate whose key signs the statement of possession (RFC 9883)

  bool operator==(const EstCertificate&) const = default;
};

struct EstRenewal {
  uint32_t at_percent = 67;  // of the lifetime; a server's hint comes first
  uint32_t jitter_percent = 5;

  bool operator==(const EstRenewal&) const = default;
};

struct EstRetry {
  uint32_t first_s = 60;
  uint32_t longest_s = 3600;

  bool operator==(const EstRetry&) const = default;
};

// EstCommand runs after a certificate was installed. Linux only.
struct EstCommand {
  std::vector<std::string> arguments;  // the first is the program's absolute path; none: no command
  uint32_t timeout_s = 60;

  bool operator==(const EstCommand&) const = default;
};

enum class EstTransport : uint8_t { kTcp, kRelay };
enum class TlsVersion : uint8_t { kTls12, kTls13 };

struct Est {
  std::string socket_path = "/run/wvds/est.sock";
  uint32_t socket_mode = 0660;
  std::string folder = "/var/lib/wvds/est";
  std::string server;  // https URL
  EstTransport transport = EstTransport::kTcp;
  TlsVersion least_tls = TlsVersion::kTls13;
  uint32_t timeout_s = 60;  // of one exchange with the server
  EstTrust trust;
  EstCredential credential;
  std::vector<EstCertificate> certificates;
  EstRenewal renewal;
  EstRetry retry;
  EstCommand after_renewal;

  bool operator==(const Est&) const = default;
};

// read_est reads the section where it is there.
void read_est(Section& root, const Vocabulary& vocabulary, Problems& problems, std::optional<Est>& out);

}  // namespace wvds::config
