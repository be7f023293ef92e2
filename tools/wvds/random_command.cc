#include <array>

#include "tools/wvds/commands.h"

namespace wvds::tool {
namespace {

struct RandomOptions {
  uint32_t length = 0;
  bool as_hex = false;
  Output output;
};

Buffer to_hex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  Buffer text(bytes.size() * 2 + 1);
  for (uint8_t byte : bytes) {
    const std::array<uint8_t, 2> pair{static_cast<uint8_t>(kDigits[byte >> 4]),
                                      static_cast<uint8_t>(kDigits[byte & 15])};
    text.append(pair);
  }
  text.append(std::array<uint8_t, 1>{'\n'});
  return text;
}

Outcome<> run_random(const Tool& tool, const RandomOptions& options) {
  TOOL_TRY(check_output(options.output));
  TOOL_ASSIGN(session, connect(tool.service));
  Buffer bytes(options.length);
  TOOL_TRY(check(wvds_random(session.get(), bytes.data(), options.length), "random bytes"));
  bytes.set_size(options.length);
  return options.as_hex ? write_output(options.output, to_hex(bytes.view()).view())
                        : write_output(options.output, bytes.view());
}

}  // namespace

void add_random_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("random", "Random bytes of the service's approved generator");
  auto options = std::make_shared<RandomOptions>();
  command->add_option("BYTES", options->length, "How many: 1 to 65536")
      ->required()
      ->check(CLI::Range(1u, WVDS_MAX_RANDOM_SIZE));
  command->add_flag("--hex", options->as_hex, "As hexadecimal digits and a line end");
  add_output(command, options->output, true, "it");
  when_chosen(command, tool, options, run_random);
}

}  // namespace wvds::tool
