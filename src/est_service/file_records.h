#pragma once

#include <memory>

#include "est_service/records.h"
#include "platform/disk.h"

namespace wvds::est_service {

// open_file_records keeps each record as a file: trust.json and certificate-NAME.json, with ".damaged" behind it when
// set aside. It makes the folder where it is missing, and claims it: kStorageError when another process has it.
Result<std::unique_ptr<Records>> open_file_records(std::unique_ptr<platform::Disk> disk);

}  // namespace wvds::est_service
