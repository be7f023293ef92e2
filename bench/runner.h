#pragma once

#include "bench/world.h"

namespace wvds::bench {

// register_operations registers one benchmark for each operation; an iteration is a round through all its variants, and
// the reported time is the service's median in it. `effort` scales the number of rounds. Counters: VARIANT_p50, _p99,
// _p999 (nanoseconds) and _n (samples) of "a", "b", "b_inplace", "c", "c_inplace", "d"; "ratio" is (c)/((a)+(b)),
// "ratio_inplace" the same in place, "over_a" (c)/(a).
void register_operations(World& world, double effort);

// register_footprint registers what concerns the process: start, memory, idle processor use.
void register_footprint(World& world, double effort);

}  // namespace wvds::bench
