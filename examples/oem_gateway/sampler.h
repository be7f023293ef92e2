#pragma once

#include <stddef.h>
#include <stdint.h>

/* sample_machine reads what this machine measures about itself right now: processor load, memory, thermal zones,
 * network counters. It writes lines of text, "NAME VALUE", and returns their length; what does not fit is left out in
 * whole lines and counted in a last line. What the machine does not have is not in the sample: numbers are never made
 * up. */
size_t sample_machine(char* out, size_t max);
