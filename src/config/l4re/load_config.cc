#include "config/l4re/load_config.h"

#include <cstdio>
#include <memory>

#include "config/json.h"

namespace wvds::config {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::expected<std::string, std::string> read_module(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return std::unexpected(path + ": no such boot module\n");
  std::string text(kMaxJsonSize + 1, '\0');  // one more than allowed: the parser then says that it is too large
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return std::unexpected(path + ": can't be read\n");
  return text;
}

}  // namespace

std::expected<ServiceConfig, std::string> load_config(const std::string& path,
                                                      std::vector<std::string_view> operations) {
  Vocabulary vocabulary;
  vocabulary.operations = std::move(operations);
  const auto text = read_module(path);
  if (!text) return std::unexpected(text.error());
  return load_service_config(path, *text, vocabulary);
}

}  // namespace wvds::config
