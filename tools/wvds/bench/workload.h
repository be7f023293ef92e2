#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/wvds/buffer.h"
#include "wvds_crypto.h"

// What `wvds bench` asks the service for.
namespace wvds::tool {

// Workload is one operation with everything it needs in one session. Statuses are the library's: prepare may be called
// again after a failure.
class Workload {
 public:
  virtual ~Workload() = default;

  // prepare makes keys and inputs; keys end with the session.
  virtual wvds_status prepare(wvds_session* session) = 0;

  // once does one request with the simple function.
  virtual wvds_status once(wvds_session* session) = 0;

  // begin takes a slot and fills it in place. WVDS_UNSUPPORTED where there is nothing to pipeline.
  virtual wvds_status begin(wvds_session* session, wvds_call** call) = 0;

  // requests_of_session is how many requests one session can do: keys that are made pile up until it ends. 0: any
  // number.
  virtual uint64_t requests_of_session(const wvds_capability_list&) const { return 0; }
};

// Job is a line of the table.
struct Job {
  std::string operation;  // as the configuration names it
  size_t bytes = 0;       // of data in each request; 0: the operation has none
  std::function<std::unique_ptr<Workload>()> make;
};

// all_jobs are those that "wvds bench" measures when it is not told which.
std::vector<Job> all_jobs();

// Makers of the workloads, a family each.
std::unique_ptr<Workload> ping_workload();
std::unique_ptr<Workload> encrypt_workload(size_t bytes);
std::unique_ptr<Workload> decrypt_workload(size_t bytes);
std::unique_ptr<Workload> sign_workload(size_t bytes);
std::unique_ptr<Workload> verify_workload(size_t bytes);
std::unique_ptr<Workload> ecdsa_sign_workload(size_t bytes);
std::unique_ptr<Workload> ecdsa_verify_workload(size_t bytes);
std::unique_ptr<Workload> keygen_workload();
std::unique_ptr<Workload> encaps_workload();
std::unique_ptr<Workload> decaps_workload();

// make_session_key makes a key that ends with the session.
wvds_status make_session_key(wvds_session* session, uint32_t* out_key, wvds_algorithm algorithm, uint32_t usages);

// id_bytes is a key id as a payload has it.
std::array<uint8_t, 4> id_bytes(uint32_t id);

// begin_with begins any operation with a payload that is ready.
wvds_status begin_with(wvds_session* session, wvds_call** call, wvds_operation operation, ByteView payload);

// filled is data to work on.
Buffer filled(size_t bytes);

// Signing is the part that all workloads with signatures have: a key, a message, and room for its signature.
class Signing : public Workload {
 public:
  Signing(wvds_algorithm algorithm, size_t message_bytes, size_t max_signature_bytes)
      : algorithm_(algorithm), message_(filled(message_bytes)), signature_(max_signature_bytes) {}

  wvds_status prepare(wvds_session* session) override {
    return make_session_key(session, &key_, algorithm_, WVDS_USAGE_SIGN | WVDS_USAGE_VERIFY);
  }

 protected:
  const wvds_algorithm algorithm_;
  uint32_t key_ = 0;
  Buffer message_;
  Buffer signature_;
};

// After is the part of a workload that needs what one request of another one made.
template <class First>
class After : public First {
 public:
  using First::First;

  wvds_status prepare(wvds_session* session) override {
    const wvds_status made = First::prepare(session);
    return made == WVDS_SUCCESS ? First::once(session) : made;
  }
};

}  // namespace wvds::tool
