// The ring parser: records by hand, across the buffer's end, and 200,000 buffers of noise.
#include "../linux/ring.h"

#include <linux/perf_event.h>

#include <cstring>
#include <random>
#include <vector>

#include "check.h"

using namespace nibblemark;

namespace {

constexpr uint64_t kType = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;

void put(std::vector<uint8_t>& ring, uint64_t& at, const void* from, size_t length) {
  for (size_t i = 0; i < length; i++) ring[at++ & (ring.size() - 1)] = static_cast<const uint8_t*>(from)[i];
}

void putRecord(std::vector<uint8_t>& ring, uint64_t& at, uint32_t type, const std::vector<uint64_t>& body) {
  const perf_event_header header = {type, 0, static_cast<uint16_t>(sizeof(perf_event_header) + body.size() * 8)};
  put(ring, at, &header, sizeof header);
  put(ring, at, body.data(), body.size() * 8);
}

void byHand() {
  std::vector<uint8_t> ring(256);
  // 8 bytes before the end: the first record goes on at the start.
  uint64_t head = 248;
  uint64_t tail = head;
  putRecord(ring, head, PERF_RECORD_SAMPLE, {uint64_t{7} << 32 | 6, 1234, 0x7f00dead0000});
  putRecord(ring, head, PERF_RECORD_LOST, {99, 3});
  putRecord(ring, head, PERF_RECORD_THROTTLE, {1, 2, 3});
  putRecord(ring, head, PERF_RECORD_SAMPLE, {uint64_t{8} << 32 | 6, 1235, 0x1000});
  uint64_t out[4 * kWordsPerSample];
  RingCounts counts;
  CHECK(parseRing(ring.data(), ring.size(), tail, head, kType, out, 4, counts) == 2);
  CHECK(out[0] == 7 && out[1] == 1234 && out[2] == 0x7f00dead0000 && out[3] == 0);
  CHECK(out[5] == 8 && out[7] == 0x1000);
  CHECK(counts.lost == 3 && counts.throttled == 1 && counts.broken == 0 && tail == head);
}

void noRoom() {
  std::vector<uint8_t> ring(256);
  uint64_t head = 0;
  uint64_t tail = 0;
  for (uint64_t i = 0; i < 4; i++) putRecord(ring, head, PERF_RECORD_SAMPLE, {i << 32, 0, i});
  uint64_t out[2 * kWordsPerSample];
  RingCounts counts;
  CHECK(parseRing(ring.data(), ring.size(), tail, head, kType, out, 2, counts) == 2 && out[7] == 1);
  CHECK(parseRing(ring.data(), ring.size(), tail, head, kType, out, 2, counts) == 2 && out[2] == 2);
}

void broken() {
  std::vector<uint8_t> ring(64);
  uint64_t head = 0;
  uint64_t tail = 0;
  putRecord(ring, head, PERF_RECORD_SAMPLE, {1});
  uint64_t out[kWordsPerSample];
  RingCounts counts;
  CHECK(parseRing(ring.data(), ring.size(), tail, head, kType, out, 1, counts) == 0 && counts.broken == 1);
  ring.assign(64, 0);
  tail = 0;
  CHECK(parseRing(ring.data(), ring.size(), tail, 64, kType, out, 1, counts) == 0 && counts.broken == 2 && tail == 64);
}

void noise() {
  std::mt19937_64 random(1);
  std::vector<uint8_t> ring(512);
  uint64_t out[8 * kWordsPerSample];
  for (int round = 0; round < 200000; round++) {
    for (size_t i = 0; i < ring.size(); i += 8) {
      uint64_t word = random();
      // Half of them small, so that lengths and types are often near what they may be.
      if ((word & 1) != 0) word &= 0x003f0000000f;
      std::memcpy(&ring[i], &word, 8);
    }
    uint64_t tail = random();
    const uint64_t head = tail + random() % 700;
    RingCounts counts;
    const size_t samples = parseRing(ring.data(), ring.size(), tail, head, random() % 2 == 0 ? kType : 0, out, 8, counts);
    CHECK(samples <= 8 && tail <= head);
  }
}

}  // namespace

void testRing() {
  CHECK(sampleTypeKnown(kType) && !sampleTypeKnown(PERF_SAMPLE_CALLCHAIN));
  byHand();
  noRoom();
  broken();
  noise();
}
