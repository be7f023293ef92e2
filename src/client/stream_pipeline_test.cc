// How streams use the session's slots: several at once, given back whatever happens, and refused requests again.

#include <gtest/gtest.h>

#include <set>

#include "client/testing/stream_bed.h"

namespace wvds::client::testing {
namespace {

class StreamPipeline : public StreamTest {
 protected:
  // refuse_some answers the requests with these numbers, counted from 0, with RATE_LIMITED.
  void refuse_some(std::set<size_t> numbers) {
    service.answer = [this, numbers = std::move(numbers)](const Seen& request) {
      return numbers.contains(count_++) ? frame({}, Status::kRateLimited) : cipher.answer(request);
    };
  }

  wvds_status run_encrypt(MemoryIo& memory) {
    const wvds_stream_io io = memory.io();
    return wvds_stream_encrypt(session, &io, kKey, nullptr, 0);
  }
  wvds_status run_decrypt(MemoryIo& memory) {
    const wvds_stream_io io = memory.io();
    return wvds_stream_decrypt(session, &io, 0, nullptr, 0);
  }

  wvds_call* take_slot() {
    wvds_call* call = nullptr;
    uint8_t* payload = nullptr;
    EXPECT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
    return call;
  }

  const Buffer plaintext = pattern(6 * kChunk + 10);

 private:
  size_t count_ = 0;
};

TEST_F(StreamPipeline, KeepsSeveralRequestsInFlight) {
  const Buffer stream = encrypted(plaintext);
  for (const bool is_encrypting : {true, false}) {
    MemoryIo memory(is_encrypting ? plaintext : stream);
    size_t most = 0;
    memory.on_write = [&] {
      most = std::max(most, service.busy_slots);
      return WVDS_SUCCESS;
    };
    EXPECT_EQ(is_encrypting ? run_encrypt(memory) : run_decrypt(memory), WVDS_SUCCESS);
    EXPECT_EQ(most, 4u);
  }
}

TEST_F(StreamPipeline, GetsAlongWithTheSlotsThatAreFree) {
  std::vector<wvds_call*> taken;
  for (uint32_t left = service.slots; left > 1; --left) {
    taken.push_back(take_slot());
    MemoryIo memory(plaintext);
    EXPECT_EQ(run_encrypt(memory), WVDS_SUCCESS) << left;
    MemoryIo opening(memory.output);
    EXPECT_EQ(run_decrypt(opening), WVDS_SUCCESS) << left;
    EXPECT_TRUE(opening.output == plaintext) << left;
    EXPECT_EQ(service.busy_slots, taken.size());
  }
  MemoryIo whole(plaintext);
  EXPECT_EQ(run_encrypt(whole), WVDS_SUCCESS);
  taken.push_back(take_slot());
  MemoryIo memory(plaintext);
  EXPECT_EQ(run_encrypt(memory), WVDS_BUSY);
  MemoryIo opening(whole.output);
  EXPECT_EQ(run_decrypt(opening), WVDS_BUSY);
  for (wvds_call* call : taken) EXPECT_EQ(wvds_call_release(call), WVDS_SUCCESS);
}

TEST_F(StreamPipeline, SendsRefusedRequestsAgain) {
  refuse_some({0, 1, 3, 4, 5, 8});  // RANDOM, and several chunks at different places
  MemoryIo memory(plaintext);
  ASSERT_EQ(run_encrypt(memory), WVDS_SUCCESS);
  EXPECT_EQ(service.busy_slots, 0u);
  refuse_some({9 + 6, 9 + 7 + 6});
  MemoryIo opening(memory.output);
  ASSERT_EQ(run_decrypt(opening), WVDS_SUCCESS);
  EXPECT_TRUE(opening.output == plaintext);
}

TEST_F(StreamPipeline, SendsRefusedRequestsAgainFromAnotherSlotWhereItsOwnIsNotTheFirstFree) {
  wvds_call* lower = take_slot();
  refuse_some({2});
  MemoryIo memory(plaintext);
  memory.on_write = [&] {  // while requests are in flight, the lowest slot becomes free
    return wvds_call_release(std::exchange(lower, nullptr));
  };
  ASSERT_EQ(run_encrypt(memory), WVDS_SUCCESS);
  service.answer = [this](const Seen& request) { return cipher.answer(request); };
  EXPECT_TRUE(opened(memory.output).plaintext == plaintext);
}

TEST_F(StreamPipeline, GivesUpWhenItIsRefusedForAsLongAsTheTimeout) {
  ASSERT_EQ(wvds_set_timeout(session, 150), WVDS_SUCCESS);
  service.answers({}, Status::kRateLimited);
  MemoryIo memory(plaintext);
  EXPECT_EQ(run_encrypt(memory), WVDS_RATE_LIMITED);
  EXPECT_GE(service.seen.size(), 2u) << "it did not try again";
  EXPECT_TRUE(memory.output.empty());
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(StreamPipeline, CountsTheTimeWithoutProgressOnly) {
  ASSERT_EQ(wvds_set_timeout(session, 150), WVDS_SUCCESS);
  refuse_some({0, 2, 4});  // three pauses, longer together than the timeout
  std::vector<wvds_call*> taken;
  for (uint32_t slot = 1; slot < service.slots; ++slot) taken.push_back(take_slot());
  MemoryIo memory(plaintext);
  EXPECT_EQ(run_encrypt(memory), WVDS_SUCCESS);
}

TEST_F(StreamPipeline, EndsWithTheServicesError) {
  for (const size_t failing : {0u, 1u, 4u}) {
    size_t count = 0;
    service.answer = [&](const Seen& request) {
      return count++ >= failing ? frame({}, Status::kKeyUsedUp) : cipher.answer(request);
    };
    MemoryIo memory(plaintext);
    EXPECT_EQ(run_encrypt(memory), WVDS_KEY_USED_UP);
    EXPECT_EQ(service.busy_slots, 0u);
  }
}

TEST_F(StreamPipeline, EndsWhenTheServiceDies) {
  const Buffer stream = encrypted(plaintext);
  MemoryIo memory(stream);
  memory.on_write = [&] {
    service.gone = true;
    return WVDS_SUCCESS;
  };
  EXPECT_EQ(run_decrypt(memory), WVDS_DISCONNECTED);
}

TEST_F(StreamPipeline, EndsWhenAnAnswerDoesNotCome) {
  ASSERT_EQ(wvds_set_timeout(session, 1), WVDS_SUCCESS);
  MemoryIo memory(plaintext);
  memory.on_write = [&] {
    service.silent = true;
    return WVDS_SUCCESS;
  };
  EXPECT_EQ(run_encrypt(memory), WVDS_TIMEOUT);
}

TEST_F(StreamPipeline, DistrustsAnswersOfAnotherLength) {
  const Buffer stream = encrypted(plaintext);
  for (const size_t length : {size_t{0}, kChunk - 1, kChunk + 1, kChunk + 27, kChunk + 29}) {
    service.answer = [&](const Seen& request) {
      return request.type == WVDS_OP_RANDOM ? cipher.answer(request) : frame(repeated(1, length));
    };
    MemoryIo writing(plaintext);
    EXPECT_EQ(run_encrypt(writing), WVDS_PROTOCOL_ERROR) << length;
    EXPECT_TRUE(writing.output.empty());
    MemoryIo reading(stream);
    EXPECT_EQ(run_decrypt(reading), WVDS_PROTOCOL_ERROR) << length;
    EXPECT_TRUE(reading.output.empty());
  }
  service.answers(repeated(1, 15));
  MemoryIo writing(plaintext);
  EXPECT_EQ(run_encrypt(writing), WVDS_PROTOCOL_ERROR) << "an id that is too short";
}

}  // namespace
}  // namespace wvds::client::testing
