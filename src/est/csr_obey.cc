#include <algorithm>
#include <utility>

#include "est/csr_attributes.h"
#include "est/csr_extensions.h"
#include "est/x509_handles.h"
#include "est/x509_text.h"

// What the server wants and what the device is configured for, brought together.
namespace wvds::est {
namespace {

// What requests are signed with, by key type (crypto::signing_digest)
struct Signing {
  const char* key_type;
  const char* signature;
  const char* hash;
};
constexpr Signing kSigning[] = {{"P-256", "ecdsa-with-SHA256", "SHA256"},
                                {"P-384", "ecdsa-with-SHA384", "SHA384"},
                                {"P-521", "ecdsa-with-SHA512", "SHA512"},
                                {"RSA-", "RSA-SHA256", "SHA256"}};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text;
}

std::unexpected<Failure> cant_have_both(const std::string& wanted, const std::string& configured) {
  return failed(FailureKind::kConfiguration, "the server wants " + wanted + ", and config.json has " + configured);
}

std::string key_demand_text(const KeyDemand& demand) {
  if (demand.type == "EC") return "a key on an elliptic curve";
  return "a key of type " + demand.type + (demand.bits > 0 ? " with " + std::to_string(demand.bits) + " bits" : "");
}

bool meets(const std::string& key_type, const KeyDemand& demand) {
  if (demand.type == "EC") return key_type.starts_with("P-");
  if (demand.type != "RSA") return key_type == demand.type;
  return key_type.starts_with("RSA-") && (demand.bits == 0 || key_type == "RSA-" + std::to_string(demand.bits));
}

// A curve that stands alone beside "EC" makes it precise (RFC 7030, section 4.5.2's example).
std::vector<KeyDemand> precise(const std::vector<KeyDemand>& keys) {
  const bool curve = std::ranges::any_of(keys, [](const KeyDemand& key) { return key.type.starts_with("P-"); });
  std::vector<KeyDemand> list = keys;
  if (curve) std::erase_if(list, [](const KeyDemand& key) { return key.type == "EC"; });
  return list;
}

Outcome<> obey_key(const CsrDemands& demands, const CsrSpec& spec) {
  if (spec.key_type.empty()) return {};
  const std::vector<KeyDemand> keys = precise(demands.keys);
  if (keys.empty() || std::ranges::any_of(keys, [&](const KeyDemand& key) { return meets(spec.key_type, key); }))
    return {};
  std::vector<std::string> wanted;
  wanted.reserve(keys.size());
  for (const KeyDemand& key : keys) wanted.push_back(key_demand_text(key));
  return cant_have_both(listed(wanted), spec.key_type);
}

// Keys that hash by themselves, such as ML-DSA, have no hash to choose; their signature has the name of the key.
Outcome<> obey_signature(const CsrDemands& demands, const CsrSpec& spec) {
  if (spec.key_type.empty()) return {};
  const auto* signing =
      std::ranges::find_if(kSigning, [&](const Signing& one) { return spec.key_type.starts_with(one.key_type); });
  const bool hashes = signing != std::end(kSigning);
  const std::string signature = hashes ? signing->signature : spec.key_type;
  const auto lacks = [](const std::vector<std::string>& list, const std::string& one) {
    return !list.empty() && std::ranges::find(list, one) == list.end();
  };
  if (lacks(demands.signatures, signature))
    return cant_have_both("signatures by " + listed(demands.signatures),
                          "a key of type " + spec.key_type + ", which signs by " + signature);
  if (hashes && lacks(demands.hashes, signing->hash))
    return cant_have_both("the hash " + listed(demands.hashes),
                          "a key of type " + spec.key_type + ", which signs by " + signature);
  return {};
}

// The template's parts come in its order, with its values or the configured ones; configured parts that it does not
// mention stay behind them.
Outcome<> obey_subject(const CsrDemands& demands, CsrSpec& spec) {
  if (spec.renews || demands.subject.empty()) return {};
  Subject rest = spec.subject;
  Subject subject;
  for (const PartDemand& demand : demands.subject) {
    const auto own = std::ranges::find(rest, demand.type, &SubjectPart::type);
    if (!demand.value && own == rest.end())
      return cant_have_both("a " + demand.type + " in the subject", "none (\"" + subject_text(spec.subject) + "\")");
    subject.push_back({demand.type, demand.value ? *demand.value : own->value});
    if (own != rest.end()) rest.erase(own);
  }
  subject.insert(subject.end(), rest.begin(), rest.end());
  spec.subject = std::move(subject);
  return {};
}

// Dictated are the alternative names of a server: names that are there, kinds that the client is to fill (their
// entries are empty), and entries that this client does not know.
struct Dictated {
  Names names;
  bool dns = false, ip = false, uri = false, email = false;  // to fill
  bool others = false;

  bool to_fill() const { return dns || ip || uri || email; }
};

Dictated dictated_names(const GENERAL_NAMES* list) {
  Dictated found;
  found.names = names_of(list);
  const auto take_empty = [](std::vector<std::string>& names) {
    return std::erase_if(names, [](const std::string& name) { return name.empty(); }) > 0;
  };
  found.dns = take_empty(found.names.dns);
  found.ip = take_empty(found.names.ip);
  found.uri = take_empty(found.names.uri);
  found.email = take_empty(found.names.email);
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const int type = sk_GENERAL_NAME_value(list, i)->type;
    if (type != GEN_DNS && type != GEN_IPADD && type != GEN_URI && type != GEN_EMAIL) found.others = true;
  }
  return found;
}

// merge_names adds the configured names of a kind that the server leaves to the client, and finds configured ones that
// the server's names have no place for.
Outcome<> merge_names(std::vector<std::string>& names, bool fill, const std::vector<std::string>& configured,
                      const char* kind) {
  if (fill && configured.empty()) return cant_have_both(std::string("an alternative name of kind ") + kind, "none");
  for (const std::string& name : configured) {
    const auto same = [&](const std::string& other) {
      return other == name || (!normal_ip(name).empty() && other == normal_ip(name));
    };
    if (std::ranges::any_of(names, same)) continue;
    if (!fill)
      return cant_have_both("alternative names of its own choice", "\"" + name + "\", which is not among them");
    names.push_back(name);
  }
  return {};
}

Outcome<> obey_names(const ExtensionDemand& demand, CsrSpec& spec) {
  if (spec.renews) return {};
  const auto* position = octets_of(*demand.value);
  const GeneralNamesHandle list(d2i_GENERAL_NAMES(nullptr, &position, static_cast<long>(demand.value->size())));
  if (!list || position != octets_of(*demand.value) + demand.value->size())
    return openssl_failed(FailureKind::kBadAttributes, "the server's alternative names can't be read");
  Dictated found = dictated_names(list.get());
  if (found.others && found.to_fill())
    return failed(FailureKind::kBadAttributes,
                  "the server's alternative names mix entries to fill with entries that this client does not know");
  Outcome<> merged = merge_names(found.names.dns, found.dns, spec.names.dns, "DNS");
  if (merged) merged = merge_names(found.names.ip, found.ip, spec.names.ip, "IP");
  if (merged) merged = merge_names(found.names.uri, found.uri, spec.names.uri, "URI");
  if (merged) merged = merge_names(found.names.email, found.email, spec.names.email, "email");
  if (!merged) return merged;
  spec.names = std::move(found.names);
  if (!found.to_fill()) spec.extensions.push_back({demand.oid, demand.critical, *demand.value});
  return {};
}

// An extension without value is for the client to fill: it must have something to fill it with.
Outcome<> fill_extension(const ExtensionDemand& demand, const CsrSpec& spec) {
  if (demand.oid == kOidAlternativeNames && !spec.renews && spec.names.empty())
    return cant_have_both("alternative names", "none");
  if (demand.oid == kOidKeyUsage && spec.key_usages.empty()) return cant_have_both("a key usage", "none");
  if (demand.oid == kOidExtendedKeyUsage && spec.extended_key_usages.empty())
    return cant_have_both("an extended key usage", "none");
  return {};
}

Outcome<> obey_extension(const ExtensionDemand& demand, CsrSpec& spec) {
  std::erase_if(spec.extensions, [&](const ExtensionValue& one) { return demand.value && one.oid == demand.oid; });
  if (!demand.value) return fill_extension(demand, spec);
  if (demand.oid == kOidAlternativeNames) return obey_names(demand, spec);
  spec.extensions.push_back({demand.oid, demand.critical, *demand.value});
  return {};
}

}  // namespace

Outcome<> obey(const CsrDemands& demands, CsrSpec& spec) {
  CsrSpec obeying = spec;
  obeying.wants_binding = obeying.wants_binding || demands.challenge_password;
  Outcome<> obeyed = obey_key(demands, obeying);
  if (obeyed) obeyed = obey_signature(demands, obeying);
  if (obeyed) obeyed = obey_subject(demands, obeying);
  for (const ExtensionDemand& demand : demands.extensions) {
    if (obeyed) obeyed = obey_extension(demand, obeying);
  }
  if (obeyed) spec = std::move(obeying);
  return obeyed;
}

}  // namespace wvds::est
