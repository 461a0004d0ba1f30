// Each migration policy on a trace worked by hand. Near memory holds two pages; pages 0 and 1 are touched first and live there,
// 2 to 5 are far.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { PagePolicy } from "../../src/core/pages.js";
import { drive, type TinyPool, type Touch } from "./machine.js";

const POOLS: readonly TinyPool[] = [
  { pages: 2, readNs: 100 },
  { pages: 8, readNs: 250 },
];
const FIRST: readonly Touch[] = [0, 1, 2, 3, 4, 5].map((page): Touch => [page, 1]);
const moves = (policy: Partial<PagePolicy>, ...epochs: (readonly Touch[])[]) =>
  drive(POOLS, { budget: 8, ...policy }, [FIRST, ...epochs]).moves;

test("none: nothing moves", () => {
  assert.equal(moves({}, [[2, 500]]), [[], []]);
});

test("frequency: cold pages leave, hot ones come, the window is forgotten", () => {
  // Epoch 0: both near pages have 1 < 2 lines and leave. Epoch 1: 3 has 1 + 60 > 50 and comes.
  // The window of two epochs is cleared: in epoch 2 page 4 has 40 and stays far; 3 has 0 < 2 and leaves.
  const policy = { migration: "frequency", hotLines: 50, coldLines: 2, clearEpochs: 2 } as const;
  assert.equal(moves(policy, [[3, 60]], [[4, 40]]), [
    [
      [0, 0, 1],
      [1, 0, 1],
    ],
    [[3, 1, 0]],
    [[3, 0, 1]],
  ]);
});

test("heat-aware: lines since the start, never forgotten; what was touched less makes room", () => {
  // 4 has 1 + 30 + 30 = 61 > 50 in epoch 2 and pushes out page 0, the first of those with 1.
  const policy = { migration: "heat-aware", hotLines: 50, clearEpochs: 0 } as const;
  assert.equal(moves(policy, [[4, 30]], [[4, 30]]), [
    [],
    [],
    [
      [0, 0, 1],
      [4, 1, 0],
    ],
  ]);
});

test("lifetime: what has lived two epochs comes, if it is touched more than what leaves", () => {
  // In epoch 2 pages 2 to 5 are two epochs old. The first candidate, 2, has one line as the coldest near page has: none leaves.
  const policy = { migration: "lifetime", ageEpochs: 2, clearEpochs: 0 } as const;
  assert.equal(
    moves(
      { ...policy, budget: 8 },
      [[1, 8]],
      [
        [2, 0],
        [3, 4],
      ],
    )[2],
    [],
  );
});

test("lifetime: with room the oldest come first", () => {
  const pools = [
    { pages: 4, readNs: 100, weight: 1 },
    { pages: 8, readNs: 250, weight: 5 },
  ];
  const policy = { migration: "lifetime", ageEpochs: 1, allocation: "interleave", budget: 2 } as const;
  // Weights 1 : 5 put pages 0 to 5 far but the third; age 1 after epoch 1: 0 and 1 come, later 3 too.
  const driven = drive(pools, policy, [FIRST, [], []]);
  assert.equal(driven.moves, [
    [],
    [
      [0, 1, 0],
      [1, 1, 0],
    ],
    [[3, 1, 0]],
  ]);
});

test("hybrid: hot in the window or since the start", () => {
  // Cold limit 0: nothing leaves by itself. Page 2 is hot since the start only (30 + 1 + 30, window cleared after each epoch).
  const policy = { migration: "hybrid", hotLines: 50, coldLines: 0, clearEpochs: 1 } as const;
  const found = moves(policy, [[2, 30]], [[2, 30]]);
  assert.equal(found, [
    [],
    [],
    [
      [0, 0, 1],
      [2, 1, 0],
    ],
  ]);
  assert.equal(moves({ ...policy, migration: "frequency" }, [[2, 30]], [[2, 30]]), [[], [], []]);
});

test("load-balance: five pages from the most to the least loaded pool", () => {
  // Epoch 0: 2 lines near, 4 far: (4 - 2) / 4 > 0.2, but near is full. With room for four, two of the far pages come.
  const pools = [
    { pages: 4, readNs: 100 },
    { pages: 8, readNs: 250 },
  ];
  const epochs: (readonly Touch[])[] = [
    FIRST,
    [
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 9],
      [4, 9],
      [5, 9],
    ],
  ];
  const driven = drive(pools, { migration: "load-balance", budget: 8 }, epochs);
  // Epoch 0: 4 near, 2 far: two from near to far would make 2 : 4; CXLMemSim moves five, so all four go.
  assert.equal(driven.moves[0], [
    [0, 0, 1],
    [1, 0, 1],
    [2, 0, 1],
    [3, 0, 1],
  ]);
  assert.equal(driven.moves[1], [
    [3, 1, 0],
    [4, 1, 0],
    [5, 1, 0],
    [0, 1, 0],
  ]);
});

test("locality: five lines in one epoch", () => {
  assert.equal(
    moves({ migration: "locality", localityLines: 5 }, [
      [2, 4],
      [3, 6],
    ]),
    [
      [],
      [
        [0, 0, 1],
        [3, 1, 0],
      ],
    ],
  );
});

test("oracle: the hottest of the whole trace are near from the start", () => {
  const driven = drive(
    POOLS,
    { migration: "oracle" },
    [
      FIRST,
      [
        [4, 9],
        [5, 7],
      ],
    ],
    6,
  );
  assert.equal(driven.homes, [1, 1, 1, 1, 0, 0]);
  assert.equal(driven.moves, [[], []]);
});

test("tpp: one page is kept free by the longest unused; what was touched in two epochs running comes", () => {
  // Watermark 0.5 of two pages = one. Epoch 0: both unused for 0 epochs: page 0 leaves. Epoch 1: 2 was touched twice and takes the
  // free place. Epoch 2: page 1 has not been used since epoch 0 and leaves; 2 stays; 3 was touched once only.
  const policy = { migration: "tpp", watermark: 0.5 } as const;
  assert.equal(
    moves(
      policy,
      [[2, 5]],
      [
        [2, 5],
        [3, 50],
      ],
    ),
    [[[0, 0, 1]], [[2, 1, 0]], [[1, 0, 1]]],
  );
});

test("colloid: towards the shorter loaded latency, both ways", () => {
  const near = (loadedNs: number) => [
    { pages: 3, readNs: 100, loadedNs },
    { pages: 8, readNs: 250 },
  ];
  const policy = { migration: "colloid", budget: 2, tolerance: 0.2 } as const;
  const epoch: readonly Touch[] = [
    [0, 3],
    [1, 2],
    [2, 1],
    [3, 9],
    [4, 8],
  ];
  // Near 100 against far 250: 3, the hottest far page, changes places with 2, the coldest near one.
  assert.equal(drive(near(100), policy, [epoch]).moves[0], [
    [2, 0, 1],
    [3, 1, 0],
  ]);
  // Near saturated at 400: its hottest two leave.
  assert.equal(drive(near(400), policy, [epoch]).moves[0], [
    [0, 0, 1],
    [1, 0, 1],
  ]);
  // Within 20 %: balance.
  assert.equal(drive(near(260), policy, [epoch]).moves[0], []);
});

test("a move costs its lines on both sides, and never more pages than the budget", () => {
  const driven = drive(POOLS, { migration: "locality", budget: 2 }, [
    FIRST,
    [
      [2, 9],
      [3, 9],
    ],
  ]);
  assert.equal(driven.moves[1], [
    [0, 0, 1],
    [2, 1, 0],
  ]);
  // read, written, filled, back, moved out, moved in
  assert.equal(driven.lines[1], [
    [0, 0, 0, 0, 64, 64],
    [18, 0, 0, 0, 64, 64],
  ]);
});

test.run();
