#pragma once

#include <cstdint>
#include <optional>

#include "channel/layout.h"

// Client and worker on one processor: then nothing has to be fetched from another processor's cache, but each call
// costs two switches of threads. docs/performance.md says from which size on that pays. Only a client that is bound to
// one processor asks for it: the system would move any other one to an idle processor as soon as the worker wakes it.
namespace wvds::channel {

// ClientPairing asks for the worker to come over while the client makes one call after the other, and to leave as soon
// as it has two requests in flight: then the two sides work at the same time, and need two processors.
class ClientPairing {
 public:
  static constexpr uint32_t kStreak = 8;  // calls, before a worker is asked to move

  // `wish` is the control word. Without a processor nothing is ever asked for.
  ClientPairing(Word& wish, std::optional<unsigned> processor) : wish_(wish), processor_(processor) {}

  bool possible() const { return processor_.has_value(); }

  // submitting: the next request is about to be submitted; `alone` when no other one is in flight.
  void submitting(bool alone);

 private:
  Word& wish_;
  const std::optional<unsigned> processor_;
  uint32_t streak_ = 0;
};

// ServicePairing moves a session's worker to where its client wishes. The wish is a claim: it never takes the worker
// further than the service may run, it is followed once in kPatience requests, and only this session is slower when it
// lies. The worker's thread only.
class ServicePairing {
 public:
  static constexpr uint32_t kPatience = 16;  // requests between two moves

  explicit ServicePairing(const Word& wish) : wish_(wish) {}

  void served() { ++served_since_; }

  // follow moves the calling thread when the wish changed. True while it shares its client's processor: then it must
  // not spin, for the client runs only when the worker sleeps.
  bool follow();

 private:
  const Word& wish_;
  uint32_t followed_ = 0;
  uint32_t served_since_ = 0;
  bool paired_ = false;
};

}  // namespace wvds::channel
