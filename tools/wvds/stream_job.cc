#include "tools/wvds/stream_job.h"

#include <algorithm>

#include "tools/wvds/service.h"

namespace wvds::tool {
namespace {

// is_about_the_input: the status does not depend on the key, so that the message need not name it.
bool is_about_the_input(wvds_status status) {
  return status >= WVDS_STREAM_UNREADABLE && status <= WVDS_STREAM_DATA_AFTER_END;
}

}  // namespace

StreamJob::StreamJob(Input& input, OutputFile& output)
    : input_(input), output_(output), progress_(input.size(), standard_error_is_terminal() && !output.is_terminal()) {}

wvds_stream_io StreamJob::io() {
  return {[](void* self, uint8_t* out, size_t* length, size_t room) {
            return static_cast<StreamJob*>(self)->read(out, length, room);
          },
          [](void* self, const uint8_t* bytes, size_t length) {
            return static_cast<StreamJob*>(self)->write({bytes, length});
          },
          this};
}

wvds_status StreamJob::read(uint8_t* out, size_t* length, size_t room) {
  const auto count = input_.read(out, room);
  if (!count) {
    failure_ = count.error();
    return WVDS_CALLBACK_FAILED;
  }
  *length = *count;
  progress_.add(*count);
  const size_t kept = std::min(*count, start_.size() - start_length_);
  std::copy_n(out, kept, start_.begin() + static_cast<ptrdiff_t>(start_length_));
  start_length_ += kept;
  return WVDS_SUCCESS;
}

wvds_status StreamJob::write(ByteView bytes) {
  const auto written = output_.write(bytes);
  if (written) return WVDS_SUCCESS;
  failure_ = written.error();
  return WVDS_CALLBACK_FAILED;
}

Outcome<> StreamJob::outcome(wvds_status status, const std::string& what) {
  progress_.clear();
  if (status == WVDS_SUCCESS) return {};
  Failure failure = status == WVDS_CALLBACK_FAILED && failure_
                        ? *failure_
                        : check(status, is_about_the_input(status) ? input_.name() : what).error();
  if (output_.part_is_out()) {
    failure.message += (failure.message.ends_with('.') ? " What" : ". What") + std::string(" was written to ") +
                       output_.name() + " is not the whole.";
  }
  return std::unexpected(std::move(failure));
}

uint32_t StreamJob::named_key() const {
  uint32_t key = 0;
  wvds_stream_key(&key, start_.data(), start_length_);
  return key;
}

}  // namespace wvds::tool
