#pragma once

#include <memory>

#include "crypto/library.h"
#include "keystore/medium.h"
#include "platform/block_device.h"

namespace wvds::keystore {

// open_block_medium keeps blobs on raw sectors, which nobody else may use while the medium lives;
// docs/storage-format.md has the layout. It makes durable what a former process may have left unflushed, and puts right
// a copy of the directory that a power cut tore. A device that refuses writes can be opened and read. `library`
// computes checksums and must outlive the medium; they find accidents, not attackers.
//
// kStorageError, with a detail that names the device and the cause, and with nothing changed: a device that is not
// formatted, holds something else, is damaged in both copies or has become smaller. kUnsupported: a newer program wrote
// it.
//
// Of the medium: names are those of is_blob_name. A change needs free blocks for the new blob beside the old one; where
// they are missing it fails and says so, and removing still works. The outcome of a change is unknown, and every
// further one refused until the medium is opened again, as soon as writing or flushing the directory has failed.
Result<std::unique_ptr<Medium>> open_block_medium(std::unique_ptr<platform::BlockDevice> device,
                                                  const crypto::Library& library);

// is_blank_block_device tells a device that was never formatted: nothing but zeros (or ones, which some devices read
// when new) where the directory would be. So does one whose formatting a power cut interrupted. False for a device that
// holds a medium, a damaged one, or anything else; kStorageError when it can't be read.
Result<bool> is_blank_block_device(platform::BlockDevice& device, const crypto::Library& library);

// format_block_medium makes an empty medium of a blank device; it is durable on success. Any other device is refused
// (kStorageError) and left as it is: to use it all the same, fill its beginning with zeros first. A crash at any
// instant leaves a blank device or an empty medium.
Result<> format_block_medium(platform::BlockDevice& device, const crypto::Library& library);

// open_or_format_block_medium formats the device where it is blank, says so in the log, and opens it.
Result<std::unique_ptr<Medium>> open_or_format_block_medium(std::unique_ptr<platform::BlockDevice> device,
                                                            const crypto::Library& library);

}  // namespace wvds::keystore
