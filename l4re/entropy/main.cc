// wvds_entropy: random numbers of the processor's own generator, for platforms that have no other server of the
// L4Re::Random interface. RDSEED or RDRAND on amd64; RNDRRS on arm64 where the processor has it, which a task can't
// find out by itself: the ned script says so with the argument "rndr". Where there is no generator it ends, and nobody
// gets anything: no entropy, no start.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <l4/re/env>
#include <l4/re/random>
#include <l4/re/util/br_manager>
#include <l4/re/util/object_registry>
#include <l4/sys/cxx/ipc_epiface>
#include <optional>
#include <string_view>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace {

constexpr int kTries = 100;  // more than the vendors' guides ask for

#if defined(__x86_64__)

struct Generator {
  bool has_rdseed = false;
  bool has_rdrand = false;

  bool probe(std::string_view) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0) has_rdrand = (c & (1u << 30)) != 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) has_rdseed = (b & (1u << 18)) != 0;
    return has_rdseed || has_rdrand;
  }

  std::optional<uint64_t> once() const {
    uint64_t value = 0;
    unsigned char is_valid = 0;
    if (has_rdseed) {
      asm volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(is_valid) : : "cc");
    } else {
      asm volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(is_valid) : : "cc");
    }
    return is_valid != 0 ? std::optional(value) : std::nullopt;
  }

  static void pause() { asm volatile("pause"); }
};

#elif defined(__aarch64__)

struct Generator {
  bool probe(std::string_view argument) const { return argument == "rndr"; }

  std::optional<uint64_t> once() const {
    constexpr uint64_t kZero = 1ull << 30;  // of NZCV: no number was to be had
    uint64_t value = 0, flags = 0;
    asm volatile("mrs %0, S3_3_C2_C4_1; mrs %1, nzcv" : "=r"(value), "=r"(flags) : : "cc");  // RNDRRS
    return (flags & kZero) == 0 ? std::optional(value) : std::nullopt;
  }

  static void pause() { asm volatile("yield"); }
};

#endif

// Server hands out at most 256 bytes a call, as getentropy() does.
class Server : public L4::Epiface_t<Server, L4Re::Random> {
 public:
  explicit Server(Generator generator) : generator_(generator) {}

  long op_get_random(L4Re::Random::Rights, l4_size_t size, L4::Ipc::Array_ref<char, unsigned long>& out) {
    constexpr unsigned long kMost = 256;
    const unsigned long count = std::min<unsigned long>({size, out.length, kMost});
    for (unsigned long i = 0; i < count; i += sizeof(uint64_t)) {
      const auto value = next();
      if (!value) return -L4_EIO;
      std::memcpy(out.data + i, &*value, std::min<unsigned long>(sizeof *value, count - i));
    }
    out.length = count;
    return static_cast<long>(count);
  }

  // The interface's notification interrupt: there is none.
  l4_ret_t op_info(L4::Icu::Rights, L4::Icu::_Info& info) {
    info.features = info.nr_irqs = info.nr_msis = 0;
    return L4_EOK;
  }
  l4_ret_t op_bind(L4::Icu::Rights, l4_umword_t, L4::Ipc::Snd_fpage) { return -L4_ENOSYS; }
  l4_ret_t op_unbind(L4::Icu::Rights, l4_umword_t, L4::Ipc::Snd_fpage) { return -L4_ENOSYS; }
  l4_ret_t op_msi_info(L4::Icu::Rights, l4_umword_t, l4_uint64_t, l4_icu_msi_info_t&) { return -L4_ENOSYS; }
  l4_ret_t op_unmask(L4::Icu::Rights, l4_umword_t) { return -L4_ENOREPLY; }
  l4_ret_t op_mask(L4::Icu::Rights, l4_umword_t) { return -L4_ENOREPLY; }
  l4_ret_t op_set_mode(L4::Icu::Rights, l4_umword_t, l4_umword_t) { return -L4_ENOSYS; }

 private:
  // A generator that repeats itself is broken (continuous test).
  std::optional<uint64_t> next() {
    for (int i = 0; i < kTries; ++i) {
      const auto value = generator_.once();
      if (value && value != std::exchange(last_, value)) return value;
      Generator::pause();
    }
    return std::nullopt;
  }

  const Generator generator_;
  std::optional<uint64_t> last_;
};

L4Re::Util::Registry_server<L4Re::Util::Br_manager_hooks> g_loop;

}  // namespace

int main(int argc, char** argv) {
  Generator generator;
  if (!generator.probe(argc > 1 ? argv[1] : "")) {
    std::printf("wvds_entropy: this processor has no generator of random numbers, or was not said to have one\n");
    return 1;
  }
  static Server server(generator);
  if (!g_loop.registry()->register_obj(&server, "rng").is_valid()) {
    std::printf("wvds_entropy: no capability \"rng\" to serve\n");
    return 1;
  }
  std::printf("wvds_entropy: ready\n");
  g_loop.loop();
}
