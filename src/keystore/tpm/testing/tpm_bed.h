#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "keystore/testing/store_bed.h"
#include "keystore/tpm/testing/swtpm.h"
#include "keystore/tpm/tpm_protector.h"

namespace wvds::keystore::testing {

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// TpmBed is a software TPM and a folder, its own, with a file "auth" for the authorisation value.
struct TpmBed {
  explicit TpmBed(const std::string& banks = "") : tpm(banks) {}

  std::string path(const std::string& name) const { return tpm.folder() + "/" + name; }
  FileName file(const std::string& name) const { return file_name(path(name)); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    EXPECT_EQ(::chmod(path(name).c_str(), 0600), 0);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::unique_ptr<Protector> protector(const std::function<void(TpmSettings&)>& settle = {}) const {
    TpmSettings settings{.tcti = tpm.tcti(), .auth = file("auth")};
    if (settle) settle(settings);
    return make_tpm_protector(std::move(settings));
  }

  Swtpm tpm;
};

}  // namespace wvds::keystore::testing
