// What each protector costs: the unlocking, the first and a later use of a key, and the steady state. Prints a Markdown
// table. Arguments: MODE NAME=MEMBERS..., where MODE is the FIPS mode and MEMBERS are config.json's "protector" and the
// section of it. bench/key_storage.sh starts the TPM and the token that they name.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/linux/process.h"
#include "bench/linux/service.h"
#include "bench/samples.h"
#include "bench/stopwatch.h"
#include "config/service_config.h"
#include "crypto/library.h"
#include "keystore/hsm/linux/helper_main.h"
#include "service/linux/protectors.h"
#include "wvds_crypto.h"

namespace wvds::bench {
namespace {

constexpr int kUnlocks = 15;
constexpr int kStarts = 9;
constexpr int kRounds = 200;  // of kCalls calls, the protectors taking turns
constexpr int kCalls = 100;
constexpr size_t kBytes = 64;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "key_storage: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().detail);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void must(wvds_status status, const char* what) {
  if (status != WVDS_SUCCESS) give_up(std::string(what) + ": " + wvds_status_name(status));
}

struct Figures {
  Samples unlock, start, first_aes, later_aes, first_mldsa, later_mldsa, steady_aes, steady_mlkem;
};

// Client is a session with a service, and the calls that are measured.
class Client {
 public:
  explicit Client(const std::string& address) {
    must(wvds_connect(&session_, address.c_str(), WVDS_DEFAULT_TIMEOUT), "connect");
  }
  ~Client() { wvds_disconnect(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  uint32_t generate(wvds_algorithm algorithm, uint32_t usages = 0) {
    wvds_key_template wanted{};
    wanted.algorithm = algorithm;
    wanted.lifetime = WVDS_LIFETIME_PERSISTENT;
    wanted.usages = usages;
    uint32_t key = 0;
    must(wvds_key_generate(session_, &key, nullptr, nullptr, 0, &wanted), "key generate");
    return key;
  }

  void encrypt(uint32_t key, Samples& out) {
    timed(out, [&] {
      size_t length = 0;
      must(wvds_aes_encrypt(session_, answer_.data(), &length, answer_.size(), key, data_.data(), kBytes, nullptr, 0),
           "encrypt");
    });
  }
  void sign(uint32_t key, Samples& out) {
    timed(out, [&] {
      size_t length = 0;
      must(wvds_mldsa_sign(session_, answer_.data(), &length, answer_.size(), key, data_.data(), kBytes, nullptr, 0, 0),
           "sign");
    });
  }
  // decapsulate opens any ciphertext: FIPS 203 rejects implicitly, in the same time.
  void decapsulate(uint32_t key, Samples& out) {
    timed(out, [&] {
      must(wvds_mlkem_decaps(session_, answer_.data(), key, data_.data(), WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768)),
           "decapsulate");
    });
  }

 private:
  template <class Call>
  void timed(Samples& out, Call call) {
    Stopwatch watch;
    watch.start();
    call();
    watch.stop();
    out.add(watch.nanoseconds());
  }

  wvds_session* session_ = nullptr;
  std::array<uint8_t, 4096> data_{};
  std::array<uint8_t, 8192> answer_{};
};

// Option is one protector with a service of its own.
class Option {
 public:
  Option(std::string name, std::string members, const std::string& mode, const std::string& folder)
      : name_(std::move(name)), members_(std::move(members)) {
    service_ = must(ServiceProcess::prepare(WVDS_SERVICE_PROGRAM, folder + "/" + name_, mode == "required", members_));
  }

  void measure_unlocking(const crypto::Library& library) {
    const std::string text = "{\"store\": {\"path\": \"/store\", " + members_ +
                             "}, \"clients\": [{\"name\": \"a\", \"label\": \"a\", \"operations\": []}]}";
    config::Vocabulary words;
    words.tokens = true;
    const auto config = config::load_service_config(name_, text, words);
    if (!config) give_up(config.error());
    const auto protector = must(service::make_protector(config->store, config->store.protector));
    std::vector<std::byte> header;
    must(protector->create(library, header));
    for (int i = 0; i < kUnlocks; ++i) {
      Stopwatch watch;
      watch.start();
      must(protector->unlock(library, header));
      watch.stop();
      figures_.unlock.add(watch.nanoseconds());
    }
  }

  void make_keys() {
    must(service_->start());
    Client client(service_->address());
    aes_ = client.generate(WVDS_AES_256_GCM);
    mldsa_ = client.generate(WVDS_MLDSA_65);
    mlkem_ = client.generate(WVDS_MLKEM_768, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW);
  }

  void measure_start() {
    service_->stop();
    must(service_->start());
    figures_.start.add(service_->start_time_ms() * 1e6);
    Client client(service_->address());
    client.encrypt(aes_, figures_.first_aes);
    client.encrypt(aes_, figures_.later_aes);
    client.sign(mldsa_, figures_.first_mldsa);
    client.sign(mldsa_, figures_.later_mldsa);
  }

  void connect() { client_ = std::make_unique<Client>(service_->address()); }
  void measure_round() {
    for (int i = 0; i < kCalls; ++i) client_->encrypt(aes_, figures_.steady_aes);
    for (int i = 0; i < kCalls / 10; ++i) client_->decapsulate(mlkem_, figures_.steady_mlkem);
  }

  const std::string& name() const { return name_; }
  const Figures& figures() const { return figures_; }

 private:
  std::string name_;
  std::string members_;
  std::unique_ptr<ServiceProcess> service_;
  std::unique_ptr<Client> client_;
  uint32_t aes_ = 0, mldsa_ = 0, mlkem_ = 0;
  Figures figures_;
};

std::string cell(const Samples& samples, double unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3g (%.3g)", samples.quantile(0.5) / unit, samples.quantile(0.99) / unit);
  return text;
}

void print_table(const std::vector<std::unique_ptr<Option>>& options) {
  std::puts(
      "| protector | unlock, ms | start to first answer, ms | AES-256-GCM 64 B, first use, µs | later, µs | ML-DSA-65 "
      "sign, first use, µs | later, µs | steady AES-256-GCM 64 B, µs | of the first row's | steady ML-KEM-768 decaps, "
      "µs | of the first row's |");
  std::puts("|---|---|---|---|---|---|---|---|---|---|---|");
  const Figures& base = options.front()->figures();
  for (const auto& option : options) {
    const Figures& f = option->figures();
    std::printf("| %s | %s | %s | %s | %s | %s | %s | %s | %.2f | %s | %.2f |\n", option->name().c_str(),
                cell(f.unlock, 1e6).c_str(), cell(f.start, 1e6).c_str(), cell(f.first_aes, 1e3).c_str(),
                cell(f.later_aes, 1e3).c_str(), cell(f.first_mldsa, 1e3).c_str(), cell(f.later_mldsa, 1e3).c_str(),
                cell(f.steady_aes, 1e3).c_str(), f.steady_aes.quantile(0.5) / base.steady_aes.quantile(0.5),
                cell(f.steady_mlkem, 1e3).c_str(), f.steady_mlkem.quantile(0.5) / base.steady_mlkem.quantile(0.5));
  }
}

int run(const std::string& mode, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  crypto::LibraryConfig wanted;
  wanted.fips = mode == "required" ? crypto::FipsMode::kRequired : crypto::FipsMode::kOff;
  const auto library = must(crypto::Library::load(wanted));
  std::vector<std::unique_ptr<Option>> options;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) give_up(argument + ": must be NAME=MEMBERS");
    options.push_back(
        std::make_unique<Option>(argument.substr(0, equals), argument.substr(equals + 1), mode, folder.path()));
  }
  for (const auto& option : options) option->make_keys();
  for (const auto& option : options) option->measure_unlocking(*library);
  for (int i = 0; i < kStarts; ++i) {
    for (const auto& option : options) option->measure_start();
  }
  for (const auto& option : options) option->connect();
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& option : options) option->measure_round();
  }
  print_table(options);
  return 0;
}

}  // namespace
}  // namespace wvds::bench

int main(int argc, char** argv) {
  if (const auto code = wvds::keystore::hsm::run_as_helper(argc, argv)) return *code;
  if (argc < 3) {
    std::fputs("usage: key_storage required|off NAME=MEMBERS...; bench/key_storage.sh calls it\n", stderr);
    return 2;
  }
  return wvds::bench::run(argv[1], {argv + 2, argv + argc});
}
