#pragma once

#include <memory>

#include "config/est_section.h"
#include "crypto/library.h"
#include "est_service/records.h"
#include "platform/block_device.h"

namespace wvds::est_service {

// check_sector_config says what of the section can't be had where records are on raw sectors: a folder that is no
// capability, a name that is too long for a record. kInvalidArgument, one line for each, beginning with the key.
Result<> check_sector_config(const config::Est& config);

// open_sector_records keeps each record in a blob on raw sectors, in the form of docs/storage-format.md: "trust" and
// "c.NAME", set aside "trust.damaged" and "d.NAME". It formats a blank device. kStorageError for a device that holds
// something else, crypto_service's store for one; it stays as it is. `library` outlives the records.
Result<std::unique_ptr<Records>> open_sector_records(std::unique_ptr<platform::BlockDevice> device,
                                                     const crypto::Library& library);

}  // namespace wvds::est_service
