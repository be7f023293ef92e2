#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/key_limits.h"

// Checks that several message families share. For this folder only.
namespace wvds::protocol {

// require is kInvalidPayload with `rule`, the rule that was broken, when `holds` is false.
Result<> require(bool holds, const char* rule);

// require_argument is the same for an encoder, whose caller made the mistake: kInvalidArgument.
Result<> require_argument(bool holds, const char* rule);

inline Result<> require_zero(uint32_t reserved) { return require(reserved == 0, "a reserved field is not 0"); }

// is_lifetime accepts kDefault too; is_key_lifetime does not: an existing key has a lifetime.
bool is_lifetime(Lifetime lifetime);
bool is_key_lifetime(Lifetime lifetime);

// is_text is true for well-formed UTF-8 (RFC 3629) without control characters (U+0000 to U+001F, U+007F to U+009F).
bool is_text(std::string_view text);

// has_length tells whether `length` is the one that `algorithm` fixes for the field; false for an unknown algorithm.
bool has_length(Algorithm algorithm, size_t AlgorithmInfo::* field, size_t length);

// require_key_choice holds where a key is named either by its id, or by algorithm and raw public key: never both, and a
// raw key has the length that the algorithm fixes.
Result<> require_key_choice(uint32_t key_id, Algorithm algorithm, bool of_family, size_t public_key_length);

// require_sound is kInvalidPayload where limits make no sense.
Result<> require_sound(const KeyLimits& limits);

// write_text writes a u16 length and the text: how STATUS carries texts of any length.
Result<> write_text(Writer& writer, std::string_view text);
std::string read_text(Reader& reader);

// printable shows what is no text as '?': a sentence may quote the operating system or the cryptographic library, and
// one that is no text would make a client refuse the whole answer.
std::string printable(std::string text);

// cut_text is printable text, cut between characters to `most` bytes.
std::string cut_text(std::string text, size_t most);

// provider_name is what an answer carries of a provider's name: printable, and cut between characters to
// kMaxProviderSize bytes. read_provider_name takes `length` bytes of one: kInvalidPayload when they are none.
std::string provider_name(std::string text);
Result<std::string> read_provider_name(Reader& reader, size_t length);

}  // namespace wvds::protocol
