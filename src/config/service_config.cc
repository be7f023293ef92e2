#include "config/service_config.h"

#include <bit>

#include "config/client_section.h"
#include "config/engine_section.h"
#include "config/est_section.h"
#include "config/section.h"
#include "config/socket_section.h"
#include "config/store_section.h"

namespace wvds::config {
namespace {

// read_word_or_object reads "name": "word", short for "name": {"mode": "word"}.
template <class Value, class Read>
void read_word_or_object(Section& root, std::string_view name, Problems& problems, Value& mode,
                         const std::vector<std::pair<std::string_view, Value>>& words, Read read) {
  const JsonValue* value = root.find(name);
  if (value != nullptr && value->kind == JsonValue::Kind::kText) return root.choice(name, mode, words);
  read_object(root, name, problems, [&](Section& section) {
    section.choice("mode", mode, words);
    read(section);
  });
}

void read_locked_memory(Section& section, LockedMemorySettings& out) {
  section.number("bytes", out.bytes, 128 << 10, 1 << 30);
  if (!std::has_single_bit(out.bytes)) {
    section.problem(section.find("bytes")->line, "bytes",
                    "must be a power of two, such as " + std::to_string(std::bit_ceil(out.bytes)));
  }
}

void read_keys(Section& section, Keys& out) {
  section.number("use_limit", out.use_limit, 1, 1ull << 32);
  section.number("rotate_at_percent", out.rotate_at_percent, 0, 99);
  section.number("expanded_cache", out.expanded_cache, 1, 65536);
}

void read_replay_window(Section& section, ReplayWindow& out) {
  section.number("capacity", out.capacity, 1, 100'000'000);
  section.number("total_bytes", out.total_bytes, 1 << 20);
}

void read_sessions(Section& section, Sessions& out) {
  section.number("total", out.total, 1, 65535);
  section.number("slots", out.slots, 1, 64);
}

void read_metrics(Section& root, const Vocabulary& vocabulary, Problems& problems, Metrics& out) {
  const JsonValue* value = root.find("metrics");
  if (value == nullptr) return;
  if (!vocabulary.files) {
    return root.problem(value->line, "metrics",
                        "is not available on this system, which has no files to write to; clients with the right "
                        "\"metrics\" can ask for the figures");
  }
  read_object(root, "metrics", problems, [&](Section& section) {
    section.absolute_path("file", out.file);
    if (!section.has("file"))
      section.problem(section.line(), "file", "is missing: the file for the figures is needed here");
    section.number("interval_s", out.interval_s, 1, 3600);
  });
}

void read_audit(Section& root, const Vocabulary& vocabulary, Problems& problems, Audit& out) {
  const JsonValue* value = root.find("audit");
  if (value == nullptr) return;
  if (!vocabulary.files) {
    return root.problem(value->line, "audit",
                        "is not available on this system, which has no files to write to; the audit log goes where "
                        "the log goes");
  }
  read_object(root, "audit", problems, [&](Section& section) {
    section.absolute_path("folder", out.folder);
    section.number("max_bytes", out.max_bytes, 64 << 10, 1 << 30);
    section.number("files", out.files, 2, 1000);
  });
}

void read_modes(Section& root, Problems& problems, ServiceConfig& out) {
  read_word_or_object<Fips>(root, "fips", problems, out.fips.mode,
                            {{"required", Fips::kRequired}, {"preferred", Fips::kPreferred}, {"off", Fips::kOff}},
                            [&](Section& section) {
                              section.absolute_path("modules_dir", out.fips.modules_dir);
                              section.absolute_path("config", out.fips.config);
                            });
  read_word_or_object<LockedMemory>(root, "locked_memory", problems, out.locked_memory.mode,
                                    {{"required", LockedMemory::kRequired}, {"preferred", LockedMemory::kPreferred}},
                                    [&](Section& section) { read_locked_memory(section, out.locked_memory); });
  root.choice<Nonces>("nonce", out.nonces, {{"counter", Nonces::kCounter}, {"random", Nonces::kRandom}});
  root.choice<LogLevel>("log_level", out.log_level,
                        {{"debug", LogLevel::kDebug},
                         {"info", LogLevel::kInfo},
                         {"warning", LogLevel::kWarning},
                         {"error", LogLevel::kError}});
}

void read_root(const JsonValue& value, const Vocabulary& vocabulary, Problems& problems, ServiceConfig& out) {
  Section root(value, "", problems);
  if (value.kind != JsonValue::Kind::kObject) return;
  read_object(root, "socket", problems, [&](Section& section) { read_socket(section, out.socket); });
  read_store(root, vocabulary, problems, out.store);
  read_modes(root, problems, out);
  read_engines(root, vocabulary, problems, out);
  if (const JsonValue* rate = root.find("rate_limit")) read_rate_limit(*rate, "rate_limit", problems, out.rate_limit);
  read_object(root, "replay_window", problems,
              [&](Section& section) { read_replay_window(section, out.replay_window); });
  read_object(root, "sessions", problems, [&](Section& section) { read_sessions(section, out.sessions); });
  read_object(root, "keys", problems, [&](Section& section) { read_keys(section, out.keys); });
  read_metrics(root, vocabulary, problems, out.metrics);
  read_audit(root, vocabulary, problems, out.audit);
  read_clients(root, vocabulary, problems, out);
  read_est(root, vocabulary, problems, out.est);
  root.finish();
}

}  // namespace

std::expected<ServiceConfig, std::string> load_service_config(const std::string& file, std::string_view text,
                                                              const Vocabulary& vocabulary) {
  Problems problems(file);
  ServiceConfig config;
  if (auto parsed = parse_json(text); parsed) {
    read_root(*parsed, vocabulary, problems, config);
  } else {
    problems.add(parsed.error().line, "", "is not JSON: " + parsed.error().message);
  }
  if (!problems.empty()) return std::unexpected(problems.to_text());
  return config;
}

}  // namespace wvds::config
