// Fuzzes the slot state machine: an honest client and an honest service in any order of steps, and between them
// somebody who writes any value into any word. Each side must keep to what it knows itself.

#include <array>
#include <cstdlib>
#include <optional>

#include "base/bytes.h"
#include "channel/slots.h"
#include "channel/testing/memory_region.h"

namespace wvds::channel {
namespace {

constexpr uint32_t kSlots = 3;

void require(bool holds) {
  if (!holds) abort();
}

// Game plays the steps that its input names, beside a second, plain record of what each side did.
class Game {
 public:
  void play(Reader input) {
    while (input.left() > 0) {
      const uint8_t step = input.u8();
      const SlotIndex slot = step / 16 % kSlots;
      switch (step % 8) {
        case 0: store(region_.slot(slot).request_word, input.u8()); break;
        case 1: store(region_.slot(slot).answer_word, input.u8()); break;
        case 2: take(); break;
        case 3: complete(); break;
        case 4: acquire(); break;
        case 5: submit(slot); break;
        case 6: collect(slot); break;
        case 7: release(slot); break;
      }
    }
  }

 private:
  enum class Use { kFree, kAcquired, kInFlight, kAnswered, kAbandoned };

  bool has_answer(SlotIndex slot) const { return load(region_.slot(slot).answer_word) == submits_[slot]; }

  void take() {
    const bool pending = service_.pending();
    const auto slot = service_.take();
    require(slot.has_value() == pending);
    if (!slot) return;
    working_ = *slot;
    generation_ = load(region_.slot(*slot).request_word);
    require(!service_.take_slot(*slot));
  }

  void complete() {
    if (!working_) return;
    service_.complete(*working_);
    require(load(region_.slot(*working_).answer_word) == generation_);
    working_.reset();
  }

  void acquire() {
    const auto slot = client_.acquire();
    for (SlotIndex i = 0; i < kSlots; ++i) {
      const bool usable = uses_[i] == Use::kFree || (uses_[i] == Use::kAbandoned && has_answer(i));
      if (slot == i) require(usable);
      if (!slot) require(!usable);
    }
    if (slot) uses_[*slot] = Use::kAcquired;
  }

  void submit(SlotIndex slot) {
    require(client_.submit(slot) == (uses_[slot] == Use::kAcquired));
    if (uses_[slot] != Use::kAcquired) return;
    uses_[slot] = Use::kInFlight;
    ++submits_[slot];
  }

  void collect(SlotIndex slot) {
    if (uses_[slot] == Use::kInFlight && has_answer(slot)) uses_[slot] = Use::kAnswered;
    require(client_.answered(slot) == (uses_[slot] == Use::kAnswered));
    require(client_.answer_area(slot).size() == (uses_[slot] == Use::kAnswered ? kAnswerAreaSize : 0));
  }

  void release(SlotIndex slot) {
    client_.release(slot);
    if (uses_[slot] == Use::kInFlight) {
      uses_[slot] = Use::kAbandoned;
    } else if (uses_[slot] != Use::kAbandoned) {
      uses_[slot] = Use::kFree;
    }
  }

  testing::MemoryRegion memory_{kSlots};
  Region region_ = memory_.region();
  ServiceSlots service_{region_};
  ClientSlots client_{region_};
  std::optional<SlotIndex> working_;
  uint32_t generation_ = 0;
  std::array<Use, kSlots> uses_{};
  std::array<uint32_t, kSlots> submits_{};
};

}  // namespace
}  // namespace wvds::channel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wvds::channel::Game().play(wvds::Reader(wvds::Bytes(reinterpret_cast<const std::byte*>(data), size)));
  return 0;
}
