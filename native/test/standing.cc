// What a stop is told to have been, from made-up times of threads: all that the program stood, waking up included, comes out over two
// stops where it had no sleep of its own, and its own sleep is never taken for ours.
#include "../linux/standing.h"

#include "check.h"

using namespace nibblemark;

namespace {

constexpr uint64_t kUs = 1000;
// Let go on at 1000 us with an expected 50 us for waking; the stop after it is asked for at 11000 us and seen from 11010 us on.
Ledger ledgerWith(std::vector<Thread> threads) { return {1000 * kUs, 1004 * kUs, std::move(threads), 50 * kUs, 50 * kUs}; }
constexpr Since kSince = {11000 * kUs, 11010 * kUs};
constexpr uint64_t kNow = 11500 * kUs;

Thread thread(uint64_t ranUs, uint64_t waitedUs, uint64_t sleeps, pid_t tid = 7) { return {7, tid, ranUs * kUs, waitedUs * kUs, sleeps}; }

void wakingIsSetRight() {
  // It ran 9700 us and waited 170 us for a core of the 10500 us since: 630 us idle. 500 us at most are this stop's; it woke 126 us late.
  const Stood stood = stoodSince(kSince, {thread(9800, 270, 5)}, kNow, ledgerWith({thread(100, 100, 4)}));
  CHECK(stood.isWakeKnown && stood.wakeNs == 126 * kUs);
  CHECK(stood.ns == static_cast<int64_t>(630 * kUs - 50 * kUs));
}

void ownSleepIsNotOurs() {
  const Stood stood = stoodSince(kSince, {thread(5000, 0, 6)}, kNow, ledgerWith({thread(100, 0, 4)}));
  // Only that it was let go 4 us late is known.
  CHECK(!stood.isWakeKnown && stood.ns == static_cast<int64_t>(504 * kUs));
}

void busiestThreadTells() {
  const Ledger ledger = ledgerWith({thread(0, 0, 9, 8), thread(0, 0, 4)});
  // Thread 8 slept for most of the time.
  const Stood stood = stoodSince(kSince, {thread(100, 0, 30, 8), thread(9990, 0, 5)}, kNow, ledger);
  CHECK(stood.isWakeKnown && stood.wakeNs == 6 * kUs);
  CHECK(stood.ns == static_cast<int64_t>(510 * kUs - 50 * kUs));
}

void lookingTellsAlone() {
  const Stood fresh = stoodSince(kSince, {thread(5000, 0, 6)}, kNow, {});
  CHECK(!fresh.isWakeKnown && fresh.ns == static_cast<int64_t>(490 * kUs));
}

}  // namespace

void testStanding() {
  wakingIsSetRight();
  ownSleepIsNotOurs();
  busiestThreadTells();
  lookingTellsAlone();
}
