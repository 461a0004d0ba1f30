// The smallest possible test bed: a failed check says where and makes the program fail.
#pragma once

#include <cstdio>

extern int failures;

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      std::printf("FAILED %s:%d: %s\n", __FILE__, __LINE__, #condition);     \
      failures++;                                                            \
    }                                                                        \
  } while (0)

void testCounterSet();
void testRing();
void testKernel();
void testStanding();
