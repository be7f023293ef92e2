#include "config/client_section.h"

#include <algorithm>

namespace wvds::config {
namespace {

constexpr uint64_t kMaxKeysOfAKind = 65536;

void read_limits(const JsonValue& value, const std::string& path, Problems& problems, Limits& out) {
  Section section(value, path, problems);
  section.number("sessions", out.sessions, 1, 65535);
  section.number("session_keys", out.session_keys, 0, kMaxKeysOfAKind);
  section.number("volatile_keys", out.volatile_keys, 0, kMaxKeysOfAKind);
  section.number("persistent_keys", out.persistent_keys, 0, kMaxKeysOfAKind);
  section.number("keys_per_minute", out.keys_per_minute);
  section.number("store_bytes", out.store_bytes);
  section.number("window_bytes", out.window_bytes);
  section.finish();
}

Usages read_usages(Section& section) {
  std::vector<std::string_view> known;
  for (unsigned bit = 1; bit <= static_cast<unsigned>(Usage::kTlsAndCsr); bit <<= 1) {
    known.emplace_back(usage_name(static_cast<Usage>(bit)));
  }
  Usages usages = 0;
  read_words(section, "usages", [&](const JsonValue& item, const std::string& path) {
    if (const auto usage = usage_from_name(item.text)) {
      usages = usages | *usage;
    } else {
      section.problem(item.line, path, "\"" + item.text + "\" is not a usage" + word_advice(item.text, known));
    }
  });
  return usages;
}

void read_grant_context(Section& section, KeyGrant& grant) {
  const JsonValue* value = section.find("context");
  if (value == nullptr) return;
  if (value->kind != JsonValue::Kind::kText || value->text.size() > kMaxContextSize) {
    return section.problem(
        value->line, "context",
        "must be a text of at most " + std::to_string(kMaxContextSize) + " bytes, the context string of FIPS 204");
  }
  grant.context = value->text;
}

KeyGrant read_grant(const JsonValue& value, const std::string& path, Problems& problems) {
  Section section(value, path, problems);
  KeyGrant grant;
  section.number("id", grant.id, 1);
  grant.usages = read_usages(section);
  read_grant_context(section, grant);
  if (!section.has("id"))
    section.problem(section.line(), "id", "is missing: the id of another client's key is needed here");
  if (!section.has("usages"))
    section.problem(section.line(), "usages", "is missing: a list such as [\"encrypt\"] is needed here");
  section.finish();
  return grant;
}

void read_grants(Section& client, Problems& problems, Client& out) {
  const std::vector<JsonValue>& items = client.list("keys");
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string name = item_path("keys", i);
    const KeyGrant grant = read_grant(items[i], client.path_of(name), problems);
    const auto same_key = [&](const KeyGrant& other) { return other.id == grant.id; };
    if (grant.id != 0 && std::ranges::any_of(out.grants, same_key)) {
      client.problem(items[i].line, name,
                     "key " + std::to_string(grant.id) + " is granted twice: put all usages into one grant");
    }
    out.grants.push_back(grant);
  }
}

void read_operations(Section& client, const Vocabulary& vocabulary, Client& out) {
  if (!client.has("operations")) {
    client.problem(client.line(), "operations",
                   "is missing: a list such as [\"aes-encrypt\", \"aes-decrypt\"] is needed here");
  }
  read_words(client, "operations", [&](const JsonValue& item, const std::string& path) {
    if (std::ranges::find(vocabulary.operations, item.text) == vocabulary.operations.end()) {
      client.problem(item.line, path,
                     "\"" + item.text + "\" is not an operation" + word_advice(item.text, vocabulary.operations));
    }
    out.operations.push_back(item.text);
  });
}

// read_number_or_name reads an id that may stand as a number under `number` or as a name under `name`.
template <class LookUp>
void read_number_or_name(Section& client, std::string_view number, std::string_view name, LookUp look_up,
                         std::optional<uint32_t>& out) {
  if (client.has(number)) client.number(number, out.emplace(0), 0, UINT32_MAX - 1);
  std::string text;
  client.text(name, text);
  if (text.empty()) return;
  const int line = client.find(name)->line;
  if (out) return client.problem(line, name, "stands beside \"" + std::string(number) + "\": give one of the two");
  out = look_up(text);
  if (!out) client.problem(line, name, "there is no " + std::string(name) + " \"" + text + "\" on this machine");
}

void read_identity(Section& client, const Vocabulary& vocabulary, Client& out) {
  if (vocabulary.users == nullptr) {
    out.label = out.name;
    return client.text("label", out.label);
  }
  const Users& users = *vocabulary.users;
  read_number_or_name(client, "uid", "user", [&](const std::string& name) { return users.user_id(name); }, out.uid);
  read_number_or_name(client, "gid", "group", [&](const std::string& name) { return users.group_id(name); }, out.gid);
  if (!client.has("uid") && !client.has("user") && !client.has("gid") && !client.has("group")) {
    client.problem(client.line(), "",
                   "does not say who this client is: give \"uid\" or \"user\", \"gid\" or \"group\"");
  }
}

void read_name(Section& client, Client& out) {
  client.required_text("name", out.name);
  if (out.name.empty() || is_name(out.name)) return;
  client.problem(client.find("name")->line, "name",
                 "\"" + out.name + "\" must be 1 to 32 letters, digits, '-', '_' or '.'");
}

Client read_client(const JsonValue& value, const std::string& path, const Vocabulary& vocabulary, Problems& problems,
                   const RateLimit& rate_limit) {
  Client out;
  out.rate_limit = rate_limit;
  Section client(value, path, problems);
  read_name(client, out);
  read_identity(client, vocabulary, out);
  read_operations(client, vocabulary, out);
  read_grants(client, problems, out);
  if (const JsonValue* limits = client.find("limits"))
    read_limits(*limits, client.path_of("limits"), problems, out.limits);
  if (const JsonValue* rate = client.find("rate_limit")) {
    read_rate_limit(*rate, client.path_of("rate_limit"), problems, out.rate_limit);
  }
  client.finish();
  return out;
}

// note_conflict notes when `client` can't be told from an earlier one.
void note_conflict(const std::vector<Client>& earlier, const Client& client, Section& root, int line,
                   const std::string& path) {
  for (size_t i = 0; i < earlier.size(); ++i) {
    const Client& other = earlier[i];
    if (!client.name.empty() && other.name == client.name) {
      root.problem(line, path, "the name \"" + client.name + "\" is already that of " + item_path("clients", i));
    } else if (other.uid == client.uid && other.gid == client.gid && other.label == client.label &&
               (client.uid || client.gid || !client.label.empty())) {
      root.problem(
          line, path,
          "the same processes are already " + item_path("clients", i) + ": each needs a uid or gid of its own");
    }
  }
}

}  // namespace

void read_rate_limit(const JsonValue& value, const std::string& path, Problems& problems, RateLimit& out) {
  Section section(value, path, problems);
  section.number("requests_per_second", out.requests_per_second, 0, 10'000'000);
  section.number("burst", out.burst, 1, 1'000'000);
  section.number("cooldown_ms", out.cooldown_ms, 0, 3'600'000);
  section.finish();
}

void read_clients(Section& root, const Vocabulary& vocabulary, Problems& problems, ServiceConfig& out) {
  const std::vector<JsonValue>& items = root.list("clients");
  if (const JsonValue* list = root.find("clients"); list == nullptr) {
    root.problem(root.line(), "clients", "is missing: a list of the programs that may use the service is needed here");
  } else if (list->kind == JsonValue::Kind::kList && (items.empty() || items.size() > kMaxClients)) {
    root.problem(list->line, "clients", "must have 1 to " + std::to_string(kMaxClients) + " entries");
  }
  for (size_t i = 0; i < std::min(items.size(), kMaxClients); ++i) {
    const std::string path = item_path("clients", i);
    Client client = read_client(items[i], root.path_of(path), vocabulary, problems, out.rate_limit);
    note_conflict(out.clients, client, root, items[i].line, path);
    out.clients.push_back(std::move(client));
  }
}

}  // namespace wvds::config
