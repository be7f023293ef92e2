#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// Which files a process may reach, by the kernel's Landlock.
namespace wvds::platform {

enum class FileAccess : uint8_t {
  kRead,    // files are read, folders are listed
  kChange,  // files and folders are made, written, renamed and removed as well
  kSocket,  // sockets and their locks are made and removed; nothing is listed
  kDevice,  // is read, written and controlled
};

// FileRule is about a file, or a folder with everything below it. What does not exist is passed over.
struct FileRule {
  std::string path;
  FileAccess access;
};

// landlock_version is the version of Landlock in this kernel; 0 without any.
int landlock_version();

// confine_files lets this process reach what `rules` say and nothing else, for good; its children too. Descriptors that
// are open stay so. kUnsupported where the kernel has no Landlock, kInternalError where it refuses, or where this
// process has threads already: they would not be confined.
Result<> confine_files(const std::vector<FileRule>& rules);

// hide_files lets this process and its children reach everything but the files and folders of `hidden`. In the folders
// above them nothing new can be reached, only what exists by now. Errors as for confine_files.
Result<> hide_files(const std::vector<std::string>& hidden);

// folders_of are the folder that a file stands in and, where its path leads over symbolic links, the real one.
std::vector<std::string> folders_of(const std::string& file);

}  // namespace wvds::platform
