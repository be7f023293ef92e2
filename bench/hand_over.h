#pragma once

#include <memory>

#include "bench/linux/echo.h"
#include "bench/variant.h"

// (b): the bare hand-over. The same bytes through the same channel to another process and back, and no cryptography.
namespace wvds::bench {

using EchoEnd = std::shared_ptr<channel::ClientEnd>;

// copied_hand_over copies the caller's bytes in and the answer out, as the simple calls of the C API do.
std::unique_ptr<Variant> copied_hand_over(EchoProcess& echo, EchoEnd end);

// in_place_hand_over fills the request where it is sent from (not timed) and reads the answer where it arrived (timed).
std::unique_ptr<Variant> in_place_hand_over(EchoProcess& echo, EchoEnd end);

// pipelined_hand_over keeps all slots filled; a sample is the time per request of a whole round, as pipelined() has it.
std::unique_ptr<Variant> pipelined_hand_over(EchoProcess& echo, EchoEnd end);

}  // namespace wvds::bench
