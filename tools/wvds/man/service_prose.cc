#include "tools/wvds/man/prose.h"

namespace wvds::tool {
namespace {

constexpr Place kSocket{"/run/wvds/crypto.sock", "the service's socket, unless --socket names another"};
constexpr Place kConfig{"/etc/wvds/config.json", "the service's configuration"};

Prose top() {
  return {"",
          R"(Uses the keys of the WvdS Crypto Service, which never leave it.
A key is named by its number or its label; label:TEXT where a label looks like a number.
A FILE may be - for standard input or output, and -- ends the options.

What goes wrong is one line on standard error; what was asked for is on standard output.
Commands that print data take --json; each page has the members.
An output file gets its name when it is whole; secret output replaces nothing without --force.

Which commands work for a user is for the service's configuration to say: it knows users by their number, not by a password.)",
          {{"Make a key, encrypt a file, and read it again:",
            "wvds key generate AES-256-GCM --label notes\n"
            "wvds encrypt notes notes.txt -o notes.wvds\n"
            "wvds decrypt notes.wvds | cmp - notes.txt"},
           {"Something does not work:", "wvds doctor --config /etc/wvds/config.json"}},
          {},
          {kSocket},
          nullptr,
          {"wvds-status(1)", "wvds-doctor(1)", "wvds-key(1)", "wvds-encrypt(1)", "wvds-sign(1)", "wvds-completion(1)",
           "wvds_crypto_service(8)"}};
}

std::vector<JsonField> state_fields() {
  return {{"service_version", "of the running service"},
          {"uptime_ms", "since its start"},
          {"epoch", "sixteen hexadecimal digits, other ones after each start"},
          {"fips_mode", "as configured: off, preferred or required"},
          {"fips_state", "off, active or unavailable"},
          {"provider", "who serves, name and version"},
          {"library_version", "of OpenSSL"},
          {"memory_is_locked", "whether secrets can't reach the swap space"},
          {"place", "where stored keys are: file, tpm, hsm-wrapped or hsm-inside"},
          {"persistent_keys", "stored keys of all clients"},
          {"memory_keys", "session and volatile keys of all clients"},
          {"sessions", "of all clients"},
          {"max_sessions", "sessions.total of the configuration"},
          {"outside_fips", "algorithms that another provider than OpenSSL's FIPS module serves"},
          {"requests_per_second", "this user's limit; 0: none"},
          {"burst", "requests at once after a pause"},
          {"cooldown_ms", "how long everything is refused after the first refusal"},
          {"operations", "what this user may ask for"},
          {"warnings", "the service's own, one text each"}};
}

std::vector<JsonField> metric_fields() {
  return {{"metrics", "counters of the whole service since its start; null for users that may not ask for them"},
          {"metrics.sessions_opened", "number"},
          {"metrics.refused_strangers", "sessions refused: no client of the configuration"},
          {"metrics.refused_service_limit", "sessions refused: sessions.total is reached"},
          {"metrics.refused_client_limit", "sessions refused: the client's limit is reached"},
          {"metrics.refused_not_ready", "sessions refused: the service was stopping"},
          {"metrics.wasted_wakeups", "clients woke their worker for nothing"},
          {"metrics.rate_limited", "requests answered RATE_LIMITED"},
          {"metrics.reloads", "of the configuration"},
          {"metrics.failed_reloads", "the old configuration stayed in force"},
          {"metrics.audit_entries", "number of the audit log's last entry"},
          {"metrics.audit_lost", "entries that could not be written"},
          {"metrics.locked_bytes", "locked memory in use"},
          {"metrics.max_locked_bytes", "locked memory there is"},
          {"metrics.window_bytes", "memory of replay windows in use"},
          {"metrics.max_window_bytes", "replay_window.total_bytes of the configuration"},
          {"metrics.by_use_level", "key versions that encrypt: under 50, 75, 90, 100 % of their limit, and used up"},
          {"metrics.most_used_keys[].key", "number; of any client"},
          {"metrics.most_used_keys[].version", "number"},
          {"metrics.most_used_keys[].uses", "encryptions, or what else max_uses counts; an upper bound"},
          {"metrics.most_used_keys[].use_limit", "how many are allowed"},
          {"metrics.session_keys", "number"},
          {"metrics.volatile_keys", "number"},
          {"metrics.damaged_keys", "stored keys that can't be used"},
          {"metrics.reservations_fail", "whether the store's disk takes no use counts"},
          {"metrics.latency_limits_ns", "upper limits of the histograms; one bin more is for what took longer"},
          {"metrics.operations[].operation", "name, or INVALID for what was no request"},
          {"metrics.operations[].requests", "with any outcome"},
          {"metrics.operations[].by_status", "an object: how many had which status"},
          {"metrics.operations[].timed", "requests that were timed"},
          {"metrics.operations[].timed_ns", "time of those together"},
          {"metrics.operations[].by_latency", "how many of those fell into each bin"}};
}

Prose status() {
  std::vector<JsonField> fields = state_fields();
  for (const JsonField& field : metric_fields()) fields.push_back(field);
  return {"status",
          R"(Says how the service is: version, FIPS state, memory, keys, sessions, and what it warns of.
Users that the configuration grants metrics also see the counters of all clients.
With --wait it is a way to wait until a service that is starting serves.)",
          {{"Wait for the service in a start script:", "wvds status --wait 30 > /dev/null"},
           {"Is FIPS active?", "wvds status --json | jq -e '.fips_state == \"active\"'"}},
          fields,
          {kSocket},
          nullptr,
          {"wvds(1)", "wvds-doctor(1)", "wvds-capabilities(1)"}};
}

Prose capabilities() {
  return {
      "capabilities",
      R"(Says what the service can do for this user: sizes, limits and how much of them is used, algorithms and who serves
them, and the operations that the configuration grants.)",
      {{"How many more keys may this user store?",
        "wvds capabilities --json | jq '.limits.persistent_keys | .limit - .used'"}},
      {{"protocol_version", "of the service"},
       {"slots", "requests that a session can have in flight"},
       {"max_aes_size", "bytes of plaintext and AAD in one request"},
       {"max_mldsa_message_size", "bytes of message in one request"},
       {"max_random_size", "bytes in one request"},
       {"max_request_payload", "bytes"},
       {"max_answer_payload", "bytes"},
       {"max_key_versions", "of one key"},
       {"use_limit", "encryptions of one version of an AES key"},
       {"nonces", "counter or random"},
       {"window_capacity", "nonces that a version of an AES key remembers"},
       {"requests_per_second", "this user's limit; 0: none"},
       {"burst", "requests at once after a pause"},
       {"cooldown_ms", "how long everything is refused after the first refusal"},
       {"operations", "what this user may ask for"},
       {"limits.sessions.used", "now, over all sessions of this client, as all that follow"},
       {"limits.sessions.limit", "as configured, as all that follow"},
       {"limits.session_keys.used", "number"},
       {"limits.session_keys.limit", "number"},
       {"limits.volatile_keys.used", "number"},
       {"limits.volatile_keys.limit", "number"},
       {"limits.persistent_keys.used", "number"},
       {"limits.persistent_keys.limit", "number"},
       {"limits.keys_per_minute.used", "number"},
       {"limits.keys_per_minute.limit", "number"},
       {"limits.store_bytes.used", "bytes"},
       {"limits.store_bytes.limit", "bytes"},
       {"limits.window_bytes.used", "bytes"},
       {"limits.window_bytes.limit", "bytes"},
       {"fips_state", "off, active or unavailable"},
       {"algorithms[].algorithm", "name"},
       {"algorithms[].provider", "who serves it, name and version"},
       {"algorithms[].is_inside_fips", "whether that is OpenSSL's FIPS module"},
       {"algorithms[].can_rotate", "whether its keys can have new versions"},
       {"algorithms[].can_be_inside_token", "whether key generate --inside-token makes such keys"},
       {"algorithms[].usages", "that a key of it can have"},
       {"algorithms[].default_usages", "that a key of it has when none is named"},
       {"algorithms[].import_formats", "that key import takes"},
       {"algorithms[].secret_size", "bytes of the AES key or the seed"},
       {"algorithms[].public_key_size", "bytes; 0 where it has none"},
       {"algorithms[].signature_size", "bytes; 0 where it has none"},
       {"algorithms[].ciphertext_size", "bytes, of ML-KEM; 0 for others"}},
      {},
      nullptr,
      {"wvds(1)", "wvds-status(1)"}};
}

Prose bench() {
  return {"bench",
          R"(Measures what the service does on this machine for this user, with keys that end with the session.
simple is one request after the other; pipelined keeps as many in flight as a session has slots, and its times include the waiting in the line.
MB/s counts the payload.

A user with a rate limit would measure that: such a line says RATE_LIMITED and has no figures.
For figures of the machine give the client "rate_limit": { "requests_per_second": 0 }.
A right that is missing shows in the line too.)",
          {{"A quick look:", "wvds bench --seconds 0.05 --operation ping --operation aes-encrypt"}},
          {{"library_version", "of this tool"},
           {"fips_state", "off, active or unavailable"},
           {"requests_per_second", "this user's limit; 0: none"},
           {"burst", "requests at once after a pause"},
           {"slots", "requests in flight when pipelined"},
           {"seconds", "of each line"},
           {"results[].operation", "as the configuration names it"},
           {"results[].bytes", "of data in each request; null where the operation has none"},
           {"results[].mode", "simple or pipelined"},
           {"results[].count", "requests measured; null, as all that follows, where there is no figure"},
           {"results[].median_us", "microseconds from the request to its answer"},
           {"results[].p99_us", "microseconds that 99 of 100 requests stayed within"},
           {"results[].rate", "requests a second"},
           {"results[].mb_per_second", "million bytes of data a second"},
           {"results[].problem", "why there is no figure; null where there is one"}},
          {},
          R"(0 done; 1 nothing was measured, or an operation that was named was not;
2 wrong usage; 3 no session with the service.)",
          {"wvds(1)", "wvds-capabilities(1)"}};
}

Prose doctor() {
  return {"doctor",
          R"(Looks at everything that a service of this machine needs, and says of each thing whether it is well.
One line a finding: ok, warning, problem, or not checked with the reason; and the cure.
The service may be down.

It looks at the configuration, the socket and who serves it, the store, the key file and their owners and modes, the disk, the FIPS module, locked memory,
the running service's version, warnings and age, keys near their limit, and the clock.
It changes nothing, and makes no key.
Run it as root to see all of it.)",
          {{"All of it, the configuration being in its usual place:", "wvds doctor --config /etc/wvds/config.json"},
           {"Only what is wrong:",
            "wvds doctor --json --config /etc/wvds/config.json | jq -r '.findings[] | select(.level == \"problem\") | "
            ".text'"}},
          {{"problems", "number of findings of this level"},
           {"warnings", "number of findings of this level"},
           {"not_checked", "number of findings of this level"},
           {"findings[].level", "ok, warning, problem or not checked"},
           {"findings[].check", "what was looked at"},
           {"findings[].text", "what was seen"},
           {"findings[].cure", "what to do; null where there is nothing to do"}},
          {kConfig, kSocket},
          R"(0 no problem (there may be warnings); 1 at least one problem; 2 wrong usage.)",
          {"wvds(1)", "wvds-status(1)", "wvds_crypto_service(8)"}};
}

Prose audit() {
  return {
      "audit",
      R"(The service keeps a log of every management operation, denial and failure, in which each entry vouches for the one before it.)",
      {{"Whether it is whole:", "wvds audit verify --config /etc/wvds/config.json"}},
      {},
      {},
      nullptr,
      {"wvds(1)", "wvds-audit-verify(1)"}};
}

Prose audit_verify() {
  return {
      "audit verify",
      R"(Checks the audit log's files: that each entry follows the one before it unchanged, and that the end is the one that the running service wrote.
Changes nothing. It must be run by somebody who can read the log, the service's user or root, and asks the service with the right "metrics".)",
      {{"The whole log:", "wvds audit verify --config /etc/wvds/config.json"}},
      {{"first", "number of the oldest entry that is kept"},
       {"last", "number of the newest entry"},
       {"hash", "of the newest entry, 64 hex digits"},
       {"files", "that were read, the oldest first"},
       {"end_is_checked", "whether the service confirmed the end"},
       {"problems", "texts; none where the log is whole"}},
      {kConfig, kSocket},
      R"(0 the log is whole; 1 an entry was changed or removed, or the log can't be read; 2 wrong usage;
3 the entries belong together, but the service could not be asked for the end.)",
      {"wvds(1)", "wvds-audit(1)", "wvds_crypto_service(8)"}};
}

Prose completion() {
  return {"completion",
          R"(Prints a script that completes commands, options, files and keys.
Keys are asked from the service; where none answers, nothing is offered.)",
          {{"For bash, in ~/.bashrc:", "source <(wvds completion bash)"},
           {"For zsh, in a folder of $fpath:", "wvds completion zsh > _wvds"}},
          {},
          {},
          nullptr,
          {"wvds(1)"}};
}

}  // namespace

std::vector<Prose> service_command_prose() {
  return {top(), status(), capabilities(), bench(), doctor(), audit(), audit_verify(), completion()};
}

const Prose& service_prose() {
  static const Prose prose{
      "",
      R"(Keeps secret keys in memory of its own and in an encrypted store, and does the cryptography for the programs that its configuration names.
Programs reach it through a Unix socket and shared memory, with the library libl4re_crypto_service; wvds(1) is a program for people.

It reads its configuration and nothing else: no environment, no command line but the options below.
It stays in the foreground, logs to standard error, and tells a service manager when it is ready (sd_notify).

SIGHUP makes it read the configuration again, without dropping a client; one that is wrong is refused as a whole, and the old one stays in force.
SIGTERM and SIGINT end it: requests that were taken are finished first.)",
      {{"Is the configuration right?", "wvds_crypto_service --config config.json --check-config"}},
      {},
      {kConfig, {"/run/wvds/crypto.sock", "the socket, unless socket.path names another"}},
      R"(0 stopped as asked, or the configuration is right; 1 failure, the log says why;
2 wrong command line or configuration.)",
      {"wvds(1)", "wvds-doctor(1)"}};
  return prose;
}

}  // namespace wvds::tool
