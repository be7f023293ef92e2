#include <pthread.h>

// libdl takes its lock through these names, and refers to them weakly; L4Re's C library has the functions but does not
// export the names. Without them dlopen() calls address 0.
extern "C" {
int __pthread_mutex_lock(pthread_mutex_t* mutex);
int __pthread_mutex_trylock(pthread_mutex_t* mutex);
int __pthread_mutex_unlock(pthread_mutex_t* mutex);

int __pthread_mutex_lock(pthread_mutex_t* mutex) { return pthread_mutex_lock(mutex); }
int __pthread_mutex_trylock(pthread_mutex_t* mutex) { return pthread_mutex_trylock(mutex); }
int __pthread_mutex_unlock(pthread_mutex_t* mutex) { return pthread_mutex_unlock(mutex); }
}
