#include "ring.h"

#include <linux/perf_event.h>

#include <cstring>

namespace nibblemark {

constexpr uint64_t kKnown = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_WEIGHT | PERF_SAMPLE_DATA_SRC;

bool sampleTypeKnown(uint64_t sampleType) { return (sampleType & ~kKnown) == 0; }

namespace {

// Copies out of a buffer whose end continues at its start.
void copyOut(const uint8_t* data, uint64_t size, uint64_t at, void* to, size_t length) {
  const uint64_t start = at & (size - 1);
  const size_t first = length < size - start ? length : static_cast<size_t>(size - start);
  std::memcpy(to, data + start, first);
  std::memcpy(static_cast<uint8_t*>(to) + first, data, length - first);
}

size_t bytesOf(uint64_t sampleType) { return 8 * static_cast<size_t>(__builtin_popcountll(sampleType & kKnown)); }

// The order of the fields is the kernel's: TID, TIME, ADDR, ..., WEIGHT, DATA_SRC.
void fillSample(const uint64_t* fields, uint64_t sampleType, uint64_t* out) {
  const uint64_t tidPair = (sampleType & PERF_SAMPLE_TID) != 0 ? *fields++ : 0;
  out[0] = tidPair >> 32;
  out[1] = (sampleType & PERF_SAMPLE_TIME) != 0 ? *fields++ : 0;
  out[2] = (sampleType & PERF_SAMPLE_ADDR) != 0 ? *fields++ : 0;
  out[3] = (sampleType & PERF_SAMPLE_WEIGHT) != 0 ? *fields++ : 0;
  out[4] = (sampleType & PERF_SAMPLE_DATA_SRC) != 0 ? *fields++ : 0;
}

}  // namespace

size_t parseRing(const uint8_t* data, uint64_t size, uint64_t& tail, uint64_t head, uint64_t sampleType, uint64_t* out,
                 size_t most, RingCounts& counts) {
  size_t samples = 0;
  if (head - tail > size) {
    counts.broken++;
    tail = head;
  }
  while (head - tail >= sizeof(perf_event_header) && samples < most) {
    perf_event_header header;
    copyOut(data, size, tail, &header, sizeof header);
    if (header.size < sizeof header || header.size > head - tail) {
      counts.broken++;
      tail = head;
      break;
    }
    uint64_t fields[kWordsPerSample] = {};
    const size_t body = header.size - sizeof header;
    const uint64_t at = tail + sizeof header;
    if (header.type == PERF_RECORD_SAMPLE) {
      if (body < bytesOf(sampleType)) {
        counts.broken++;
      } else {
        copyOut(data, size, at, fields, bytesOf(sampleType));
        fillSample(fields, sampleType, out + samples++ * kWordsPerSample);
      }
    } else if (header.type == PERF_RECORD_LOST && body >= 16) {
      copyOut(data, size, at, fields, 16);
      counts.lost += fields[1];
    } else if (header.type == PERF_RECORD_LOST_SAMPLES && body >= 8) {
      copyOut(data, size, at, fields, 8);
      counts.lost += fields[0];
    } else if (header.type == PERF_RECORD_THROTTLE) {
      counts.throttled++;
    }
    tail += header.size;
  }
  return samples;
}

}  // namespace nibblemark
