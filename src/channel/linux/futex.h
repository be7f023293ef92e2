#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "channel/layout.h"

// The futex calls of the channel. Words of the region are in memory that two programs share; a private word is in this
// program's own, where no other can wait, wake or requeue.
namespace wvds::channel {

using PrivateWord = std::atomic<uint32_t>;

// shared_wake wakes every waiter on the word.
void shared_wake(const Word& word);

// shared_wait returns when somebody wakes the word, after `limit`, at once when the word has another value, or early.
void shared_wait(const Word& word, Word value, std::chrono::nanoseconds limit);

void private_wake(PrivateWord& word);

// wait_for_either returns when somebody wakes one of the words or one has another value than given; or early.
// futex_waitv, Linux 5.16.
void wait_for_either(const Word& shared, Word shared_value, const PrivateWord& own, uint32_t own_value);
bool has_wait_for_either();

}  // namespace wvds::channel
