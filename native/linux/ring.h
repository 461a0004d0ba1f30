// Reads the records of a perf ring buffer: samples of fixed content, and what was lost. Knows nothing of files or mappings.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nibblemark {

// u64 of one sample as it leaves: tid, time, address, weight, data source. What was not asked for is 0.
constexpr size_t kWordsPerSample = 5;

struct RingCounts {
  uint64_t lost = 0;
  uint64_t throttled = 0;
  // Records that do not fit their own length; the rest of the buffer is dropped then.
  uint64_t broken = 0;
};

// Bits of attr.sample_type that this parser understands; any other makes a sample's layout unknown.
bool sampleTypeKnown(uint64_t sampleType);

// Parses from tail up to head (both ever rising) in a buffer of `size` bytes, a power of two. Fills at most `most` samples and
// moves tail past what was read. Gives the samples.
size_t parseRing(const uint8_t* data, uint64_t size, uint64_t& tail, uint64_t head, uint64_t sampleType, uint64_t* out,
                 size_t most, RingCounts& counts);

}  // namespace nibblemark
