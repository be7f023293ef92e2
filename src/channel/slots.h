#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "channel/client_end.h"
#include "channel/layout.h"
#include "channel/request.h"

// The slot state machine, both halves. Each side keeps its state in private memory and writes one word a slot; what the
// peer writes can only make a slot look pending or answered. No waiting here: see bell.h.
namespace wvds::channel {

// ServiceSlots is the service's half: which generation of each slot it has taken.
class ServiceSlots {
 public:
  explicit ServiceSlots(Region region) : region_(region) {}

  // pending tells whether a slot was submitted and not taken yet.
  bool pending() const;

  // take finds the next pending slot, in turn so that none starves, and notes its generation as taken: from here on it
  // is this submit that is served, whatever the client writes into the word.
  std::optional<SlotIndex> take();

  // take_slot does the same for one slot; false when it is not pending or does not exist.
  bool take_slot(SlotIndex slot);

  // request is the taken slot's areas.
  Request request(SlotIndex slot) const;

  // complete publishes the answer in the taken slot's answer area.
  void complete(SlotIndex slot);

 private:
  Region region_;
  SlotIndex next_ = 0;
  std::array<uint32_t, kMaxSlots> taken_{};  // a new region's words are 0, so nothing is pending
};

// ClientSlots is the client's half: who uses each slot, and the generation of its last submit.
class ClientSlots {
 public:
  explicit ClientSlots(Region region) : region_(region) {}

  // acquire reserves the free slot with the lowest number (the one most likely still in the processors' caches).
  // Abandoned slots that the service has finished meanwhile are free. Empty when there is none.
  std::optional<SlotIndex> acquire();

  // request_area is empty unless the slot is acquired.
  MutableBytes request_area(SlotIndex slot) const;

  // submit starts the next generation of an acquired slot; false when the slot is in another state.
  bool submit(SlotIndex slot);

  bool in_flight(SlotIndex slot) const { return is(slot, State::kInFlight); }
  bool any_in_flight() const;  // abandoned ones, too

  // answered tells whether the slot's last submit has its answer. Any other number in the answer word, such as a late
  // answer's, counts as none.
  bool answered(SlotIndex slot);

  // answer_area is what the service wrote; call it after answered().
  UntrustedBytes answer_area(SlotIndex slot) const;

  // release frees the slot. One in flight is abandoned: busy until the service has finished it.
  void release(SlotIndex slot);

  // wipe clears the areas of every slot that was ever acquired.
  void wipe();

 private:
  enum class State : uint8_t { kFree, kAcquired, kInFlight, kAnswered, kAbandoned };
  struct SlotState {
    State state = State::kFree;
    bool used = false;
    uint32_t generation = 0;
  };

  bool is(SlotIndex slot, State state) const { return slot < region_.slot_count() && slots_[slot].state == state; }
  bool finished(SlotIndex slot) const;

  Region region_;
  std::array<SlotState, kMaxSlots> slots_{};
};

}  // namespace wvds::channel
