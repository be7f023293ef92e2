#include "keystore/store_inspect.h"
#include "tools/wvds/names.h"
#include "tools/wvds/report.h"
#include "tools/wvds/store/store_access.h"

// store verify
namespace wvds::tool {
namespace {

struct StoreVerifyOptions {
  std::string config = kDefaultConfig;
  bool as_json = false;
};

std::string count_text(const keystore::StoreInspection& found) {
  return number_text(found.records) + ", with " + number_text(found.versions) + " good key versions";
}

std::string result_text(size_t faults) {
  if (faults == 0) return "all is well";
  return number_text(faults) + (faults == 1 ? " fault" : " faults");
}

Report report_of(const StoreAccess& access, const keystore::OpenedStore& opened,
                 const keystore::StoreInspection& found) {
  const std::string id = keystore::store_id_text(opened.id());
  const char* const protector = keystore::place_word(opened.header.fields.protector);
  Report report;
  report.line("store", access.settings().path, {{"store", access.settings().path}});
  report.line("id", id, {{"id", id}});
  report.line("protector", protector, {{"protector", protector}});
  report.line("records", count_text(found), {{"records", found.records}, {"good_versions", found.versions}});
  if (found.inside_token != 0) report.only_text(padded("in a token", 15) + number_text(found.inside_token));
  report.only_json({{"inside_token", found.inside_token}});
  Json faults = Json::array();
  for (const keystore::StoreFault& fault : found.faults) {
    report.only_text(padded(fault.name, 15) + fault.what);
    faults.push_back({{"name", fault.name}, {"what", fault.what}});
  }
  report.only_json({{"faults", faults}});
  report.line("result", result_text(found.faults.size()), {{"all_is_well", found.all_is_well()}});
  return report;
}

Outcome<> run_store_verify(const Tool&, const StoreVerifyOptions& options) {
  TOOL_ASSIGN(access, StoreAccess::open(options.config, Access::kLook));
  TOOL_ASSIGN(opened, access->open_store());
  const auto found = keystore::inspect_store(access->medium(), access->library(), opened);
  if (!found) return access->broken(found.error());
  TOOL_TRY(print(report_of(*access, opened, *found), options.as_json));
  if (found->all_is_well()) return {};
  return failed("the store in " + access->settings().path + " has " + result_text(found->faults.size()));
}

}  // namespace

void add_verify_command(CLI::App& store, Tool& tool) {
  auto* command = store.add_subcommand("verify", "Check every file of the store, and change nothing");
  auto options = std::make_shared<StoreVerifyOptions>();
  add_config(command, options->config);
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_store_verify);
}

}  // namespace wvds::tool
