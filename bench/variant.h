#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bench/request.h"
#include "bench/samples.h"
#include "bench/stopwatch.h"

namespace wvds::bench {

// Variant is one way to do an operation: in process, bare hand-over, service.
class Variant {
 public:
  virtual ~Variant() = default;

  // wake gets the other process going, if there is one: what follows is measured hot.
  virtual Result<> wake() { return {}; }

  // measure does all requests, one after the other, and adds a sample for each. Only the call itself is timed; loading
  // its data and cleaning up after it are not.
  virtual Result<> measure(std::span<const Request> requests, Samples& samples);

 protected:
  // once does one request whose data is in `work`, with the stopwatch running only as long as the call. A variant that
  // overrides measure needs none.
  virtual Result<> once(Work& work, Stopwatch& watch);

 private:
  Work work_;
};

// CallVariant is a variant made of functions: `call` is timed, `after` is not and may be empty.
class CallVariant : public Variant {
 public:
  using Step = std::function<Result<>(Work&)>;

  explicit CallVariant(Step call, Step after = {}) : call_(std::move(call)), after_(std::move(after)) {}

 protected:
  Result<> once(Work& work, Stopwatch& watch) override;

 private:
  Step call_;
  Step after_;
};

// Case is one operation, ready to be measured in several variants.
struct Case {
  std::vector<std::pair<std::string, std::unique_ptr<Variant>>> variants;
  std::function<Result<Request>()> fresh;  // makes the data of one more request
  std::shared_ptr<void> keeps;             // what the functions above refer to
};

}  // namespace wvds::bench
