#include "service/engine_text.h"

namespace wvds::service {

std::string engine_algorithms(const crypto::EngineInfo& engine) {
  std::string names;
  for (const Algorithm algorithm : engine.algorithms)
    names += (names.empty() ? "" : ", ") + std::string(algorithm_info(algorithm)->name);
  return names;
}

std::string provider_text(const crypto::Library& library) {
  std::string text = library.provider();
  for (const crypto::EngineInfo& engine : library.engines())
    text += "; " + engine_algorithms(engine) + " by " + engine.title;
  return text;
}

}  // namespace wvds::service
