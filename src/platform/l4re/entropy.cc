#include <cerrno>
#include <cstddef>
#include <l4/re/env>
#include <l4/re/random>

// getentropy is where OpenSSL's seed source gets its bytes. They come from the entropy server behind the capability
// "rng"; without it, or when it fails, there are none, and the service does not start. Nothing else on L4Re will do:
// std::random_device is a fixed sequence on arm64.
extern "C" int getentropy(void* buffer, size_t length) {
  constexpr size_t kMost = 256;  // as POSIX has it
  const auto server = L4Re::Env::env()->get_cap<L4Re::Random>("rng");
  auto* out = static_cast<char*>(buffer);
  size_t left = length <= kMost && server.is_valid() ? length : 0;
  bool failed = left != length;
  while (left > 0 && !failed) {
    L4::Ipc::Array<char, unsigned long> chunk(left, out);
    const long got = server->get_random(left, &chunk);
    failed = got <= 0 || static_cast<size_t>(got) > left;
    if (!failed) out += got, left -= static_cast<size_t>(got);
  }
  if (failed) errno = EIO;
  return failed ? -1 : 0;
}
