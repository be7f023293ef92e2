#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ca/certificate.h"
#include "ca/ossl.h"

namespace wvds::est_ca {

// AuthorityOptions is what a CA begins with; its files in `folder` (root-N.pem, issuing-N.pem: certificate and key)
// are read again by the next start.
struct AuthorityOptions {
  std::string folder;
  std::string name = "Test CA";
  std::string algorithm = "ML-DSA-65";
  bool issuing = false;  // certificates are issued by a CA below the root
  std::int64_t lifetime = 20LL * 365 * 86400;
};

// Authority is a CA with all its generations: rolling it over adds one. Any thread.
class Authority {
 public:
  Authority(AuthorityOptions options, std::int64_t now);

  // A further generation with a new key; what is issued from now on comes from it. An empty name keeps the name.
  void roll_over(const std::string& name, const std::string& algorithm, std::int64_t now);

  // Who signs: "current", "previous", or "other" (a CA of the same name that nobody trusts).
  Issuer issuer(const std::string& which) const;
  // The certificates above what `which` signs, without the root.
  std::vector<Certificate> intermediates(const std::string& which) const;
  // What /cacerts lists: "root", "issuing", "previous-root", "previous-issuing", "old-with-new", "new-with-old",
  // "other". Those that do not exist are left out. No names: everything there is, as RFC 7030 section 4.1.3 wants it.
  std::vector<Certificate> published(const std::vector<std::string>& names) const;
  // Whom client certificates may lead to.
  std::vector<Certificate> trusted() const;
  std::vector<Certificate> untrusted() const;

  // Certificates that were issued, by serial number.
  void remember(const Certificate& certificate);
  Certificate find(const std::string& serial) const;
  std::vector<Certificate> issued() const;

 private:
  struct Generation {
    Issuer root;
    Issuer issuing;  // of the root itself where there is no other
  };

  Generation make_generation(const std::string& name, const std::string& algorithm, std::int64_t now) const;
  bool load();
  void save(std::size_t index) const;
  Certificate named(const std::string& name) const;
  const Generation& at(const std::string& which) const;
  void cross_certify();

  AuthorityOptions options_;
  mutable std::mutex mutex_;
  std::vector<Generation> generations_;
  Generation other_;
  Certificate old_with_new_;
  Certificate new_with_old_;
  std::map<std::string, Certificate> issued_;
};

}  // namespace wvds::est_ca
