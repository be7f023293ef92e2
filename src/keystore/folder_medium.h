#pragma once

#include <memory>

#include "keystore/medium.h"
#include "platform/disk.h"

namespace wvds::keystore {

// open_folder_medium keeps each blob as a file of that name. It makes the folder where it is missing, locks it for as
// long as the medium lives, and makes durable what a former process may have left unsynced. kStorageError with a detail
// that names the folder and the cure: locked by another service, writable by others, no such parent.
Result<std::unique_ptr<Medium>> open_folder_medium(std::unique_ptr<platform::Disk> disk);

// look_into_folder_medium is for a folder that is there: it locks it in the same way and never changes anything in it.
Result<std::unique_ptr<Medium>> look_into_folder_medium(std::unique_ptr<platform::Disk> disk);

}  // namespace wvds::keystore
