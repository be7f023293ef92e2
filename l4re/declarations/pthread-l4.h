#pragma once

#include <l4/sys/types.h>
#include <pthread.h>

#include <l4/sys/thread>

namespace Pthread::L4 {

::L4::Cap<::L4::Thread> cap(pthread_t thread);

}  // namespace Pthread::L4
