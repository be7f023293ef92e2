#include "keystore/tpm/tpm_counter.h"

#include <gtest/gtest.h>

#include "keystore/store_rewrap.h"
#include "keystore/tpm/testing/tpm_bed.h"

namespace wvds::keystore {
namespace {

using testing::contains;
using testing::library;
using testing::spec_of;
using testing::StoreBed;
using testing::Swtpm;
using testing::swtpm_missing;
using testing::TpmBed;

constexpr uint32_t kIndex = 0x01800100;
constexpr const char* kIndexText = "0x01800100";

class TpmCounterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = swtpm_missing(); !missing.empty()) GTEST_SKIP() << "not installed: " << missing;
    tpm_ = std::make_unique<TpmBed>();
    store_.protector = protector();
  }

  std::unique_ptr<Protector> protector() const {
    return tpm_->protector([](TpmSettings& settings) { settings.rollback_nv_index = kIndex; });
  }

  Swtpm& tpm() { return tpm_->tpm; }

  // made gives a protector that has made a header, so that it has a counter.
  std::unique_ptr<Protector> made() {
    auto made = protector();
    EXPECT_TRUE(made->create(library(), header_));
    return made;
  }

  std::string refusal_of_create() {
    std::vector<std::byte> header;
    const auto created = protector()->create(library(), header);
    return created ? "not refused" : created.error().detail;
  }

  std::string refusal_of_open() {
    store_.close();
    const auto opened = store_.try_open();
    return opened ? "not refused" : opened.error().detail;
  }

  // As wvds store migrate does.
  void rewrap(Protector& old, Protector& anew) {
    const auto opened = open_store(store_.medium, library(), [&](Place) -> Result<std::vector<Protector*>> {
      return std::vector<Protector*>{&old};
    });
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_TRUE(rewrap_store(store_.medium, *opened, {.library = library(), .next = anew}));
  }

  std::unique_ptr<TpmBed> tpm_;
  StoreBed store_;
  std::vector<std::byte> header_;
};

TEST_F(TpmCounterTest, OnlyGrowsAndSurvivesAPowerCut) {
  const auto holder = made();
  RollbackCounter& counter = *holder->rollback_counter();
  const uint64_t first = counter.first();
  EXPECT_EQ(counter.read(), first);
  ASSERT_TRUE(counter.advance_to(first + 1));
  ASSERT_TRUE(counter.advance_to(first + 1)) << "a try whose answer was lost";
  EXPECT_EQ(counter.read(), first + 1);
  EXPECT_TRUE(contains(counter.advance_to(first).error().detail, "can't be advanced"));
  EXPECT_TRUE(contains(counter.advance_to(first + 3).error().detail, "can't be advanced"));
  tpm().power_off();
  EXPECT_TRUE(contains(counter.read().error().detail, "does not answer"));
  EXPECT_TRUE(contains(counter.advance_to(first + 2).error().detail, "does not answer"));
  tpm().start();
  EXPECT_EQ(counter.read(), first + 1);
}

TEST_F(TpmCounterTest, IsTakenAsItIsByTheNextHeader) {
  const auto one = made();
  ASSERT_TRUE(one->rollback_counter()->advance_to(one->rollback_counter()->first() + 1));
  const auto two = made();
  EXPECT_EQ(two->rollback_counter()->first(), one->rollback_counter()->first() + 1);
  EXPECT_NE(two->rollback_counter()->binding(), one->rollback_counter()->binding());
}

TEST_F(TpmCounterTest, ShowsNoValueAgainAfterItWasRemovedAndMadeAnew) {
  const auto one = made();
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(one->rollback_counter()->advance_to(one->rollback_counter()->first() + i));
  }
  tpm().run({"tpm2_nvundefine", "-C", "o", kIndexText});
  const std::string detail = one->rollback_counter()->read().error().detail;
  EXPECT_TRUE(contains(detail, "0x01800100 is gone") && contains(detail, "wvds store migrate --to tpm")) << detail;
  const auto two = made();
  EXPECT_GT(two->rollback_counter()->first(), one->rollback_counter()->first() + 3);
}

TEST_F(TpmCounterTest, IsNotMadeOfAnIndexThatIsInUse) {
  tpm().run({"tpm2_nvdefine", "-C", "o", "-s", "8", kIndexText});
  EXPECT_TRUE(contains(refusal_of_create(), "in use for something else")) << refusal_of_create();
}

TEST_F(TpmCounterTest, IsForTheAuthorisationValueOnly) {
  const auto holder = made();
  tpm_->write("auth", std::string(32, 'x'));
  for (const std::string& detail : {refusal_of_create(), holder->rollback_counter()->read().error().detail})
    EXPECT_TRUE(contains(detail, "made with another authorisation value")) << detail;
}

TEST_F(TpmCounterTest, ShowsAStoreThatAnOlderStateOfItWasPutBack) {
  Store& store = store_.open();
  ASSERT_TRUE(store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm)));
  store_.close();
  const auto older = store_.medium.blobs;
  store_.open();
  EXPECT_TRUE(store_.store->remove("alice", 1, 1, 0));
  store_.close();
  const auto newest = store_.medium.blobs;
  store_.medium.blobs = older;
  EXPECT_TRUE(contains(refusal_of_open(), "older state of the whole store")) << refusal_of_open();
  store_.medium.blobs = newest;
  store_.open();
  EXPECT_EQ(store_.found(1), Status::kKeyNotFound);
}

// A store that was restored from a backup on purpose, on this TPM or on another: its header is made anew.
TEST_F(TpmCounterTest, LetsARestoredStoreGoOnUnderANewHeader) {
  store_.open();
  store_.close();
  const auto backup = store_.medium.blobs;
  store_.open();
  store_.close();
  store_.medium.blobs = backup;
  EXPECT_TRUE(contains(refusal_of_open(), "wvds store migrate --to tpm"));
  const auto replaced = std::make_unique<TpmBed>();
  for (const TpmBed* bed : {tpm_.get(), replaced.get()}) {
    const auto old = protector();
    store_.medium.blobs = backup;
    const auto anew = bed->protector([](TpmSettings& settings) { settings.rollback_nv_index = kIndex; });
    rewrap(*old, *anew);
    store_.protector = bed->protector([](TpmSettings& settings) { settings.rollback_nv_index = kIndex; });
    store_.open();
    EXPECT_TRUE(store_.store->warnings().empty());
    store_.close();
  }
}

TEST_F(TpmCounterTest, LeavesNothingBehindInTheTpm) {
  const auto holder = made();
  RollbackCounter& counter = *holder->rollback_counter();
  for (int i = 0; i < 10; ++i) {
    const uint64_t value = counter.read().value();
    EXPECT_TRUE(counter.advance_to(value + 1));
    EXPECT_FALSE(counter.advance_to(value));
  }
  EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-loaded-session"}), "");
  EXPECT_EQ(tpm().run({"tpm2_getcap", "handles-transient"}), "");
}

}  // namespace
}  // namespace wvds::keystore
