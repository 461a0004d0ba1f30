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

// Samples of loads with weight and source as PEBS and IBS give them, between records of other kinds: the fields stand in the order of
// include/uapi/linux/perf_event.h, whatever was asked for.
void layouts() {
  constexpr uint64_t kLoads = kType | PERF_SAMPLE_WEIGHT | PERF_SAMPLE_DATA_SRC;
  // mem_op load, mem_lvl_num (bits 33 to 36) CXL.
  constexpr uint64_t kFromCxl = PERF_MEM_OP_LOAD | uint64_t{9} << PERF_MEM_LVLNUM_SHIFT;
  std::vector<uint8_t> ring(512);
  uint64_t head = 480;
  uint64_t tail = head;
  putRecord(ring, head, PERF_RECORD_COMM, {1, 0x736c656570});
  putRecord(ring, head, PERF_RECORD_SAMPLE, {uint64_t{42} << 32 | 41, 77, 0x7f0000001240, 612, kFromCxl});
  putRecord(ring, head, PERF_RECORD_LOST_SAMPLES, {5});
  putRecord(ring, head, PERF_RECORD_ITRACE_START, {uint64_t{42} << 32 | 41});
  putRecord(ring, head, PERF_RECORD_AUX, {0, 4096, 1});
  putRecord(ring, head, PERF_RECORD_UNTHROTTLE, {1, 2, 3});
  putRecord(ring, head, PERF_RECORD_SAMPLE, {uint64_t{43} << 32 | 41, 78, 0x7f0000001280, 90, 0});
  uint64_t out[4 * kWordsPerSample];
  RingCounts counts;
  CHECK(parseRing(ring.data(), ring.size(), tail, head, kLoads, out, 4, counts) == 2 && tail == head);
  CHECK(out[0] == 42 && out[1] == 77 && out[2] == 0x7f0000001240 && out[3] == 612 && out[4] == kFromCxl);
  CHECK((out[4] >> PERF_MEM_LVLNUM_SHIFT & 15) == 9 && out[5] == 43 && out[8] == 90);
  CHECK(counts.lost == 5 && counts.throttled == 0 && counts.broken == 0);
  // Time and source only: nothing between them.
  tail = head;
  putRecord(ring, head, PERF_RECORD_SAMPLE, {79, kFromCxl});
  CHECK(parseRing(ring.data(), ring.size(), tail, head, PERF_SAMPLE_TIME | PERF_SAMPLE_DATA_SRC, out, 4, counts) == 1);
  CHECK(out[0] == 0 && out[1] == 79 && out[2] == 0 && out[4] == kFromCxl);
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
  layouts();
  noRoom();
  broken();
  noise();
}
