#include <l4/sys/ipc.h>
#include <pthread-l4.h>

#include <atomic>
#include <l4/re/env>
#include <l4/re/mem_alloc>
#include <l4/re/util/cap_alloc>
#include <l4/re/util/unique_cap>
#include <l4/sys/cxx/ipc_epiface>
#include <l4/sys/ipc_gate>
#include <l4/sys/irq>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "channel/l4re/gates.h"
#include "channel/l4re/session.h"
#include "channel/listen.h"
#include "platform/thread.h"

namespace wvds::channel {
namespace {

// Labels: the endpoint's own bell, then one for each client. The kernel puts a sender's rights into the two lowest
// bits.
constexpr l4_umword_t kRightsBits = 3;
constexpr l4_umword_t kBell = 4;
constexpr l4_umword_t kFirstClient = 8;
constexpr l4_umword_t kLabelStep = 4;

class L4reEndpoint;

// Client is the gate that ned gave to one client, by its name, and the memory that its sessions may take.
class Client : public L4::Epiface_t<Client, SessionFactoryGate> {
 public:
  Client(L4reEndpoint& endpoint, std::string label, L4::Cap<L4Re::Mem_alloc> quota)
      : endpoint_(endpoint), label_(std::move(label)), quota_(quota) {}

  const std::string& label() const { return label_; }
  L4::Cap<L4Re::Mem_alloc> quota() const { return quota_; }

  long op_open(SessionFactoryGate::Rights, l4_uint32_t layout_version, L4::Ipc::Cap<SessionGate>& gate);

 private:
  L4reEndpoint& endpoint_;
  const std::string label_;
  const L4::Cap<L4Re::Mem_alloc> quota_;
};

class L4reEndpoint : public Endpoint {
 public:
  L4reEndpoint(const ListenOptions& options, SessionFactory& factory)
      : options_(options), factory_(factory), budget_(platform::available_processors()) {}
  ~L4reEndpoint() override { sessions_.clear(); }

  Result<> prepare();
  Result<> run() override;
  void stop() override;
  uint32_t session_count() const override { return serving_.load(); }

  // open makes a session for a client; the gate stays the session's.
  Result<L4::Cap<SessionGate>> open(const Client& client, uint32_t layout_version);

 private:
  Result<> add_client(const std::string& label);
  std::optional<l4_msgtag_t> answer(l4_msgtag_t tag, l4_umword_t label, l4_utcb_t* utcb);
  void drop_unreached();
  void collect_ended();

  const ListenOptions options_;
  SessionFactory& factory_;
  SpinBudget budget_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint32_t> serving_ = 0;
  L4Re::Util::Unique_del_cap<L4::Irq> bell_;  // a session has ended, or stop
  std::vector<std::unique_ptr<Client>> clients_;
  std::list<std::unique_ptr<Session>> sessions_;
  Session* just_made_ = nullptr;  // its gate is in the answer that is about to be sent
};

long Client::op_open(SessionFactoryGate::Rights, l4_uint32_t layout_version, L4::Ipc::Cap<SessionGate>& gate) {
  const auto opened = endpoint_.open(*this, layout_version);
  if (!opened) return -(SessionFactoryGate::kRefused + static_cast<long>(opened.error().status));
  gate = L4::Ipc::make_cap(*opened, L4_CAP_FPAGE_R);
  return 0;
}

Result<> L4reEndpoint::add_client(const std::string& label) {
  const auto* env = L4Re::Env::env();
  const auto gate = env->get_cap<L4::Rcv_endpoint>(label.c_str());
  if (!gate.is_valid())
    return fail(Status::kInternalError, "no capability \"" + label + "\" for the client of that name");
  const auto quota = env->get_cap<L4Re::Mem_alloc>((label + ".quota").c_str());
  if (!quota.is_valid())
    return fail(Status::kInternalError, "no capability \"" + label + ".quota\": the memory of its sessions");
  const l4_umword_t number = kFirstClient + clients_.size() * kLabelStep;
  clients_.push_back(std::make_unique<Client>(*this, label, quota));
  if (l4_error(gate->bind_thread(Pthread::L4::cap(pthread_self()), number)) < 0) {
    return fail(Status::kInternalError, "the capability \"" + label + "\" is not the service's side of a gate");
  }
  return {};
}

Result<> L4reEndpoint::prepare() {
  bell_ = L4Re::Util::make_unique_del_cap<L4::Irq>();
  if (!bell_.is_valid() || l4_error(L4Re::Env::env()->factory()->create(bell_.get())) < 0 ||
      l4_error(bell_->bind_thread(Pthread::L4::cap(pthread_self()), kBell)) < 0) {
    return fail(Status::kInternalError, "no kernel memory for the endpoint's bell");
  }
  for (const std::string& label : options_.labels) WVDS_TRY(add_client(label));
  return {};
}

// Clients send no capabilities, so no buffers are given to the kernel to receive them.
Result<> L4reEndpoint::run() {
  l4_utcb_t* const utcb = l4_utcb();
  l4_utcb_br_u(utcb)->bdr = 0;
  l4_utcb_br_u(utcb)->br[0] = 0;
  std::optional<l4_msgtag_t> reply;
  while (!stopping_) {
    l4_umword_t label = 0;
    const l4_msgtag_t tag = reply ? l4_ipc_reply_and_wait(utcb, *reply, &label, L4_IPC_SEND_TIMEOUT_0)
                                  : l4_ipc_wait(utcb, &label, L4_IPC_NEVER);
    if (tag.has_error()) drop_unreached();
    just_made_ = nullptr;
    reply = tag.has_error() ? std::nullopt : answer(tag, label & ~kRightsBits, utcb);
    collect_ended();
  }
  for (const auto& session : sessions_) session->stop();
  sessions_.clear();
  return {};
}

std::optional<l4_msgtag_t> L4reEndpoint::answer(l4_msgtag_t tag, l4_umword_t label, l4_utcb_t* utcb) {
  const size_t client = (label - kFirstClient) / kLabelStep;
  if (label < kFirstClient || client >= clients_.size()) return std::nullopt;
  return clients_[client]->dispatch(tag, 0, utcb);
}

// A client that was gone when its session's gate was sent to it never had the gate, so its end is nobody's news.
void L4reEndpoint::drop_unreached() {
  if (just_made_ != nullptr) just_made_->stop();
}

void L4reEndpoint::collect_ended() {
  std::erase_if(sessions_, [](const auto& session) { return session->has_ended(); });
  serving_ = static_cast<uint32_t>(sessions_.size());
}

void L4reEndpoint::stop() {
  stopping_ = true;
  bell_->trigger();
}

Result<L4::Cap<SessionGate>> L4reEndpoint::open(const Client& client, uint32_t layout_version) {
  if (layout_version != kLayoutVersion) return fail(Status::kUnsupported, "client of another layout version");
  Peer peer;
  peer.label = client.label();
  WVDS_ASSIGN(handler, factory_.open(peer));
  const auto ended = [this] { bell_->trigger(); };
  auto session = Session::start(client.quota(), options_.slots, options_.epoch, std::move(handler), budget_, ended);
  if (!session) {
    log_warning("no session", {{"client", client.label()}, {"cause", session.error().detail}});
    return std::unexpected(std::move(session.error()));
  }
  just_made_ = session->get();
  sessions_.push_back(std::move(*session));
  return just_made_->gate();
}

}  // namespace

Result<std::unique_ptr<Endpoint>> listen(const ListenOptions& options, SessionFactory& factory) {
  if (!slot_count_is_valid(options.slots)) return fail(Status::kInvalidArgument, "slots must be 1 to 64");
  auto endpoint = std::make_unique<L4reEndpoint>(options, factory);
  WVDS_TRY(endpoint->prepare());
  return endpoint;
}

}  // namespace wvds::channel
