#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"

// Trust anchors (RFC 7030, section 3.6). The explicit ones are roots that were taken from the EST server, or given by
// hand; they decide about the EST server and about every certificate it issues. Implicit ones (section 3.6.2), such as
// the web's roots, are never stored here: they may vouch for a server once, and only accept_from_trusted_server and
// the fingerprint turn what it sends into explicit anchors.
namespace wvds::est {

// Refused is a certificate that was not taken, and the reason in words.
struct Refused {
  Certificate certificate;
  std::string reason;
};

// CaCertificates is what a device keeps of a CA: roots it trusts, and further certificates that help to build chains
// but are never trusted by themselves.
struct CaCertificates {
  std::vector<Certificate> anchors;
  std::vector<Certificate> intermediates;  // CA certificates below a root
  std::vector<Certificate> links;          // OldWithNew, NewWithOld (RFC 4210, section 4.4)
  std::vector<Refused> refused;
  bool anchors_changed = false;

  // for_chains returns intermediates and links, as check_issued takes them.
  std::vector<Certificate> for_chains() const;
};

// accept_ca_certificates works on the answer of /cacerts from a server that was authenticated by the current explicit
// anchors. A root that is already an anchor stays. A new root is accepted only when a link certificate for its name and
// key, made by the key of a current anchor of the same name (NewWithOld), was sent along, in one or several steps, and
// when it is younger than the anchor that vouches for it: what only an intermediate CA signed, a cross certificate
// under another name, or an older root can't become an anchor this way. Anchors stay until they expire, whether they
// were sent or not. Intermediates are taken when they lead to an anchor (RFC 7030, section 4.1.1). Everything else is
// in `refused`. kExpired when no current anchor is valid at `now`; kUntrustedChain when nothing that was received has
// to do with an anchor: the current ones stay as they are.
Outcome<CaCertificates> accept_ca_certificates(const crypto::Library& library, const std::vector<Certificate>& current,
                                               const std::vector<Certificate>& received, int64_t now);

// accept_by_fingerprint is the bootstrap (RFC 7030, section 4.1.1): the server was not authenticated, and the roots
// whose SHA-256 fingerprint is one of `expected` become anchors. The rest then counts as above, with these as current
// ones. kWrongFingerprint names the fingerprints of the roots that came; kExpired, kNotYetValid for the root found.
Outcome<CaCertificates> accept_by_fingerprint(const crypto::Library& library, const std::vector<Certificate>& received,
                                              const std::vector<Fingerprint>& expected, int64_t now);

// accept_from_trusted_server takes every valid root of an answer whose server an implicit anchor vouched for (RFC 7030,
// section 3.6.2 and 4.1.1). kUntrustedChain when there is none.
Outcome<CaCertificates> accept_from_trusted_server(const crypto::Library& library,
                                                   const std::vector<Certificate>& received, int64_t now);

}  // namespace wvds::est
