#include "est_service/state.h"

#include <gtest/gtest.h>

#include "crypto/testing/library_fixture.h"
#include "est_service/file_records.h"
#include "est_service/folder.h"
#include "est_service/testing/fake_world.h"

namespace wvds::est_service {
namespace {

using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;

const crypto::Library& library() { return crypto::library_in(crypto::FipsMode::kOff); }

est::Certificate some_certificate() {
  static const est::factory::Ca ca = est::factory::make_ca(library(), "P-256", "CN=Root", {1800000000, 1900000000});
  return ca.certificate;
}

CertificateState full_state() {
  CertificateState state;
  state.asked_for = "CN=a\ndns:b";
  state.current = Installed{7, {some_certificate(), some_certificate()}};
  state.previous = Installed{6, {some_certificate()}};
  state.current_used = true;
  state.pending = Pending{8, crypto::octets("request"), true};
  state.hint = Hint{1, 2, "https://why"};
  state.renew_at = 1850000000;
  state.next_attempt = 1850000001;
  state.failures = 3;
  state.last_failure = LastFailure{"timeout", "no answer", "wait", 1840000000};
  return state;
}

TEST(CertificateState, ComesBackAsItWasWritten) {
  const CertificateState state = full_state();
  const auto again = certificate_state_from(library(), to_text(state));
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(to_text(*again), to_text(state));
  EXPECT_EQ(again->current->chain.size(), 2u);
  EXPECT_EQ(again->pending->request, crypto::octets("request"));
  EXPECT_EQ(again->hint, state.hint);
  EXPECT_EQ(again->last_failure, state.last_failure);
  const auto empty = certificate_state_from(library(), to_text(CertificateState{}));
  ASSERT_TRUE(empty.has_value()) << empty.error().detail;
  EXPECT_FALSE(empty->current.has_value());
}

TEST(TrustState, ComesBackAsItWasWritten) {
  TrustState state;
  state.anchors = {some_certificate()};
  state.fetched_at = 1850000000;
  state.last_failure = LastFailure{"timeout", "bytes \xff of a server", "wait", 1840000000};
  const auto again = trust_state_from(library(), to_text(state));
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(again->anchors, state.anchors);
  EXPECT_EQ(again->fetched_at, state.fetched_at);
}

TEST(CertificateState, IsRefusedWhenAnyOfItIsMissingOrOfAnotherKind) {
  const std::string text = to_text(full_state());
  for (const char* name : {"asked_for", "key_id", "chain", "current_used", "renew_at", "failures", "version", "at"}) {
    std::string without = text;
    const std::string quoted = std::string("\"") + name + "\"";
    without.replace(without.find(quoted), quoted.size(), "\"other\"");
    const auto read = certificate_state_from(library(), without);
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_EQ(read.error().kind, est::FailureKind::kStorage);
  }
  for (size_t length = 0; length + 2 < text.size(); length += 97) {
    EXPECT_FALSE(certificate_state_from(library(), std::string_view(text).substr(0, length)).has_value()) << length;
  }
}

TEST(CertificateState, OfANewerVersionIsNotGuessedAt) {
  std::string text = to_text(full_state());
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
  const auto read = certificate_state_from(library(), text);
  ASSERT_FALSE(read.has_value());
  EXPECT_NE(read.error().detail.find("version 2"), std::string::npos);
}

std::unique_ptr<Records> records_on(FakeVolume& volume, Faults& faults) {
  auto records = open_file_records(std::make_unique<FakeDisk>("/est", volume, faults));
  EXPECT_TRUE(records.has_value());
  return std::move(*records);
}

// A power cut at each step of a save leaves the state before or the new one, on whatever the disk kept.
TEST(Folder, LosesNothingByAPowerCutAtAnyStep) {
  CertificateState before = full_state(), after = full_state();
  after.renew_at = 1860000000;
  for (size_t cut = 0; cut < 12; ++cut) {
    FakeVolume volume;
    Faults faults;
    Folder folder(library(), records_on(volume, faults));
    ASSERT_TRUE(folder.save_certificate("device", before).has_value());
    faults.steps = 0;
    faults.power_off_at = cut;
    const bool saved = folder.save_certificate("device", after).has_value();
    for (FakeVolume& found : platform::testing::after_power_cut(volume, 50, cut)) {
      Faults none;
      const Folder reopened(library(), records_on(found, none));
      const auto read = reopened.read_certificate("device");
      ASSERT_TRUE(read.has_value()) << read.error().detail;
      EXPECT_TRUE(read->renew_at == after.renew_at || (!saved && read->renew_at == before.renew_at)) << "cut " << cut;
    }
  }
}

}  // namespace
}  // namespace wvds::est_service
