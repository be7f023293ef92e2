#include "bench/request.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#include "protocol/frame.h"

namespace wvds::bench {
Work::Work() : input_(protocol::kMaxRequestPayload), output_(protocol::kMaxAnswerPayload) {}

void Work::load(const Request& request) {
  request_ = &request;
  if (!request.payload.empty()) std::memcpy(input_.data(), request.payload.data(), request.payload.size());
}

void fill_random(MutableBytes out) {
  static std::mt19937_64 generator;
  size_t position = 0;
  while (position < out.size()) {
    const uint64_t value = generator();
    const size_t count = std::min(sizeof value, out.size() - position);
    std::memcpy(out.data() + position, &value, count);
    position += count;
  }
}

void read_all(Bytes bytes) {
  uint64_t sum = 0;
  size_t position = 0;
  for (; position + sizeof sum <= bytes.size(); position += sizeof sum) {
    uint64_t value;
    std::memcpy(&value, bytes.data() + position, sizeof value);
    sum += value;
  }
  for (; position < bytes.size(); ++position) sum += static_cast<uint8_t>(bytes[position]);
  benchmark::DoNotOptimize(sum);
}

}  // namespace wvds::bench
