#include "config/problems.h"

#include <algorithm>
#include <numeric>

namespace wvds::config {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

// edit_distance is Levenshtein's: how many characters to insert, delete or replace.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string Problems::to_text() const {
  std::vector<Problem> sorted = all_;
  std::ranges::stable_sort(sorted, {}, &Problem::line);
  std::string text;
  for (const Problem& problem : sorted) {
    text += file_;
    if (problem.line > 0) text += ":" + std::to_string(problem.line);
    text += ": ";
    append_escaped(text, problem.key);
    if (!problem.key.empty()) text += ": ";
    append_escaped(text, problem.text);
    text += '\n';
  }
  return text;
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr size_t kLongestWord = 64;  // nobody misspells a longer one, and the distance costs its square
  if (word.size() > kLongestWord) return {};
  std::string_view nearest;
  size_t nearest_distance = std::max<size_t>(word.size() / 3, 1) + 1;  // a third of the letters may be wrong
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance >= nearest_distance) continue;
    nearest = candidate;
    nearest_distance = distance;
  }
  return nearest;
}

std::string word_advice(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const std::string_view near = nearest_word(word, candidates); !near.empty()) {
    return "; did you mean \"" + std::string(near) + "\"?";
  }
  std::string advice = "; known are ";
  for (const std::string_view candidate : candidates) {
    if (candidate != candidates.front()) advice += ", ";
    advice += candidate;
  }
  return advice;
}

}  // namespace wvds::config
