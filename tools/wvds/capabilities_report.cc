#include "tools/wvds/capabilities_report.h"

#include <algorithm>
#include <array>

#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

constexpr const char* kNextLine = "\n               ";  // under the values, behind the labels

std::vector<std::string> operation_names(const wvds_capability_list& offer) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < std::min<size_t>(offer.num_operations, sizeof offer.operations); ++i) {
    const char* name = wvds_operation_name(offer.operations[i]);
    names.push_back(name == nullptr ? std::to_string(offer.operations[i]) : name);
  }
  return names;
}

void add_sizes(Report& report, const wvds_capability_list& offer) {
  report.line("protocol",
              "version " + std::to_string(offer.protocol_version) + ", " + std::to_string(offer.num_slots) +
                  " requests of a session at once",
              {{"protocol_version", offer.protocol_version}, {"slots", offer.num_slots}});
  report.line("one request",
              "at most " + number_text(offer.max_aes_size) + " bytes to encrypt, " +
                  number_text(offer.max_mldsa_message_size) + " to sign, " + number_text(offer.max_random_size) +
                  " random",
              {{"max_aes_size", offer.max_aes_size},
               {"max_mldsa_message_size", offer.max_mldsa_message_size},
               {"max_random_size", offer.max_random_size},
               {"max_request_payload", offer.max_request_payload},
               {"max_answer_payload", offer.max_answer_payload}});
}

void add_key_rules(Report& report, const wvds_capability_list& offer) {
  const bool is_random = offer.nonces == WVDS_NONCES_RANDOM;
  report.line("keys",
              "at most " + std::to_string(offer.max_key_versions) + " versions, " + number_text(offer.use_limit) +
                  " encryptions each, " + (is_random ? "random nonces" : "nonces from a counter"),
              {{"max_key_versions", offer.max_key_versions},
               {"use_limit", offer.use_limit},
               {"nonces", is_random ? "random" : "counter"},
               {"window_capacity", offer.window_capacity}});
}

void add_quotas(Report& report, const wvds_capability_list& offer) {
  const std::array<std::pair<const char*, const wvds_quota*>, 7> quotas{{{"sessions", &offer.sessions},
                                                                         {"session_keys", &offer.session_keys},
                                                                         {"volatile_keys", &offer.volatile_keys},
                                                                         {"persistent_keys", &offer.persistent_keys},
                                                                         {"keys_per_minute", &offer.keys_per_minute},
                                                                         {"store_bytes", &offer.store_bytes},
                                                                         {"window_bytes", &offer.window_bytes}}};
  Json list = Json::object();
  std::vector<std::string> texts;
  for (const auto& [name, quota] : quotas) {
    list[name] = {{"used", quota->used}, {"limit", quota->limit}};
    texts.push_back(padded(name, 17) + number_text(quota->used) + " of " + number_text(quota->limit));
  }
  report.line("your limits", lines_of(texts, "", 1), {{"limits", std::move(list)}});
}

void add_algorithms(Report& report, const wvds_capability_list& offer) {
  Json list = Json::array();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < std::min(offer.num_algorithms, WVDS_MAX_ALGORITHMS); ++i) {
    const wvds_algorithm_offer& algorithm = offer.algorithms[i];
    list.push_back({{"algorithm", algorithm_text(algorithm.algorithm)},
                    {"provider", algorithm.provider},
                    {"is_inside_fips", algorithm.is_inside_fips != 0},
                    {"can_rotate", algorithm.can_rotate != 0},
                    {"can_be_inside_token", algorithm.can_be_inside_token != 0},
                    {"usages", usage_words(algorithm.possible_usages)},
                    {"default_usages", usage_words(algorithm.default_usages)},
                    {"import_formats", format_words(algorithm.import_formats)},
                    {"secret_size", algorithm.secret_size},
                    {"public_key_size", algorithm.public_key_size},
                    {"signature_size", algorithm.signature_size},
                    {"ciphertext_size", algorithm.ciphertext_size}});
    texts.push_back(padded(algorithm_text(algorithm.algorithm), 13) +
                    provider_text(algorithm.provider, algorithm.is_inside_fips));
  }
  report.line("algorithms", lines_of(texts, "", 1), {{"algorithms", std::move(list)}});
}

}  // namespace

std::string lines_of(const std::vector<std::string>& words, const char* between, size_t in_a_line) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : i % in_a_line == 0 ? kNextLine : between) + words[i];
  return text;
}

std::string rate_text(const wvds_capability_list& offer) {
  if (offer.requests_per_second == 0) return "no limit";
  return number_text(offer.requests_per_second) + " requests a second, burst " + number_text(offer.burst);
}

void add_rights(Report& report, const wvds_capability_list& offer) {
  report.line(
      "rate limit", rate_text(offer),
      {{"requests_per_second", offer.requests_per_second}, {"burst", offer.burst}, {"cooldown_ms", offer.cooldown_ms}});
  const auto operations = operation_names(offer);
  report.line("you may", lines_of(operations, " ", 5), {{"operations", operations}});
}

Report capabilities_report(const wvds_capability_list& offer) {
  Report report;
  add_sizes(report, offer);
  add_key_rules(report, offer);
  add_rights(report, offer);
  add_quotas(report, offer);
  report.only_json({{"fips_state", fips_state_word(offer.fips_state)}});
  add_algorithms(report, offer);
  return report;
}

}  // namespace wvds::tool
