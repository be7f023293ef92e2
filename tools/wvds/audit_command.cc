#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "config/service_config.h"
#include "platform/linux/folder_names.h"
#include "platform/linux/unique_fd.h"
#include "service/audit_chain.h"
#include "service/linux/audit_names.h"
#include "service/linux/load_config.h"
#include "tools/wvds/commands.h"
#include "tools/wvds/report.h"

// audit
namespace wvds::tool {
namespace {

using service::AuditHead;

struct AuditOptions {
  std::string config = "/etc/wvds/config.json";
  bool as_json = false;
};

// Verified is what was found of a log.
struct Verified {
  uint64_t first = 0;
  AuditHead last;
  std::vector<std::string> files;
  std::vector<std::string> problems;
  std::optional<AuditHead> end;  // as the service says; nothing where it can't be asked
  std::string why_no_end;
  bool met_end = false;
};

std::optional<AuditHead> ask_end(const Tool& tool, std::string& why_not) {
  auto session = connect(tool.service);
  if (!session) {
    why_not = session.error().message;
    return std::nullopt;
  }
  auto metrics = std::make_unique<wvds_metrics>();
  if (const wvds_status status = wvds_metrics_get(session->get(), metrics.get()); status != WVDS_SUCCESS) {
    why_not = std::string("the service answers ") + wvds_status_name(status) + ": the right \"metrics\" is needed";
    return std::nullopt;
  }
  AuditHead end{.number = metrics->audit_entry, .hash = {}};
  std::memcpy(end.hash.data(), metrics->audit_hash, end.hash.size());
  return end;
}

Outcome<std::vector<std::string>> names_in(const std::string& folder) {
  const platform::UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto names = opened ? platform::folder_names(opened.get()) : std::nullopt;
  if (!names) return failed(folder + ": " + std::strerror(errno));
  return std::move(*names);
}

// text_in is a member's text; empty where it is none: whoever can write the log can write anything.
std::string text_in(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// check_entry notes what an entry itself tells of a log that was changed.
void check_entry(const std::string& where, const std::string& line, Verified& found) {
  const Json entry = Json::parse(line.substr(line.find(' ') + 1), nullptr, false);
  if (text_in(entry, "event") != "audit-broken") return;
  found.problems.push_back(where + ": the log before this entry was changed: " + text_in(entry, "detail"));
}

void check_end(const std::string& where, const AuditHead& head, Verified& found) {
  if (!found.end || head.number != found.end->number) return;
  found.met_end = true;
  if (head.hash != found.end->hash)
    found.problems.push_back(where + ": is not the entry that the service wrote: the log was written anew");
}

void verify_file(const std::string& path, service::ChainReader& reader, Verified& found) {
  std::ifstream file(path);
  if (!file) return found.problems.push_back(path + ": " + std::strerror(errno));
  found.files.push_back(path);
  reader.begin_file();
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    const std::string where = path + ":" + std::to_string(number);
    if (file.eof()) return;  // half a line: being written, or of a power cut
    const bool is_first = !reader.head();
    if (const Result<> taken = reader.take(line); !taken)
      return found.problems.push_back(where + ": this entry " + taken.error().detail);
    if (is_first) found.first = reader.head()->number;
    check_entry(where, line, found);
    check_end(where, *reader.head(), found);
    found.last = *reader.head();
  }
}

// The end is asked for first: what the service writes meanwhile comes after it.
Outcome<Verified> verify(const Tool& tool, const std::string& folder, const crypto::Library& library) {
  Verified found;
  found.end = ask_end(tool, found.why_no_end);
  TOOL_ASSIGN(names, names_in(folder));
  service::ChainReader reader(library);
  for (const std::string& name : service::former_audit_files(names)) verify_file(folder + "/" + name, reader, found);
  verify_file(folder + "/" + service::kCurrentAuditFile, reader, found);
  if (found.end && found.end->number != 0 && !found.met_end && found.problems.empty()) {
    found.problems.push_back(folder + ": entries up to " + std::to_string(found.end->number) +
                             " were written, the last one here is " + std::to_string(found.last.number));
  }
  return found;
}

Report verified_report(const Verified& found) {
  Report report;
  report.line("entries", std::to_string(found.first) + " to " + std::to_string(found.last.number),
              {{"first", found.first}, {"last", found.last.number}, {"hash", service::hash_text(found.last)}});
  report.line("files", std::to_string(found.files.size()), {{"files", found.files}});
  report.line("end", found.met_end ? "is the one that the service wrote" : "not compared with the service's",
              {{"end_is_checked", found.met_end}});
  for (const std::string& problem : found.problems) report.only_text("problem  " + problem);
  report.only_json({{"problems", found.problems}});
  return report;
}

Outcome<> run_verify(const Tool& tool, const AuditOptions& options) {
  const auto config = service::load_config(options.config);
  if (!config) return misused(config.error());
  crypto::LibraryConfig plain;
  plain.fips = crypto::FipsMode::kOff;
  const auto library = crypto::Library::load(plain);
  if (!library) return failed(library.error().detail);
  TOOL_ASSIGN(found, verify(tool, config::audit_folder(*config), **library));
  TOOL_TRY(print(verified_report(found), options.as_json));
  if (!found.problems.empty()) return failed("the audit log is not whole");
  if (found.end) return {};
  return std::unexpected(Failure{Exit::kNoService,
                                 "the entries belong together, but whether the last ones were removed only the running "
                                 "service can tell: " +
                                     found.why_no_end});
}

}  // namespace

void add_audit_commands(CLI::App& app, Tool& tool) {
  auto* audit = app.add_subcommand("audit", "The log of what was managed, denied and failed");
  audit->require_subcommand(1);
  auto* command = audit->add_subcommand("verify", "Check that no entry was changed or removed");
  auto options = std::make_shared<AuditOptions>();
  command->add_option("--config", options->config, "The service's configuration")->capture_default_str();
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_verify);
}

}  // namespace wvds::tool
