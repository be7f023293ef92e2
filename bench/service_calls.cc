#include "bench/service_calls.h"

#include <cstring>
#include <deque>

#include "bench/pipeline.h"

namespace wvds::bench {
namespace {

// Call owns one request in one slot.
class Call {
 public:
  Call() = default;
  Call(Call&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Call& operator=(Call&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Call() { wvds_call_release(handle_); }

  Result<> begin(const ServiceRequest& request, size_t payload_size) {
    return checked(wvds_request_begin(request.session->handle(), &handle_, &payload_, request.operation, payload_size),
                   "wvds_request_begin");
  }

  void fill(Bytes payload, uint32_t key_id) const {
    if (!payload.empty()) std::memcpy(payload_, payload.data(), payload.size());
    if (key_id != 0) std::memcpy(payload_, &key_id, sizeof key_id);
  }

  Result<> submit() const { return checked(wvds_submit(handle_), "wvds_submit"); }

  Result<Bytes> collect(size_t expected_size) const {
    const uint8_t* answer = nullptr;
    size_t size = 0;
    WVDS_TRY(checked(wvds_collect(handle_, WVDS_DEFAULT_TIMEOUT), "wvds_collect"));
    WVDS_TRY(checked(wvds_answer(handle_, &answer, &size), "wvds_answer"));
    if (size != expected_size) return fail(Status::kProtocolError, "an answer of the wrong size");
    return std::as_bytes(std::span(answer, size));
  }

  void release() { wvds_call_release(std::exchange(handle_, nullptr)); }

 private:
  wvds_call* handle_ = nullptr;
  uint8_t* payload_ = nullptr;
};

class InPlaceCall : public Variant {
 public:
  explicit InPlaceCall(ServiceRequest request) : request_(std::move(request)) {}
  Result<> wake() override { return request_.session->wake(); }

 protected:
  Result<> once(Work& work, Stopwatch& watch) override {
    Call call;
    watch.start();
    WVDS_TRY(call.begin(request_, work.payload().size()));
    watch.stop();
    call.fill(work.payload(), request_.key_id);
    watch.start();
    WVDS_TRY(call.submit());
    WVDS_ASSIGN(answer, call.collect(work.answer_size()));
    read_all(answer);
    if (!request_.after) call.release();
    watch.stop();
    return request_.after ? request_.after(answer) : Result<>();
  }

 private:
  ServiceRequest request_;
};

class Pipelined : public Variant {
 public:
  explicit Pipelined(ServiceRequest request) : request_(std::move(request)) {}
  Result<> wake() override { return request_.session->wake(); }

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    kept_.clear();
    WVDS_TRY(learn_slots());
    WVDS_TRY(run(requests, samples));
    for (const auto& answer : kept_) WVDS_TRY(request_.after(answer));
    return {};
  }

 private:
  Result<> learn_slots() {
    if (slots_ != 0) return {};
    wvds_capability_list list;
    WVDS_TRY(checked(wvds_capabilities(request_.session->handle(), &list), "wvds_capabilities"));
    slots_ = list.num_slots;
    return {};
  }

  Result<> run(std::span<const Request> requests, Samples& samples) {
    return run_pipeline<Call>(
        requests, slots_, samples,
        [this](const Request& request, std::deque<Call>& in_flight) { return send(request, in_flight); },
        [this](const Request& request, std::deque<Call>& in_flight) { return receive(request, in_flight); });
  }

  Result<> send(const Request& request, std::deque<Call>& in_flight) const {
    Call call;
    WVDS_TRY(call.begin(request_, request.payload.size()));
    call.fill(request.payload, request_.key_id);
    WVDS_TRY(call.submit());
    in_flight.push_back(std::move(call));
    return {};
  }

  Result<> receive(const Request& request, std::deque<Call>& in_flight) {
    WVDS_ASSIGN(answer, in_flight.front().collect(request.answer_size));
    read_all(answer);
    if (request_.after) kept_.emplace_back(answer.begin(), answer.end());
    in_flight.pop_front();
    return {};
  }

  ServiceRequest request_;
  uint32_t slots_ = 0;
  std::vector<std::vector<std::byte>> kept_;
};

class SimpleCall : public CallVariant {
 public:
  SimpleCall(SessionRef session, Step call, Step after)
      : CallVariant(std::move(call), std::move(after)), session_(std::move(session)) {}
  Result<> wake() override { return session_->wake(); }

 private:
  SessionRef session_;
};

}  // namespace

Result<> checked(wvds_status status, const char* what) {
  if (status == WVDS_SUCCESS) return {};
  return fail(static_cast<Status>(status), std::string(what) + ": " + wvds_status_name(status));
}

Result<SessionRef> Session::connect(const std::string& address) {
  wvds_session* handle = nullptr;
  WVDS_TRY(checked(wvds_connect(&handle, address.c_str(), WVDS_DEFAULT_TIMEOUT), "wvds_connect"));
  return std::make_shared<Session>(handle);
}

Result<> Session::wake() const {
  constexpr int kCalls = 500;
  for (int i = 0; i < kCalls; ++i) WVDS_TRY(checked(wvds_ping(handle_), "wvds_ping"));
  return {};
}

std::unique_ptr<Variant> simple_call(SessionRef session, CallVariant::Step call, CallVariant::Step after) {
  return std::make_unique<SimpleCall>(std::move(session), std::move(call), std::move(after));
}

std::unique_ptr<Variant> in_place_call(ServiceRequest request) {
  return std::make_unique<InPlaceCall>(std::move(request));
}

std::unique_ptr<Variant> pipelined(ServiceRequest request) { return std::make_unique<Pipelined>(std::move(request)); }

}  // namespace wvds::bench
