#include "tools/wvds/man/prose.h"

// The pages of wvds est and of its service. Their examples run while est_service has the certificate "device".
namespace wvds::tool {
namespace {

const Place kConfig{"/etc/wvds/config.json", "its section est says what is enrolled where"};
const Place kSocket{"/run/wvds/est.sock", "est_service's socket, unless --socket names another"};

Prose est() {
  return {
      "est",
      R"(These commands ask est_service, which gets the device's certificates from an EST server (RFC 7030) and renews them by itself; nobody has to call them for that.
The keys stay in crypto_service.

For these commands --socket is the socket of est_service.
What this user may ask for, the configuration says: est-status, est-certificate, est-ca-certificates, est-wait and est-renew.)",
      {{"Is every certificate valid?", "wvds est status"}},
      {},
      {kConfig, kSocket},
      nullptr,
      {"wvds(1)", "wvds-est-status(1)", "wvds-est-enroll(1)", "wvds-est-renew(1)", "wvds-est-certificate(1)",
       "wvds-est-cacerts(1)", "wvds-est-doctor(1)", "wvds_est_service(8)"}};
}

Prose status() {
  return {
      "est status",
      R"(Shows each certificate of the configuration: whether it is valid, its key, when it is renewed, and what went wrong last with what helps.)",
      {{"All of them:", "wvds est status"},
       {"The days that one is still valid:",
        "wvds est status device --json | jq '(.certificates[0].not_after | fromdate) - now | . / 86400 | floor'"}},
      {{"all_valid", "whether all certificates shown are valid"},
       {"certificates[].name", "as the configuration has it"},
       {"certificates[].phase",
        "missing, waiting (the server answers later), valid, due (valid, its renewal has begun) or expired"},
       {"certificates[].subject", "null, as key, fingerprint and the dates, where there is no certificate"},
       {"certificates[].key_type", "algorithm of its key"},
       {"certificates[].key", "number of its key in crypto_service"},
       {"certificates[].previous_key", "of the certificate before; null where there is none"},
       {"certificates[].fingerprint", "SHA-256, 64 hexadecimal digits"},
       {"certificates[].not_before", "dates are as 2027-01-01T00:00:00Z"},
       {"certificates[].not_after", "the last second that it is valid"},
       {"certificates[].renew_at", "from when on it is renewed"},
       {"certificates[].next_attempt", "when est_service acts next"},
       {"certificates[].failures", "since the last success"},
       {"certificates[].failure", "what went wrong last; null after a success"},
       {"certificates[].failure.name", "one word, such as name-mismatch"},
       {"certificates[].failure.detail", "a sentence, which may quote the server"},
       {"certificates[].failure.advice", "what helps"},
       {"certificates[].failure.at", "when"},
       {"ca_fetched_at", "when the CA's certificates were fetched; null: never"},
       {"ca_failure", "what went wrong with that last, as certificates[].failure; null after a success"}},
      {kSocket},
      R"(0 all certificates shown are valid, also those whose renewal is due or fails; 1 one is missing or has expired;
2 wrong usage; 3 no session with est_service.)",
      {"wvds(1)", "wvds-est(1)", "wvds-est-doctor(1)"}};
}

const char* const kEnrolmentExits =
    R"(0 done; 1 the attempt failed or was not finished in time, or the server answers later; 2 wrong usage;
3 no session with est_service.)";

Prose enroll() {
  return {
      "est enroll",
      R"(Lets est_service try now to get each certificate that is missing or has expired, whenever it would have tried next, and waits for the outcome.
A certificate that is valid is left alone.
est_service goes on trying by itself after a failure.)",
      {{"The first one of a device:", "wvds est enroll device"}},
      {},
      {kSocket},
      kEnrolmentExits,
      {"wvds(1)", "wvds-est(1)", "wvds-est-renew(1)", "wvds-est-doctor(1)"}};
}

Prose renew() {
  return {
      "est renew",
      R"(Lets est_service get a new certificate now, also where the present one is not due, and waits for the outcome.
The present one stays in use until the new one is there, and where that fails.)",
      {{"After the device's names were changed in the configuration:", "wvds est renew device"}},
      {},
      {kSocket},
      kEnrolmentExits,
      {"wvds(1)", "wvds-est(1)", "wvds-est-enroll(1)", "wvds-est-doctor(1)"}};
}

Prose cacerts() {
  return {"est cacerts",
          R"(Writes the certificates of the CA, as est_service has accepted them: the roots first, then others.
est_service fetches them once a day by itself.)",
          {{"For a program that checks the CA's other certificates:", "wvds est cacerts --refresh -o ca.pem"}},
          {},
          {kSocket},
          nullptr,
          {"wvds(1)", "wvds-est(1)", "wvds-est-certificate(1)"}};
}

Prose certificate() {
  return {"est certificate",
          R"(Writes a certificate and the certificates of the CAs between it and the root, the leaf first.
wvds est status shows the number of its key in crypto_service.)",
          {{"For a TLS server that is started with it:", "wvds est certificate device -o chain.pem"}},
          {},
          {kSocket},
          nullptr,
          {"wvds(1)", "wvds-est(1)", "wvds-est-cacerts(1)", "wvds-est-status(1)"}};
}

Prose doctor() {
  return {"est doctor",
          R"(Says why a certificate is not enrolled or renewed, and what helps: one line a finding, as wvds doctor does.
est_service may be down.

It looks at the configuration, at whether est_service runs and what it says went wrong last, at whether crypto_service runs and gives est_service the rights that it needs,
at the clock, and at the files that the section est names: who can read them, and whether their certificates are valid and made for their use.
It changes nothing, and asks no EST server.
Run it as root to see all of it.)",
          {{"All of it, the configuration being in its usual place:", "wvds est doctor --config /etc/wvds/config.json"},
           {"Only what is wrong:",
            "wvds est doctor --json --config /etc/wvds/config.json | jq -r '.findings[] | select(.level == "
            "\"problem\") | .text'"}},
          {{"problems", "number of findings of this level"},
           {"warnings", "number of findings of this level"},
           {"not_checked", "number of findings of this level"},
           {"findings[].level", "ok, warning, problem or \"not checked\""},
           {"findings[].check", "what was looked at"},
           {"findings[].text", "what was seen"},
           {"findings[].cure", "what to do; null where there is nothing to do"}},
          {kConfig, kSocket},
          "0 no problem; 1 at least one problem; 2 wrong usage.",
          {"wvds(1)", "wvds-est(1)", "wvds-est-status(1)", "wvds-doctor(1)"}};
}

}  // namespace

std::vector<Prose> est_command_prose() {
  return {est(), status(), enroll(), renew(), cacerts(), certificate(), doctor()};
}

const Prose& est_service_prose() {
  static const Prose prose{
      "",
      R"(Gets this device's certificates from an EST server (RFC 7030), renews them before they expire, and hands them to the programs that its configuration names.
Their private keys are made in wvds_crypto_service(8) and stay there.

It reads the configuration of both services and nothing else, and finds crypto_service by it.
It stays in the foreground, logs to standard error, and tells a service manager when it is ready (sd_notify).
It never gives up: after a failure it tries again, as the configuration says; wvds est doctor says what is wrong.

SIGTERM and SIGINT end it.
A changed configuration takes effect when it is started again.)",
      {{"Is the configuration right?", "wvds_est_service --config config.json --check-config"}},
      {},
      {kConfig,
       {"/run/wvds/est.sock", "the socket, unless est.socket.path names another"},
       {"/var/lib/wvds/est", "certificates and state, unless est.folder names another"}},
      R"(0 stopped as asked, or the configuration is right; 1 failure, the log says why;
2 wrong command line or configuration.)",
      {"wvds(1)", "wvds-est(1)", "wvds-est-doctor(1)", "wvds_crypto_service(8)"}};
  return prose;
}

}  // namespace wvds::tool
