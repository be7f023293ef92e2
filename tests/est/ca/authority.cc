#include "ca/authority.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace wvds::est_ca {
namespace {

constexpr std::int64_t kBackdate = 30 * 86400;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  if (!file.flush()) throw std::runtime_error(path + " can't be written");
}

std::int64_t seconds(const ASN1_TIME* time) {
  const Owned<ASN1_TIME, ASN1_TIME_free> epoch(ensure(ASN1_TIME_set(nullptr, 0), "time"));
  int days = 0, rest = 0;
  ensure(ASN1_TIME_diff(&days, &rest, epoch.get(), time) == 1, "time");
  return std::int64_t{days} * 86400 + rest;
}

// A certificate for one generation's root key by another's: RFC 4210 section 4.4.
Certificate cross(const Issuer& subject, const Issuer& issuer) {
  const X509* of = subject.certificate.get();
  const std::int64_t end =
      std::min(seconds(X509_get0_notAfter(of)), seconds(X509_get0_notAfter(issuer.certificate.get())));
  return make_ca_certificate(X509_get_subject_name(of), subject.key.get(), issuer, seconds(X509_get0_notBefore(of)),
                             end);
}

}  // namespace

Authority::Authority(AuthorityOptions options, std::int64_t now) : options_(std::move(options)) {
  if (!load()) {
    generations_.push_back(make_generation(options_.name, options_.algorithm, now));
    save(0);
  }
  other_ = make_generation(options_.name, "P-256", now);
  cross_certify();
}

Authority::Generation Authority::make_generation(const std::string& name, const std::string& algorithm,
                                                 std::int64_t now) const {
  const auto make = [&](const std::string& common_name, const Issuer& above) {
    Issuer made{nullptr, make_key(algorithm)};
    const Name subject = make_name(common_name);
    made.certificate = make_ca_certificate(subject.get(), made.key.get(), above.key ? above : made, now - kBackdate,
                                           now + options_.lifetime);
    return made;
  };
  Generation generation;
  generation.root = make(name, {});
  generation.issuing = options_.issuing ? make(name + " Issuing", generation.root) : generation.root;
  return generation;
}

bool Authority::load() {
  const auto read = [&](const std::string& kind, std::size_t index) {
    const std::string pem = read_file(options_.folder + "/" + kind + "-" + std::to_string(index) + ".pem");
    return pem.empty() ? Issuer{} : Issuer{certificate_from_pem(pem), key_from_pem(pem)};
  };
  for (Issuer root = read("root", 0); root.certificate; root = read("root", generations_.size())) {
    const Issuer issuing = read("issuing", generations_.size());
    generations_.push_back({root, issuing.certificate ? issuing : root});
  }
  return !generations_.empty();
}

void Authority::save(std::size_t index) const {
  const auto write = [&](const std::string& kind, const Issuer& ca) {
    write_file(options_.folder + "/" + kind + "-" + std::to_string(index) + ".pem",
               to_pem(ca.certificate.get()) + to_pem(ca.key.get()));
  };
  const Generation& generation = generations_[index];
  if (generation.issuing.key != generation.root.key) write("issuing", generation.issuing);
  write("root", generation.root);
}

void Authority::cross_certify() {
  if (generations_.size() < 2) return;
  const Issuer& last = generations_.back().root;
  const Issuer& before = generations_[generations_.size() - 2].root;
  old_with_new_ = cross(before, last);
  new_with_old_ = cross(last, before);
}

void Authority::roll_over(const std::string& name, const std::string& algorithm, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  generations_.push_back(
      make_generation(name.empty() ? options_.name : name, algorithm.empty() ? options_.algorithm : algorithm, now));
  save(generations_.size() - 1);
  cross_certify();
}

const Authority::Generation& Authority::at(const std::string& which) const {
  if (which == "other") return other_;
  if (which == "current") return generations_.back();
  if (which != "previous" || generations_.size() < 2) throw std::runtime_error("no CA called " + which);
  return generations_[generations_.size() - 2];
}

Issuer Authority::issuer(const std::string& which) const {
  const std::lock_guard lock(mutex_);
  return at(which).issuing;
}

std::vector<Certificate> Authority::intermediates(const std::string& which) const {
  const std::lock_guard lock(mutex_);
  const Generation& generation = at(which);
  if (generation.issuing.key == generation.root.key) return {};
  return {generation.issuing.certificate};
}

Certificate Authority::named(const std::string& name) const {
  const bool previous = name.starts_with("previous-");
  if (previous && generations_.size() < 2) return nullptr;
  const Generation& generation = at(name == "other" ? "other" : previous ? "previous" : "current");
  if (name == "old-with-new") return old_with_new_;
  if (name == "new-with-old") return new_with_old_;
  if (name.ends_with("root") || name == "other") return generation.root.certificate;
  if (!name.ends_with("issuing")) throw std::runtime_error("no CA certificate called " + name);
  return generation.issuing.key == generation.root.key ? nullptr : generation.issuing.certificate;
}

std::vector<Certificate> Authority::published(const std::vector<std::string>& names) const {
  const std::lock_guard lock(mutex_);
  static const std::vector<std::string> kAll = {"root",         "issuing",     "previous-root", "previous-issuing",
                                                "old-with-new", "new-with-old"};
  std::vector<Certificate> out;
  for (const std::string& name : names.empty() ? kAll : names) {
    if (Certificate certificate = named(name)) out.push_back(std::move(certificate));
  }
  return out;
}

std::vector<Certificate> Authority::trusted() const {
  const std::lock_guard lock(mutex_);
  std::vector<Certificate> out;
  for (const Generation& generation : generations_) out.push_back(generation.root.certificate);
  return out;
}

std::vector<Certificate> Authority::untrusted() const {
  const std::lock_guard lock(mutex_);
  std::vector<Certificate> out;
  for (const Generation& generation : generations_) out.push_back(generation.issuing.certificate);
  return out;
}

void Authority::remember(const Certificate& certificate) {
  const std::lock_guard lock(mutex_);
  issued_[to_text(X509_get0_serialNumber(certificate.get()))] = certificate;
}

Certificate Authority::find(const std::string& serial) const {
  const std::lock_guard lock(mutex_);
  const auto at = issued_.find(serial);
  return at == issued_.end() ? nullptr : at->second;
}

std::vector<Certificate> Authority::issued() const {
  const std::lock_guard lock(mutex_);
  std::vector<Certificate> out;
  for (const auto& [serial, certificate] : issued_) out.push_back(certificate);
  return out;
}

}  // namespace wvds::est_ca
