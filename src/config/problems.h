#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace wvds::config {

// Problem is one thing that is wrong with a config file.
struct Problem {
  int line = 0;      // 0: the file as a whole
  std::string key;   // path of the JSON key ("clients[0].limits.sessions"); empty where there is none
  std::string text;  // what is wrong and what would be right
};

// Problems collects everything that is wrong with one file, so that the user sees it all at once.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(int line, std::string key, std::string text) { all_.push_back({line, std::move(key), std::move(text)}); }
  bool empty() const { return all_.empty(); }
  const std::vector<Problem>& all() const { return all_; }

  // to_text gives one line a problem, in the order of the file's lines: "config.json:7: clients[0].uid: ...". What the
  // file contains is shown escaped: it can't forge a line or move a terminal's cursor.
  std::string to_text() const;

 private:
  std::string file_;
  std::vector<Problem> all_;
};

// nearest_word returns the candidate that `word` was probably meant to be; empty when none is close.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

// word_advice ends a sentence about an unknown word: `; did you mean "x"?` or, where none is close, `; known are a, b,
// c`.
std::string word_advice(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace wvds::config
