#include "est_service/sector_records.h"

#include <gtest/gtest.h>

#include "crypto/testing/library_fixture.h"
#include "est_service/folder.h"
#include "keystore/block_medium.h"
#include "platform/ram_block_device.h"

namespace wvds::est_service {
namespace {

constexpr size_t kDeviceSize = 256 << 10;
using Image = std::vector<std::byte>;

const crypto::Library& library() { return crypto::library_in(crypto::FipsMode::kOff); }

std::unique_ptr<platform::BlockDevice> device_on(Image& image) {
  return std::make_unique<platform::RamBlockDevice>("/cap/est", image);
}

std::unique_ptr<Records> records_on(Image& image) {
  auto records = open_sector_records(device_on(image), library());
  EXPECT_TRUE(records.has_value()) << records.error().detail;
  return std::move(*records);
}

std::string text_in(Records& records, const std::string& name) {
  const auto text = records.read(name);
  if (!text) return status_name(text.error().status);
  return {reinterpret_cast<const char*>(text->data()), text->size()};
}

std::vector<std::string> blobs_on(Image& image) {
  return *(*keystore::open_block_medium(device_on(image), library()))->list();
}

TEST(SectorRecords, AreThereAgainAfterARestart) {
  Image image(kDeviceSize);
  const std::string longest(29, 'n');
  ASSERT_TRUE(records_on(image)->replace("", as_bytes("ca")).has_value());
  ASSERT_TRUE(records_on(image)->replace("trust", as_bytes("one")).has_value());
  ASSERT_TRUE(records_on(image)->replace("trust", as_bytes("two")).has_value());
  ASSERT_TRUE(records_on(image)->replace(longest, as_bytes("long")).has_value());
  const auto records = records_on(image);
  EXPECT_EQ(text_in(*records, ""), "ca");
  EXPECT_EQ(text_in(*records, "trust"), "two");
  EXPECT_EQ(text_in(*records, longest), "long");
  EXPECT_EQ(text_in(*records, "other"), "KEY_NOT_FOUND");
  EXPECT_EQ(records->place_of("trust"), "/cap/est/c.trust");
}

TEST(SectorRecords, ThatAreSetAsideLieElsewhere) {
  Image image(kDeviceSize);
  for (const std::string name : {"", "device"}) {
    const auto records = records_on(image);
    ASSERT_TRUE(records->replace(name, as_bytes("damaged")).has_value());
    ASSERT_TRUE(records->set_aside(name).has_value());
    EXPECT_EQ(text_in(*records, name), "KEY_NOT_FOUND");
  }
  EXPECT_EQ(blobs_on(image), (std::vector<std::string>{"d.device", "trust.damaged"}));
}

TEST(SectorRecords, AreNotOpenedOnAKeyStore) {
  Image image(kDeviceSize);
  ASSERT_TRUE((*keystore::open_or_format_block_medium(device_on(image), library()))->replace("index", {}).has_value());
  const Image before = image;
  const auto refused = open_sector_records(device_on(image), library());
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("\"index\""), std::string::npos) << refused.error().detail;
  EXPECT_EQ(image, before);
}

TEST(SectorRecords, CarryStates) {
  Image image(kDeviceSize);
  CertificateState state;
  state.renew_at = 1850000000;
  ASSERT_TRUE(Folder(library(), records_on(image)).save_certificate("device", state).has_value());
  const Folder folder(library(), records_on(image));
  EXPECT_EQ(folder.read_certificate("device")->renew_at, state.renew_at);
  EXPECT_EQ(folder.read_trust()->fetched_at, 0) << "there is none yet";
  ASSERT_TRUE(records_on(image)->replace("device", as_bytes("{")).has_value());
  const auto damaged = Folder(library(), records_on(image)).read_certificate("device");
  ASSERT_FALSE(damaged.has_value());
  EXPECT_TRUE(damaged.error().detail.starts_with("/cap/est/c.device is not whole")) << damaged.error().detail;
}

TEST(SectorConfig, NamesWhatCantBeHad) {
  config::Est config;
  config.folder = "/cap/est";
  config.certificates.resize(2);
  config.certificates[1].name = std::string(29, 'n');
  EXPECT_TRUE(check_sector_config(config).has_value());
  config.certificates[1].name += 'n';
  config.folder = "/rom/est.img";
  const auto refused = check_sector_config(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().detail.starts_with("est.folder: ")) << refused.error().detail;
  EXPECT_NE(refused.error().detail.find("\nest.certificates[1].name: "), std::string::npos) << refused.error().detail;
}

}  // namespace
}  // namespace wvds::est_service
