#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <new>

namespace wvds::test {

// SharedObject is a T in memory that this process shares with the processes it forks.
template <class T>
class SharedObject {
 public:
  SharedObject() {
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    object_ = new (memory) T{};
  }
  ~SharedObject() { munmap(object_, sizeof(T)); }
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  T* object_;
};

}  // namespace wvds::test
