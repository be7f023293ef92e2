#pragma once

#include <string>

#include "tools/wvds/buffer.h"
#include "tools/wvds/outcome.h"

// Files as the command line names them; "-" is standard input or output.
namespace wvds::tool {

// open_standard_streams puts something unusable in the place of standard streams that are closed, so that no connection
// or file takes their numbers and receives what was meant for them. Call it first of all.
void open_standard_streams();

// read_input reads all of `path`, which must not be longer than `limit` bytes. `advice` ends the sentence about a
// longer one: what a person can do about it.
Outcome<Buffer> read_input(const std::string& path, size_t limit, const std::string& advice = "");

// Output says where bytes go and how careful to be.
struct Output {
  std::string path = "-";
  bool is_secret = false;  // for its owner only, and never over an existing file without force
  bool force = false;
};

// check_output finds out before the work what write_output would refuse.
Outcome<> check_output(const Output& output);

// write_output writes a file whole or not at all (temporary file, fsync, rename); what is no regular file (a device, a
// pipe) is written to directly. Bytes that are not text are not written to a terminal.
Outcome<> write_output(const Output& output, ByteView bytes);

// write_text writes to standard output.
Outcome<> write_text(const std::string& text);

// complain writes one line, the program's name first, to standard error.
void complain(const std::string& message);

}  // namespace wvds::tool
