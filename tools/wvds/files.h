#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tools/wvds/buffer.h"
#include "tools/wvds/outcome.h"

// Files as the command line names them; "-" is standard input or output.
namespace wvds::tool {

// open_standard_streams puts something unusable in the place of standard streams that are closed, so that no connection
// or file takes their numbers and receives what was meant for them. From then on a pipe that nobody reads any more is
// an error of the write, which is reported, and not the program's silent end. Call it first of all.
void open_standard_streams();

// Descriptor closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return value_; }
  bool close();  // false when the system reports a failure, with errno

 private:
  int value_;
};

// Input is a file that is read in pieces.
class Input {
 public:
  static Outcome<Input> open(const std::string& path);

  // read takes what there is, at most `room` bytes; 0 is the end. It waits where nothing is there yet.
  Outcome<size_t> read(uint8_t* out, size_t room);

  // fill reads until `out` is full or the input ends; what is there already stays in front.
  Outcome<> fill(Buffer& out);

  const std::string& name() const { return name_; }
  std::optional<uint64_t> size() const { return size_; }  // of a regular file

 private:
  Input(std::string name, Descriptor file, int descriptor);
  std::string name_;
  Descriptor file_;  // nothing for standard input
  int descriptor_;
  std::optional<uint64_t> size_;
};

// read_input reads all of `path`, which must not be longer than `limit` bytes. `advice` ends the sentence about a
// longer one: what a person can do about it.
Outcome<Buffer> read_input(const std::string& path, size_t limit, const std::string& advice = "");

// Output says where bytes go and how careful to be.
struct Output {
  std::string path = "-";
  bool is_secret = false;  // for its owner only, and never over an existing file without force
  bool force = false;
};

// check_output finds out before the work what OutputFile would refuse.
Outcome<> check_output(const Output& output);

// OutputFile takes bytes in pieces. A file gets its name in commit(): until then they are in a temporary file beside
// it, which is gone when commit() was not reached, also when a signal ended the program. What is no regular file
// (standard output, a pipe, a device) is written to at once. Bytes that are not text are not written to a terminal.
class OutputFile {
 public:
  static Outcome<OutputFile> open(const Output& output);
  OutputFile(OutputFile&& other) noexcept;
  ~OutputFile();

  Outcome<> write(ByteView bytes);
  Outcome<> commit();  // fsync and rename

  // part_is_out tells whether some bytes went where they can't be taken back from; name() says where.
  bool part_is_out() const { return part_is_out_; }
  const std::string& name() const { return name_; }
  bool is_terminal() const { return is_terminal_; }

 private:
  OutputFile(const Output& output, std::string name) : output_(output), name_(std::move(name)) {}
  Outcome<> open_temporary();

  Output output_;
  std::string name_;
  Descriptor file_;
  int descriptor_ = -1;
  std::string temporary_;  // empty: written to directly
  std::string final_path_;
  bool is_terminal_ = false;
  bool part_is_out_ = false;
  uint8_t last_ = 0;
};

// write_output writes a file whole or not at all, as OutputFile does.
Outcome<> write_output(const Output& output, ByteView bytes);

// write_text writes to standard output.
Outcome<> write_text(const std::string& text);

// complain writes one line, the program's name first, to standard error.
void complain(const std::string& message);

bool standard_error_is_terminal();

}  // namespace wvds::tool
