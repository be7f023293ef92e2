#include "crypto/providers.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <string_view>
#include <vector>

#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

// The section that `openssl fipsinstall` writes.
constexpr const char* kFipsSection = "fips_sect";

// Keys of that section that are meant for OpenSSL's configuration loader, not for the module.
bool is_for_the_loader(std::string_view key) {
  return key == "activate" || key == "identity" || key == "module" || key == "soft_load";
}

std::unexpected<Error> fips_failure(const FipsFiles& files, const std::string& what) {
  const std::string module = files.modules_dir + "/fips.so";
  return openssl_failure(Status::kCryptoError, "the FIPS provider can't be used (module " + module +
                                                   ", configuration " + files.config +
                                                   "; `openssl fipsinstall -module " + module + " -out " +
                                                   files.config + "` writes a matching configuration): " + what);
}

Result<ConfHandle> read_config(OSSL_LIB_CTX* context, const FipsFiles& files) {
  ConfHandle conf(NCONF_new_ex(context, nullptr));
  long line = 0;
  if (!conf || NCONF_load(conf.get(), files.config.c_str(), &line) <= 0) {
    const std::string where = line > 0 ? " at line " + std::to_string(line) : "";
    return fips_failure(files, "the configuration can't be read" + where);
  }
  return conf;
}

Result<std::vector<OSSL_PARAM>> module_parameters(const CONF* conf, const FipsFiles& files) {
  const STACK_OF(CONF_VALUE)* section = NCONF_get_section(conf, kFipsSection);
  if (section == nullptr)
    return fips_failure(files, std::string("the configuration has no section [") + kFipsSection + "]");
  std::vector<OSSL_PARAM> parameters;
  for (int i = 0; i < sk_CONF_VALUE_num(section); ++i) {
    const CONF_VALUE* entry = sk_CONF_VALUE_value(section, i);
    if (is_for_the_loader(entry->name)) continue;
    parameters.push_back(OSSL_PARAM_construct_utf8_string(entry->name, entry->value, 0));
  }
  parameters.push_back(OSSL_PARAM_construct_end());
  return parameters;
}

// new_context never reads OPENSSL_CONF (only the default context would) nor, with a search path of its own,
// OPENSSL_MODULES.
Result<LibCtxHandle> new_context(const std::string& modules_dir) {
  LibCtxHandle context(OSSL_LIB_CTX_new());
  if (!context || OSSL_PROVIDER_set_default_search_path(context.get(), modules_dir.c_str()) != 1) {
    return openssl_failure(Status::kCryptoError, "no library context could be made");
  }
  return context;
}

}  // namespace

Result<Providers> load_fips_providers(const FipsFiles& files) {
  Providers loaded;
  WVDS_ASSIGN(context, new_context(files.modules_dir));
  loaded.context = std::move(context);
  WVDS_ASSIGN(conf, read_config(loaded.context.get(), files));
  WVDS_ASSIGN(parameters, module_parameters(conf.get(), files));
  loaded.algorithms.reset(OSSL_PROVIDER_load_ex(loaded.context.get(), "fips", parameters.data()));
  if (!loaded.algorithms) return fips_failure(files, "it did not load or its self-test failed");
  loaded.encodings.reset(OSSL_PROVIDER_load(loaded.context.get(), "base"));
  if (!loaded.encodings || EVP_set_default_properties(loaded.context.get(), "fips=yes") != 1) {
    return fips_failure(files, "OpenSSL's base provider did not load beside it");
  }
  return loaded;
}

Result<Providers> load_default_providers(const std::string& modules_dir) {
  Providers loaded;
  WVDS_ASSIGN(context, new_context(modules_dir));
  loaded.context = std::move(context);
  loaded.algorithms.reset(OSSL_PROVIDER_load(loaded.context.get(), "default"));
  if (!loaded.algorithms) return openssl_failure(Status::kCryptoError, "OpenSSL's default provider did not load");
  return loaded;
}

std::string provider_title(const OSSL_PROVIDER* provider) {
  const char* name = "";
  const char* version = "";
  std::array parameters{OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, const_cast<char**>(&name), 0),
                        OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, const_cast<char**>(&version), 0),
                        OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider, parameters.data()) != 1) clear_openssl_errors();
  return std::string(name) + " " + version;
}

bool provider_runs(const OSSL_PROVIDER* provider) {
  int running = 0;
  std::array parameters{OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &running), OSSL_PARAM_construct_end()};
  const bool answered = OSSL_PROVIDER_get_params(provider, parameters.data()) == 1;
  if (!answered) clear_openssl_errors();
  return answered && running == 1;
}

}  // namespace wvds::crypto
