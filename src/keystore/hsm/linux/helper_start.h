#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "platform/linux/unique_fd.h"

// What the service and the spawner have in common: starting this program again with a socket.
namespace wvds::keystore::hsm {

inline constexpr int kHelperSocket = 3;  // the started process's descriptor
inline constexpr const char* kSpawnerWord = "--pkcs11-helper-spawner";
inline constexpr const char* kWorkerWord = "--pkcs11-helper-worker";

// What is said to the spawner, one byte; it answers with the same byte and, to kStartWorker, the worker's socket.
inline constexpr char kStartWorker = 'S';
inline constexpr char kStartFailed = 'F';

// Started is a process of this program with its socket.
struct Started {
  pid_t pid = 0;
  platform::UniqueFd socket;
};

// start_program starts this program with `word`, this process's number and `more` as its arguments. It has the
// environment, standard error (standard output goes there too) and kHelperSocket, and no other descriptor.
Result<Started> start_program(const char* word, const std::vector<std::string>& more = {});

}  // namespace wvds::keystore::hsm
