#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

// A software TPM for tests, on Unix sockets in a folder of its own. Linux only.
namespace wvds::keystore::testing {

// swtpm_missing names the programs that are needed and not installed; empty where all are there. For GTEST_SKIP.
std::string swtpm_missing();

// Swtpm is one TPM without a resource manager: it has room for three sessions and three objects, and none of them ends
// by itself. Dictionary-attack lockout begins after three failures. The destructor kills it, waits for its end and
// removes its folder. Make and use it from one thread; that thread's end would end the TPM too.
class Swtpm {
 public:
  // With `banks`, such as "sha256", only those banks of PCRs.
  explicit Swtpm(const std::string& banks = "");
  ~Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  // start switches the TPM on and returns when it answers; power_off ends it at once, its state stays.
  void start();
  void power_off();
  bool is_on() const { return pid_ > 0; }

  // freeze lets it take commands and answer none; thaw lets it go on with them.
  void freeze() const;
  void thaw() const;

  // tcti is how a program reaches it.
  std::string tcti() const { return tcti_of(socket_path()); }
  static std::string tcti_of(const std::string& socket_path) { return "swtpm:path=" + socket_path; }
  std::string socket_path() const { return folder_ + "/tpm"; }  // with ".ctrl" added: the control socket
  const std::string& folder() const { return folder_; }

  // run runs one of tpm2-tools on this TPM and returns what it printed; a failure of the test when it fails.
  std::string run(const std::vector<std::string>& command) const;

  // extend changes a PCR: "7:sha256=00..." as tpm2_pcrextend takes it, of 32 bytes `byte`.
  void extend_pcr(int pcr, const std::string& bank = "sha256") const;

  // property reads one of the TPM's variable properties, such as "TPM2_PT_HR_LOADED".
  uint32_t property(const std::string& name) const;

 private:
  std::string folder_;
  pid_t pid_ = 0;
};

// TpmWiretap is somebody on the bus: a relay between a program and a software TPM that keeps every byte in either
// direction.
class TpmWiretap {
 public:
  explicit TpmWiretap(const Swtpm& tpm);
  ~TpmWiretap();

  std::string tcti() const;
  std::vector<std::byte> heard() const;

 private:
  class Relay;
  std::string folder_;
  std::unique_ptr<Relay> commands_;
  std::unique_ptr<Relay> control_;
};

}  // namespace wvds::keystore::testing
