#include "keystore/hsm/testing/soft_token.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "keystore/hsm/linux/helper_process.h"

namespace wvds::keystore::hsm::testing {
namespace {

constexpr const char* kModules[] = {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                                    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};

bool exists(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

}  // namespace

std::string SoftTokens::module() {
  for (const char* path : kModules) {
    if (exists(path)) return path;
  }
  return {};
}

std::string SoftTokens::faulty_module() { return WVDS_FAULTY_PKCS11; }

std::string why_no_soft_token() {
  if (SoftTokens::module().empty()) return "NOT RUN: SoftHSM is not installed (package softhsm2)";
  if (std::system("softhsm2-util --version > /dev/null 2>&1") != 0)
    return "NOT RUN: softhsm2-util is not installed (package softhsm2)";
  return {};
}

SoftTokens::SoftTokens() {
  std::string name = ::testing::TempDir() + "wvds-tokens-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  std::filesystem::create_directory(folder_ + "/tokens");
  write("softhsm2.conf", "directories.tokendir = " + folder_ + "/tokens\nlog.level = ERROR\n");
  ::setenv("SOFTHSM2_CONF", (folder_ + "/softhsm2.conf").c_str(), 1);
  ::setenv("WVDS_FAULTY_REAL", module().c_str(), 1);
  ::setenv("WVDS_FAULTY_ORDERS", (folder_ + "/orders").c_str(), 1);
}

SoftTokens::~SoftTokens() {
  for (const char* name : {"SOFTHSM2_CONF", "WVDS_FAULTY_REAL", "WVDS_FAULTY_ORDERS"}) ::unsetenv(name);
  std::filesystem::remove_all(folder_);
}

void SoftTokens::add(const std::string& label) {
  const std::string command = "softhsm2-util --init-token --free --label '" + label + "' --so-pin " + kSoPin +
                              " --pin " + kPin + " > " + folder_ + "/log 2>&1";
  if (std::system(command.c_str()) != 0) ADD_FAILURE() << command;
}

void SoftTokens::order(const std::string& orders) const { write("orders", orders); }

std::string SoftTokens::write(const std::string& name, const std::string& content) const {
  const std::string path = folder_ + "/" + name;
  std::ofstream(path) << content;
  ::chmod(path.c_str(), 0600);
  return path;
}

std::shared_ptr<TokenSession> SoftTokens::session(const std::string& token, const std::string& pin,
                                                  const std::string& module, std::chrono::milliseconds deadline) const {
  auto selector = parse_token(token);
  auto helper = start_helper(deadline);
  if (!selector || !helper) {
    ADD_FAILURE() << "no session";
    return nullptr;
  }
  return std::make_shared<TokenSession>(
      SessionSettings{module, *selector},
      make_file_pin(file_name(write("pin-" + std::to_string(pin.size()) + pin.substr(0, 1), pin + "\n"))),
      std::move(*helper));
}

}  // namespace wvds::keystore::hsm::testing
