#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "keystore/protector.h"
#include "keystore/testing/test_library.h"

// What every kind of Protector must do. A kind instantiates the suite with a Backing of its own:
//   INSTANTIATE_TEST_SUITE_P(KeyFile, ProtectorConformance, ::testing::Values(...));
namespace wvds::keystore::testing {

// Backing is where a protector's secret lies: a file, a token.
class ProtectorBacking {
 public:
  virtual ~ProtectorBacking() = default;
  // protector gives a new object on the same secret, as a restart does.
  virtual std::unique_ptr<Protector> protector() = 0;
};

struct ProtectorKind {
  std::string name;
  Place place;
  std::function<std::unique_ptr<ProtectorBacking>()> make_backing;  // each with a secret of its own
  size_t flip_every = 1;     // of the header's bytes; more where each unlock takes long
  std::string missing = {};  // what the tests need and this machine has not: they are skipped
};

inline void PrintTo(const ProtectorKind& kind, std::ostream* out) { *out << kind.name; }

class ProtectorConformance : public ::testing::TestWithParam<ProtectorKind> {
 protected:
  using Header = std::vector<std::byte>;

  static std::vector<std::byte> bytes_of(const crypto::LockedBytes& key) {
    return {key.expose().begin(), key.expose().end()};
  }

  static std::vector<std::byte> created(Protector& protector, Header& header) {
    auto key = protector.create(library(), header);
    EXPECT_TRUE(key.has_value()) << key.error().detail;
    return key ? bytes_of(*key) : std::vector<std::byte>{};
  }

  static void expect_refused(Protector& protector, Bytes header, const std::string& what) {
    const auto key = protector.unlock(library(), header);
    ASSERT_FALSE(key.has_value()) << what;
    EXPECT_TRUE(key.error().status == Status::kStorageError || key.error().status == Status::kUnsupported) << what;
    EXPECT_FALSE(key.error().detail.empty()) << what;
  }

  void SetUp() override {
    if (!GetParam().missing.empty()) GTEST_SKIP() << "not installed: " << GetParam().missing;
    backing_ = GetParam().make_backing();
  }

  std::unique_ptr<ProtectorBacking> backing_;
};

TEST_P(ProtectorConformance, SaysWhereTheKeyIs) { EXPECT_EQ(backing_->protector()->place(), GetParam().place); }

TEST_P(ProtectorConformance, GivesTheSameKeyBackAlsoAfterARestart) {
  Header header;
  auto protector = backing_->protector();
  const auto key = created(*protector, header);
  ASSERT_EQ(key.size(), 32u);
  for (Protector* again : {protector.get(), backing_->protector().release()}) {
    const std::unique_ptr<Protector> owned(again == protector.get() ? nullptr : again);
    const auto unlocked = again->unlock(library(), header);
    ASSERT_TRUE(unlocked.has_value()) << unlocked.error().detail;
    EXPECT_EQ(bytes_of(*unlocked), key);
  }
}

TEST_P(ProtectorConformance, MakesANewKeyEachTime) {
  Header first, second;
  auto protector = backing_->protector();
  const auto one = created(*protector, first);
  const auto two = created(*protector, second);
  EXPECT_NE(one, two);
  EXPECT_NE(first, second);
  EXPECT_EQ(bytes_of(protector->unlock(library(), first).value()), one) << "the first header still opens";
}

TEST_P(ProtectorConformance, KeepsTheKeyOutOfTheHeader) {
  Header header;
  const auto key = created(*backing_->protector(), header);
  EXPECT_TRUE(std::ranges::search(header, key).empty());
}

TEST_P(ProtectorConformance, RefusesAChangedHeader) {
  Header header;
  auto protector = backing_->protector();
  created(*protector, header);
  for (size_t i = 0; i < header.size(); i += GetParam().flip_every) {
    for (const int bit : {0, 7}) {
      Header changed = header;
      changed[i] ^= std::byte{1} << bit;
      expect_refused(*protector, changed, "byte " + std::to_string(i) + " bit " + std::to_string(bit));
    }
  }
}

TEST_P(ProtectorConformance, RefusesAHeaderOfAnotherLength) {
  Header header;
  auto protector = backing_->protector();
  created(*protector, header);
  for (size_t size = 0; size < header.size(); ++size)
    expect_refused(*protector, Bytes(header).first(size), "cut to " + std::to_string(size));
  header.push_back(std::byte{0});
  expect_refused(*protector, header, "one byte more");
}

TEST_P(ProtectorConformance, RefusesTheHeaderOfAnotherSecret) {
  Header header, other_header;
  auto protector = backing_->protector();
  created(*protector, header);
  auto other = GetParam().make_backing();
  created(*other->protector(), other_header);
  expect_refused(*protector, other_header, "another's header");
  expect_refused(*other->protector(), header, "this one's header for another");
}

inline std::string protector_kind_name(const ::testing::TestParamInfo<ProtectorKind>& info) { return info.param.name; }

}  // namespace wvds::keystore::testing
