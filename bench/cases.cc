#include "bench/cases.h"

#include "bench/service_calls.h"

namespace wvds::bench {
namespace {

// AfterSleep does each request only when the other process sleeps.
class AfterSleep : public Variant {
 public:
  AfterSleep(const World& world, std::unique_ptr<Variant> inner) : world_(world), inner_(std::move(inner)) {}

  Result<> measure(std::span<const Request> requests, Samples& samples) override {
    for (size_t i = 0; i < requests.size(); ++i) {
      world_.settle();
      WVDS_TRY(inner_->measure(requests.subspan(i, 1), samples));
    }
    return {};
  }

 private:
  const World& world_;
  std::unique_ptr<Variant> inner_;
};

Result<Case> ping_case(World& world) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  wvds_session* session = builder.handle();
  builder.hand_over();
  builder.simple([session](Work&) { return checked(wvds_ping(session), "wvds_ping"); });
  builder.in_place(WVDS_OP_PING);
  builder.pipeline(WVDS_OP_PING);
  return builder.finish([] { return Result<Request>(Request{}); });
}

Result<Case> sleeping_ping_case(World& world) {
  WVDS_ASSIGN(builder, CaseBuilder::open(world));
  wvds_session* session = builder.handle();
  builder.hand_over();
  builder.simple([session](Work&) { return checked(wvds_ping(session), "wvds_ping"); });
  Case made = builder.finish([] { return Result<Request>(Request{}); });
  for (auto& [name, variant] : made.variants) variant = std::make_unique<AfterSleep>(world, std::move(variant));
  return made;
}

}  // namespace

std::vector<Definition> empty_call_definitions() {
  return {{"ping", {512, 100, 8}, ping_case}, {"ping_after_sleep", {10, 50}, sleeping_ping_case}};
}

Result<CaseBuilder> CaseBuilder::open(World& world) {
  world.settle();  // what a session before this one left is gone then
  WVDS_ASSIGN(session, Session::connect(world.service->address()));
  WVDS_ASSIGN(echo_end, world.echo->connect());
  return CaseBuilder(world, std::move(session), std::move(echo_end));
}

void CaseBuilder::in_process(CallVariant::Step call, CallVariant::Step after) {
  case_.variants.emplace_back("a", std::make_unique<CallVariant>(std::move(call), std::move(after)));
}

void CaseBuilder::hand_over() {
  case_.variants.emplace_back("b", copied_hand_over(*world_.echo, echo_end_));
  case_.variants.emplace_back("b_inplace", in_place_hand_over(*world_.echo, echo_end_));
}

void CaseBuilder::simple(CallVariant::Step call, CallVariant::Step after) {
  case_.variants.emplace_back("c", simple_call(session_, std::move(call), std::move(after)));
}

void CaseBuilder::in_place(wvds_operation operation, uint32_t key_id, AnswerStep after) {
  case_.variants.emplace_back("c_inplace", in_place_call({session_, operation, key_id, std::move(after)}));
}

void CaseBuilder::pipeline(wvds_operation operation, uint32_t key_id, AnswerStep after) {
  case_.variants.emplace_back("d", pipelined({session_, operation, key_id, std::move(after)}));
}

void CaseBuilder::pipelined_hand_over() { add("b_pipelined", bench::pipelined_hand_over(*world_.echo, echo_end_)); }

void CaseBuilder::add(const std::string& name, std::unique_ptr<Variant> variant) {
  case_.variants.emplace_back(name, std::move(variant));
}

Case CaseBuilder::finish(std::function<Result<Request>()> fresh, std::shared_ptr<void> keeps) {
  case_.fresh = std::move(fresh);
  case_.keeps = std::move(keeps);
  return std::move(case_);
}

Result<uint32_t> import_secret(wvds_session* session, Algorithm algorithm, Usages usages, Bytes secret) {
  wvds_key_template wanted{};
  wanted.algorithm = static_cast<wvds_algorithm>(algorithm);
  wanted.lifetime = WVDS_LIFETIME_SESSION;
  wanted.usages = usages;
  const wvds_key_format format = algorithm == Algorithm::kAes256Gcm ? WVDS_KEY_FORMAT_RAW : WVDS_KEY_FORMAT_SEED;
  uint32_t id = 0;
  WVDS_TRY(checked(wvds_key_import(session, &id, nullptr, nullptr, 0, &wanted, format, sends(secret), secret.size()),
                   "wvds_key_import"));
  return id;
}

AnswerStep deletes_key(SessionRef session) {
  return [session](Bytes answer) {
    const uint32_t id = Reader(answer.first(sizeof(uint32_t))).u32();
    return checked(wvds_key_delete(session->handle(), id, 0), "wvds_key_delete");
  };
}

}  // namespace wvds::bench
