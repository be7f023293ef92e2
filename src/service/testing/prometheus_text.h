#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// A strict reader of Prometheus' text exposition format, version 0.0.4. It is strict where a collector would complain
// or guess: each metric has HELP and TYPE before its samples, which stand together; names, labels and numbers are well
// formed; no series stands twice; histograms are cumulative and end with +Inf.
namespace wvds::service::testing {

class PrometheusText {
 public:
  explicit PrometheusText(const std::string& text) {
    if (text.empty() || text.back() != '\n') problem("does not end with a line end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) read(line);
    check_histograms();
  }

  const std::vector<std::string>& problems() const { return problems_; }
  const std::set<std::string>& metrics() const { return all_; }

  // value is that of a series as it stands in the text: "wvds_keys{lifetime=\"session\"}"; -1 where there is none.
  double value(const std::string& series) const {
    const auto found = samples_.find(series);
    return found == samples_.end() ? -1 : found->second;
  }
  const std::map<std::string, double>& samples() const { return samples_; }

 private:
  void problem(const std::string& what) { problems_.push_back(what); }

  static bool is_name(std::string_view text, bool colons) {
    if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) return false;
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && !(colons && c == ':')) return false;
    }
    return true;
  }

  void read(const std::string& line) {
    if (line.starts_with("# HELP ")) return begin_metric(line.substr(7));
    if (line.starts_with("# TYPE ")) return read_type(line.substr(7));
    if (line.empty() || line[0] == '#') return problem("a line that says nothing: " + line);
    read_sample(line);
  }

  void begin_metric(const std::string& rest) {
    const size_t space = rest.find(' ');
    name_ = rest.substr(0, space);
    if (space == rest.npos || !is_name(name_, true)) problem("HELP of nothing: " + rest);
    if (!all_.insert(name_).second) problem("stands twice: " + name_);
    type_.clear();
  }

  void read_type(const std::string& rest) {
    const size_t space = rest.find(' ');
    if (rest.substr(0, space) != name_ || !type_.empty()) problem("TYPE out of place: " + rest);
    type_ = space == rest.npos ? "" : rest.substr(space + 1);
    if (type_ != "counter" && type_ != "gauge" && type_ != "histogram") problem("no type: " + rest);
    if (type_ == "counter" && !name_.ends_with("_total")) problem("a counter's name ends in _total: " + name_);
  }

  bool belongs(const std::string& name) const {
    if (type_ != "histogram") return name == name_;
    return name == name_ + "_bucket" || name == name_ + "_sum" || name == name_ + "_count";
  }

  void read_sample(const std::string& line) {
    const size_t end_of_name = line.find_first_of("{ ");
    const std::string name = line.substr(0, end_of_name);
    if (end_of_name == line.npos || type_.empty() || !belongs(name)) return problem("a sample out of place: " + line);
    size_t end = end_of_name;
    std::map<std::string, std::string> labels;
    if (line[end] == '{') end = read_labels(line, labels);
    if (end >= line.size() || line[end] != ' ') return problem("no value: " + line);
    const std::string number = line.substr(end + 1);
    char* rest = nullptr;
    const double value = std::strtod(number.c_str(), &rest);
    if (number.empty() || *rest != '\0' || value < 0) problem("no number: " + line);
    if (!samples_.emplace(line.substr(0, end), value).second) problem("stands twice: " + line);
    if (type_ == "histogram") note_histogram(name, labels, value);
  }

  // read_labels returns where the closing brace's next character stands.
  size_t read_labels(const std::string& line, std::map<std::string, std::string>& out) {
    size_t at = line.find('{') + 1;
    for (;;) {
      const size_t equals = line.find("=\"", at);
      if (equals == line.npos) return line.size();
      const std::string label = line.substr(at, equals - at);
      if (!is_name(label, false)) problem("no label: " + line);
      std::string text;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\') ++at;
        if (at < line.size()) text += line[at];
      }
      if (!out.emplace(label, text).second) problem("a label twice: " + line);
      if (at + 1 >= line.size()) return line.size();
      if (line[at + 1] == '}') return at + 2;
      if (line[at + 1] != ',') return line.size();
      at += 2;
    }
  }

  struct Histogram {
    std::vector<std::pair<std::string, double>> buckets;
    double count = -1;
    double sum = -1;
  };

  void note_histogram(const std::string& name, std::map<std::string, std::string> labels, double value) {
    const std::string bound = labels["le"];
    labels.erase("le");
    std::string key = name_;
    for (const auto& [label, text] : labels) key += "," + label + "=" + text;
    Histogram& histogram = histograms_[key];
    if (name.ends_with("_bucket")) histogram.buckets.emplace_back(bound, value);
    if (name.ends_with("_sum")) histogram.sum = value;
    if (name.ends_with("_count")) histogram.count = value;
  }

  void check_histograms() {
    for (const auto& [key, histogram] : histograms_) {
      if (histogram.buckets.empty() || histogram.buckets.back().first != "+Inf") problem("no +Inf: " + key);
      double bound = 0;
      double count = 0;
      for (const auto& [le, value] : histogram.buckets) {
        const double next = std::strtod(le.c_str(), nullptr);
        if (next <= bound || value < count) problem("not in order: " + key + " le=" + le);
        bound = next;
        count = value;
      }
      if (histogram.count != count || histogram.sum < 0) problem("count or sum: " + key);
    }
  }

  std::string name_;
  std::string type_;
  std::set<std::string> all_;
  std::map<std::string, double> samples_;
  std::map<std::string, Histogram> histograms_;
  std::vector<std::string> problems_;
};

}  // namespace wvds::service::testing
