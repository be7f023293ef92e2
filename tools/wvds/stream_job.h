#pragma once

#include <array>
#include <optional>

#include "tools/wvds/files.h"
#include "tools/wvds/progress.h"
#include "wvds_crypto.h"

namespace wvds::tool {

// StreamJob takes a stream of the library (docs/stream-format.md) from an input to an output.
class StreamJob {
 public:
  StreamJob(Input& input, OutputFile& output);

  // io is for wvds_stream_encrypt or _decrypt, while the object lives.
  wvds_stream_io io();

  // outcome says what a status of those means: the reason of the tool's own where reading or writing failed. `what`
  // begins the message about the service's. Where bytes went out already, the message says that they are not all.
  Outcome<> outcome(wvds_status status, const std::string& what);

  // named_key is the key that the input names, when it begins as a stream; else 0.
  uint32_t named_key() const;

 private:
  wvds_status read(uint8_t* out, size_t* length, size_t room);
  wvds_status write(ByteView bytes);

  Input& input_;
  OutputFile& output_;
  Progress progress_;
  std::optional<Failure> failure_;
  std::array<uint8_t, WVDS_STREAM_HEADER_SIZE> start_{};
  size_t start_length_ = 0;
};

}  // namespace wvds::tool
