#pragma once

#include <string_view>

#include "platform/disk.h"

// What makes a change survive a power cut, in terms of a Disk's steps.
namespace wvds::platform {

// kPartialSuffix ends the name of a file that is still being written. Names of content don't end so.
inline constexpr std::string_view kPartialSuffix = ".new";

// Outcome tells what a failed change left behind.
enum class Outcome : uint8_t {
  kUnchanged,  // as before, durably
  kUnknown,    // the last sync failed: after a power cut either state may be there. Syncing again proves nothing (the
               // kernel may have dropped what it could not write), so nothing further may be built on this folder until
               // it is opened again
};

struct DurableError {
  Error error;
  Outcome outcome = Outcome::kUnchanged;
};

// durable_replace makes `content` the file `name`: written beside it, synced, renamed over it, folder synced. A crash
// at any instant leaves the former file or the new one, whole; after success it is the new one.
std::expected<void, DurableError> durable_replace(Disk& disk, std::string_view name, Bytes content);

// durable_remove is final on success, also when the file was not there.
std::expected<void, DurableError> durable_remove(Disk& disk, std::string_view name);

// open_folder makes the folder, locks it, clears away what a crash left half written and makes the rest durable.
// Call it before reading.
Result<> open_folder(Disk& disk);

}  // namespace wvds::platform
