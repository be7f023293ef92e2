// The shared library exports what include/wvds_crypto.h declares, and nothing else.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  if (!pipe) return output;
  char part[4096];
  while (fgets(part, sizeof part, pipe.get()) != nullptr) output += part;
  return output;
}

std::set<std::string> declared() {
  std::set<std::string> names;
  std::ifstream file(WVDS_SOURCE_DIR "/include/wvds_crypto.h");
  std::stringstream all;
  all << file.rdbuf();
  const std::string header = all.str();
  constexpr std::string_view kMark = "\nWVDS_EXPORT ";
  for (size_t at = header.find(kMark); at != std::string::npos; at = header.find(kMark, at + 1)) {
    const size_t end = header.find('(', at);  // ... type name(
    const size_t begin = header.find_last_of(" *", end) + 1;
    names.insert(header.substr(begin, end - begin));
  }
  return names;
}

std::set<std::string> exported() {
  std::istringstream lines(output_of(std::string(NM) + " -D --defined-only " + CLIENT_LIBRARY));
  std::set<std::string> names;
  for (std::string address, kind, name; lines >> address >> kind >> name;) {
    if (kind == "A") continue;  // the version's own name
    names.insert(name.substr(0, name.find('@')));
  }
  return names;
}

TEST(ClientLibrary, ExportsWhatItsHeaderDeclares) {
  ASSERT_GT(declared().size(), 30u);
  EXPECT_EQ(exported(), declared());
}

TEST(ClientLibrary, IsVersionOneToTheLoader) {
  const std::string dynamic = output_of(std::string(READELF) + " -d " + CLIENT_LIBRARY);
  EXPECT_NE(dynamic.find("Library soname: [libl4re_crypto_service.so.1]"), std::string::npos) << dynamic;
}

TEST(ClientLibrary, DependsOnNoCryptographicLibrary) {
  const std::string dynamic = output_of(std::string(READELF) + " -d " + CLIENT_LIBRARY);
  EXPECT_EQ(dynamic.find("libcrypto"), std::string::npos) << dynamic;
  EXPECT_EQ(dynamic.find("libssl"), std::string::npos) << dynamic;
}

}  // namespace
