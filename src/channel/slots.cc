#include "channel/slots.h"

#include "base/secret.h"

namespace wvds::channel {

bool ServiceSlots::pending() const {
  for (SlotIndex slot = 0; slot < region_.slot_count(); ++slot) {
    if (load(region_.slot(slot).request_word) != taken_[slot]) return true;
  }
  return false;
}

std::optional<SlotIndex> ServiceSlots::take() {
  const uint32_t count = region_.slot_count();
  for (uint32_t tried = 0; tried < count; ++tried) {
    const SlotIndex slot = next_;
    next_ = next_ + 1 == count ? 0 : next_ + 1;
    if (take_slot(slot)) return slot;
  }
  return std::nullopt;
}

bool ServiceSlots::take_slot(SlotIndex slot) {
  if (slot >= region_.slot_count()) return false;
  const uint32_t generation = load(region_.slot(slot).request_word);
  if (generation == taken_[slot]) return false;
  taken_[slot] = generation;
  return true;
}

Request ServiceSlots::request(SlotIndex slot) const {
  Slot& shared = region_.slot(slot);
  // The line behind the polled one is on its way while the frame's head is looked at.
  __builtin_prefetch(shared.request_area + kLineSize);
  return Request{UntrustedBytes(Bytes(shared.request_area, kRequestAreaSize)),
                 MutableBytes(shared.answer_area, kAnswerAreaSize)};
}

void ServiceSlots::complete(SlotIndex slot) { store(region_.slot(slot).answer_word, taken_[slot]); }

std::optional<SlotIndex> ClientSlots::acquire() {
  for (SlotIndex slot = 0; slot < region_.slot_count(); ++slot) {
    if (is(slot, State::kAbandoned) && finished(slot)) slots_[slot].state = State::kFree;
    if (!is(slot, State::kFree)) continue;
    slots_[slot].state = State::kAcquired;
    slots_[slot].used = true;
    return slot;
  }
  return std::nullopt;
}

MutableBytes ClientSlots::request_area(SlotIndex slot) const {
  if (!is(slot, State::kAcquired)) return {};
  return MutableBytes(region_.slot(slot).request_area, kRequestAreaSize);
}

bool ClientSlots::submit(SlotIndex slot) {
  if (!is(slot, State::kAcquired)) return false;
  slots_[slot].state = State::kInFlight;
  store(region_.slot(slot).request_word, ++slots_[slot].generation);
  return true;
}

bool ClientSlots::any_in_flight() const {
  for (SlotIndex slot = 0; slot < region_.slot_count(); ++slot) {
    if (is(slot, State::kInFlight) || is(slot, State::kAbandoned)) return true;
  }
  return false;
}

bool ClientSlots::finished(SlotIndex slot) const {
  return load(region_.slot(slot).answer_word) == slots_[slot].generation;
}

bool ClientSlots::answered(SlotIndex slot) {
  if (is(slot, State::kInFlight) && finished(slot)) slots_[slot].state = State::kAnswered;
  return is(slot, State::kAnswered);
}

UntrustedBytes ClientSlots::answer_area(SlotIndex slot) const {
  if (!is(slot, State::kAnswered)) return {};
  return UntrustedBytes(Bytes(region_.slot(slot).answer_area, kAnswerAreaSize));
}

void ClientSlots::release(SlotIndex slot) {
  if (slot >= region_.slot_count() || is(slot, State::kFree) || is(slot, State::kAbandoned)) return;
  slots_[slot].state = is(slot, State::kInFlight) ? State::kAbandoned : State::kFree;
}

void ClientSlots::wipe() {
  for (SlotIndex slot = 0; slot < region_.slot_count(); ++slot) {
    if (!slots_[slot].used) continue;
    secure_wipe(region_.slot(slot).request_area, kRequestAreaSize);
    secure_wipe(region_.slot(slot).answer_area, kAnswerAreaSize);
  }
}

}  // namespace wvds::channel
