#include "config/engine_section.h"

#include <algorithm>

namespace wvds::config {
namespace {

const std::vector<std::string_view> kAlgorithmNames{"ML-DSA-44",  "ML-DSA-65",  "ML-DSA-87",
                                                    "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};

// chosen_before names the engine that has the algorithm already; empty when none has.
std::string chosen_before(const std::vector<Engine>& engines, Algorithm algorithm) {
  for (size_t i = 0; i < engines.size(); ++i) {
    if (std::ranges::find(engines[i].algorithms, algorithm) != engines[i].algorithms.end())
      return item_path("engines", i);
  }
  return {};
}

// read_algorithm reads one item of "algorithms" of an engine; `before` are the engines that were read before.
void read_algorithm(Section& section, const JsonValue& item, const std::string& path, const std::vector<Engine>& before,
                    Engine& out) {
  if (item.kind != JsonValue::Kind::kText) return section.problem(item.line, path, "must be a text");
  const auto algorithm = algorithm_from_name(item.text);
  if (!algorithm || !is_post_quantum(*algorithm)) {
    return section.problem(
        item.line, path,
        "\"" + item.text + "\" is not an algorithm that an engine can serve" + word_advice(item.text, kAlgorithmNames));
  }
  const std::string taken = chosen_before(before, *algorithm);
  if (!taken.empty())
    return section.problem(item.line, path, "\"" + item.text + "\" is already an algorithm of " + taken);
  if (std::ranges::find(out.algorithms, *algorithm) != out.algorithms.end())
    return section.problem(item.line, path, "\"" + item.text + "\" stands twice");
  out.algorithms.push_back(*algorithm);
}

void read_algorithms(Section& section, const std::vector<Engine>& before, Engine& out) {
  if (!section.has("algorithms")) {
    return section.problem(section.line(), "algorithms",
                           "is missing: a list such as [\"ML-DSA-65\", \"ML-KEM-768\"] is needed here");
  }
  const std::vector<JsonValue>& items = section.list("algorithms");
  const JsonValue& list = *section.find("algorithms");
  if (list.kind == JsonValue::Kind::kList && items.empty())
    section.problem(list.line, "algorithms", "must name at least one algorithm");
  for (size_t i = 0; i < items.size(); ++i) read_algorithm(section, items[i], item_path("algorithms", i), before, out);
}

Engine read_engine(const JsonValue& value, const std::string& path, Problems& problems,
                   const std::vector<Engine>& before) {
  Section section(value, path, problems);
  Engine engine;
  section.required_text("module", engine.module);
  if (!engine.module.empty() && engine.module.front() != '/') {
    section.problem(section.find("module")->line, "module", "must be an absolute path, not \"" + engine.module + "\"");
  }
  read_algorithms(section, before, engine);
  section.required_text("properties", engine.properties);
  section.finish();
  return engine;
}

void refuse_contradictions(Section& root, int line, const ServiceConfig& config) {
  if (config.fips.mode == Fips::kRequired) {
    root.problem(line, "engines",
                 "contradicts \"fips\": \"required\": an engine's algorithms come from outside the FIPS module; take "
                 "the engine out, or set \"fips\" to \"preferred\"");
  }
  if (config.locked_memory.mode == LockedMemory::kRequired) {
    root.problem(line, "engines",
                 "contradicts \"locked_memory\": \"required\": an engine keeps expanded keys in memory of its own; "
                 "take the engine out, or set \"locked_memory\" to \"preferred\"");
  }
}

}  // namespace

void read_engines(Section& root, const Vocabulary& vocabulary, Problems& problems, ServiceConfig& out) {
  const JsonValue* list = root.find("engines");
  if (list == nullptr) return;
  if (!vocabulary.modules) {
    return root.problem(list->line, "engines", "is not available on this system, which loads no provider modules");
  }
  const std::vector<JsonValue>& items = root.list("engines");
  for (size_t i = 0; i < items.size(); ++i)
    out.engines.push_back(read_engine(items[i], item_path("engines", i), problems, out.engines));
  if (!items.empty()) refuse_contradictions(root, list->line, out);
}

}  // namespace wvds::config
