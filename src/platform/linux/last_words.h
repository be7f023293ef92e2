#pragma once

namespace wvds::platform {

// say_last_words makes a program that can't go on say why, on standard error, and end with exit code 1: where memory
// has run out, the standard library throws also where nobody can do anything about it.
void say_last_words();

}  // namespace wvds::platform
