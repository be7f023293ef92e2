#pragma once

namespace wvds::test {

// measure prints what calls cost, in instructions where QEMU counts them (-icount shift=0), else in ticks of the
// processor's counter.
void measure();

}  // namespace wvds::test
