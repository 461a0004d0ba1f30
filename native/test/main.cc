// The addon's C++ parts without JavaScript, under AddressSanitizer and UndefinedBehaviorSanitizer (npm run sanitize).
#include "check.h"

int failures = 0;

int main() {
  testCounterSet();
  testRing();
  testKernel();
  testStanding();
  std::printf(failures == 0 ? "all checks hold\n" : "%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}
