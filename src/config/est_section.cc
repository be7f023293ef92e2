#include "config/est_section.h"

#include <algorithm>

#include "config/service_config.h"
#include "config/socket_section.h"

namespace wvds::config {
namespace {

constexpr size_t kMostCertificates = 16;
constexpr size_t kMostNames = 64;

void read_socket_of(Section& est, Problems& problems, Est& out) {
  Socket socket{out.socket_path, out.socket_mode};
  read_object(est, "socket", problems, [&](Section& section) { read_socket(section, socket); });
  out.socket_path = socket.path;
  out.socket_mode = socket.mode;
}

void read_texts(Section& section, std::string_view name, std::vector<std::string>& out) {
  read_words(section, name, [&](const JsonValue& item, const std::string& path) {
    if (item.text.empty()) section.problem(item.line, path, "is empty");
    out.push_back(item.text);
  });
  if (out.size() > kMostNames)
    section.problem(line_of(section, name), name, "must have at most " + std::to_string(kMostNames) + " entries");
}

// is_fingerprint also takes the colons that other programs write between the bytes; they are taken out.
bool is_fingerprint(std::string& text) {
  std::erase(text, ':');
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

void read_trust(Section& section, EstTrust& out) {
  section.absolute_path("anchors_file", out.anchors_file);
  section.absolute_path("implicit_anchors_file", out.implicit_anchors_file);
  read_words(section, "fingerprints", [&](const JsonValue& item, const std::string& path) {
    std::string text = item.text;
    if (!is_fingerprint(text))
      section.problem(item.line, path, "must be the SHA-256 fingerprint of a root certificate, 64 hexadecimal digits");
    out.fingerprints.push_back(text);
  });
  if (out.anchors_file.empty() && out.implicit_anchors_file.empty() && out.fingerprints.empty()) {
    section.problem(section.line(), "",
                    "needs at least one of \"anchors_file\", \"implicit_anchors_file\" or \"fingerprints\": without it "
                    "any server could pose as the CA");
  }
}

void read_certificate_credential(Section& section, EstCredential& out) {
  section.absolute_path("certificate_file", out.certificate_file);
  section.absolute_path("key_file", out.key_file);
  section.number("key_id", out.key_id, 1);
  const bool has_key = section.has("key_file") != section.has("key_id");
  if (section.has("certificate_file") && !has_key) {
    section.problem(section.line(), "certificate_file", "needs exactly one of \"key_file\" or \"key_id\" beside it");
  } else if (!section.has("certificate_file") && (section.has("key_file") || section.has("key_id"))) {
    section.problem(section.line(), "certificate_file", "is missing: the certificate of the key is needed here");
  }
}

void read_credential_section(Section& section, const Vocabulary& vocabulary, EstCredential& out) {
  section.text("username", out.username);
  read_source(section, "password", vocabulary, out.password);
  if (!section.has("username") && out.password.is_set())
    section.problem(section.line(), "username", "is missing: whose the password is");
  if (section.has("username")) need_one(section, {"password_file", "password_credential"});
  if (out.username.find(':') != std::string::npos)
    section.problem(line_of(section, "username"), "username", "must not have a colon (RFC 7617, section 2)");
  read_certificate_credential(section, out);
}

// read_key_type takes the algorithms that a certificate's key can have.
void read_key_type(Section& section, Algorithm& out) {
  if (!section.has("key_type")) return;
  std::string word;
  section.text("key_type", word);
  const std::vector<std::string_view> known{"ML-DSA-44",  "ML-DSA-65",  "ML-DSA-87",  "ECDSA-P256",
                                            "ECDSA-P384", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};
  const auto algorithm = algorithm_from_name(word);
  if (!algorithm || *algorithm == Algorithm::kAes256Gcm) {
    return section.problem(line_of(section, "key_type"), "key_type",
                           "\"" + word + "\" is no key type of certificates" + word_advice(word, known));
  }
  out = *algorithm;
}

EstCertificate read_certificate(const JsonValue& value, const std::string& path, Problems& problems) {
  Section section(value, path, problems);
  EstCertificate out;
  section.text("name", out.name);
  if (!is_name(out.name)) {
    section.problem(line_of(section, "name"), "name",
                    "\"" + out.name + "\" must be 1 to 32 letters, digits, '-', '_' or '.'");
  }
  read_key_type(section, out.key_type);
  section.required_text("subject", out.subject);
  read_object(section, "san", problems, [&](Section& san) {
    read_texts(san, "dns", out.dns);
    read_texts(san, "ip", out.ip);
    read_texts(san, "uri", out.uri);
    read_texts(san, "email", out.email);
  });
  section.truth("rekey", out.rekey);
  section.truth("server_made_key", out.server_made_key);
  section.text("signed_by", out.signed_by);
  if (out.server_made_key && is_ml_kem(out.key_type)) {
    section.problem(line_of(section, "server_made_key"), "server_made_key",
                    "is for keys that sign: the request for it is signed with one");
  }
  if (is_ml_kem(out.key_type) && out.signed_by.empty()) {
    section.problem(section.line(), "signed_by",
                    "is missing: an ML-KEM key can't sign; the name of the certificate whose key signs for it is "
                    "needed here");
  } else if (!is_ml_kem(out.key_type) && !out.signed_by.empty()) {
    section.problem(line_of(section, "signed_by"), "signed_by", "is for ML-KEM keys only: other keys sign themselves");
  }
  section.finish();
  return out;
}

// note_names notes a name that stands twice, and a "signed_by" that no certificate with a signing key has.
void note_names(Section& est, const std::vector<JsonValue>& items, const std::vector<EstCertificate>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    const auto named = [&](const std::string& name) {
      return std::ranges::find_if(all, [&](const EstCertificate& other) { return other.name == name; });
    };
    const std::string path = item_path("certificates", i);
    if (named(all[i].name) != all.begin() + static_cast<ptrdiff_t>(i))
      est.problem(items[i].line, path, "the name \"" + all[i].name + "\" stands twice");
    const auto signer = named(all[i].signed_by);
    if (!all[i].signed_by.empty() && (signer == all.end() || is_ml_kem(signer->key_type))) {
      est.problem(items[i].line, path + ".signed_by",
                  "\"" + all[i].signed_by + "\" is no certificate of this list with a key that signs");
    }
  }
}

void read_certificates(Section& est, Problems& problems, Est& out) {
  const std::vector<JsonValue>& items = est.list("certificates");
  if (items.empty() || items.size() > kMostCertificates) {
    return est.problem(line_of(est, "certificates"), "certificates",
                       "must be a list of 1 to " + std::to_string(kMostCertificates) +
                           " certificates such as {\"subject\": \"CN=gateway-17\"}");
  }
  for (size_t i = 0; i < items.size(); ++i)
    out.certificates.push_back(read_certificate(items[i], est.path_of(item_path("certificates", i)), problems));
  note_names(est, items, out.certificates);
}

void read_command(Section& section, EstCommand& out) {
  read_texts(section, "command", out.arguments);
  section.number("timeout_s", out.timeout_s, 1, 3600);
  if (out.arguments.empty() || !out.arguments.front().starts_with('/')) {
    section.problem(line_of(section, "command"), "command",
                    "must be a list: the absolute path of a program, then its arguments");
  }
}

// What the system can't do is refused by name.
void read_system_part(Section& est, const Vocabulary& vocabulary, Problems& problems, Est& out) {
  est.choice<EstTransport>("transport", out.transport, {{"tcp", EstTransport::kTcp}, {"relay", EstTransport::kRelay}});
  if (!vocabulary.files && out.transport == EstTransport::kTcp) {
    est.problem(line_of(est, "transport"), "transport",
                "must be \"relay\" on this system, which has no network: a client relays");
  }
  if (!vocabulary.files && est.has("after_renewal")) {
    est.problem(line_of(est, "after_renewal"), "after_renewal", "is not available on this system");
  }
  read_object(est, "after_renewal", problems, [&](Section& section) { read_command(section, out.after_renewal); });
}

void read_times(Section& est, Problems& problems, Est& out) {
  est.number("timeout_s", out.timeout_s, 1, 3600);
  read_object(est, "renewal", problems, [&](Section& section) {
    section.number("at_percent", out.renewal.at_percent, 1, 95);
    section.number("jitter_percent", out.renewal.jitter_percent, 0, 25);
  });
  read_object(est, "retry", problems, [&](Section& section) {
    section.number("first_s", out.retry.first_s, 1, 86400);
    section.number("longest_s", out.retry.longest_s, 1, uint64_t{7} * 86400);
    if (out.retry.longest_s < out.retry.first_s)
      section.problem(line_of(section, "longest_s"), "longest_s", "must not be less than \"first_s\"");
  });
}

void read_content(Section& est, const Vocabulary& vocabulary, Problems& problems, Est& out) {
  read_socket_of(est, problems, out);
  est.absolute_path("folder", out.folder);
  est.required_text("server", out.server);
  if (!out.server.empty() && !out.server.starts_with("https://"))
    est.problem(line_of(est, "server"), "server", "must begin with https:// (RFC 7030, section 3.3)");
  est.choice<TlsVersion>("least_tls", out.least_tls, {{"1.3", TlsVersion::kTls13}, {"1.2", TlsVersion::kTls12}});
  read_system_part(est, vocabulary, problems, out);
  if (!est.has("trust")) est.problem(est.line(), "trust", "is missing: how the server's CA is known is needed here");
  read_object(est, "trust", problems, [&](Section& section) { read_trust(section, out.trust); });
  read_object(est, "credential", problems,
              [&](Section& section) { read_credential_section(section, vocabulary, out.credential); });
  read_certificates(est, problems, out);
  read_times(est, problems, out);
}

}  // namespace

void read_est(Section& root, const Vocabulary& vocabulary, Problems& problems, std::optional<Est>& out) {
  read_object(root, "est", problems,
              [&](Section& section) { read_content(section, vocabulary, problems, out.emplace()); });
}

}  // namespace wvds::config
