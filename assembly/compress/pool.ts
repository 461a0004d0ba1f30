// Runs a task's units on this thread, or on all threads of one shared memory. Threads claim units from a counter; which
// thread computes a unit changes no bits. The protocol is that of assembly/kernels/jobs.ts, for larger pieces of work.

import { THREADS } from "../kernels/lanes";
import { setPanels } from "./gemm";
import { Task } from "./task";
import { runUnit } from "./units";

const PUBLISHED: usize = 0;
const NEXT: usize = 4;
const ACTIVE: usize = 8;
const FAILED: usize = 12;
/** Bytes of the control block; the task stands at +64. */
export const CONTROL_BYTES: i32 = 512;
const CLOSED: i32 = 0x40000000;

// Of this instance; instances share the memory but not their globals.
let controlAt: usize = 0;
let scratchAt: usize = 0;
let workers: i32 = 0;

type Waiter = (word: usize, value: i32, limitNs: i64) => void;
/**
 * In Node 20's baseline compiler the locals of a function do not survive its atomic.wait. The wait stands in a function of its own
 * that is called through the table, or the optimizer would put it back into callers whose locals matter.
 */
let waiter: Waiter = sleep;

function sleep(word: usize, value: i32, limitNs: i64): void {
  if (THREADS) atomic.wait<i32>(word, value, limitNs);
}

/** What stands in for it where nobody sleeps. */
function wake(_word: usize, _value: i32, _limitNs: i64): void {}

/** Tells this instance its memory: a zeroed control block, scratch of its own, and how many workers serve. */
export function setUp(control: usize, scratch: usize, workerCount: i32): void {
  controlAt = control;
  scratchAt = setPanels(scratch);
  workers = workerCount;
  waiter = workerCount < 0 ? wake : sleep;
}

// @ts-ignore: decorator
@inline
export function task(): Task {
  return changetype<Task>(controlAt + 64);
}

/** Runs the task that stands in the control block. */
export function runTask(): void {
  const own = task();
  if (THREADS) {
    if (workers > 0 && own.units > 1) return runShared(own);
  }
  const units = own.units;
  for (let unit = 0; unit < units; unit++) runUnit(own, unit, scratchAt);
}

function runShared(own: Task): void {
  atomic.store<i32>(controlAt + NEXT, 0);
  atomic.add<i32>(controlAt + PUBLISHED, 1);
  atomic.notify(controlAt + PUBLISHED, workers);
  claim(own);
  atomic.store<i32>(controlAt + NEXT, CLOSED);
  for (let active = atomic.load<i32>(controlAt + ACTIVE); active > 0; active = atomic.load<i32>(controlAt + ACTIVE)) {
    if (hasFailed()) unreachable();
    waiter(controlAt + ACTIVE, active, 1000000);
  }
}

function claim(own: Task): void {
  while (true) {
    const unit = atomic.add<i32>(controlAt + NEXT, 1);
    if (unit >= own.units) return;
    runUnit(own, unit, scratchAt);
  }
}

/** The life of a worker: claims units of every task until its thread is stopped. */
export function serve(control: usize, scratch: usize): void {
  if (!THREADS) return;
  setUp(control, scratch, 0);
  let seen = 0;
  while (true) {
    seen = nextTask(seen);
    help();
  }
}

/** Tells the other threads that this worker has trapped. Takes the arguments of `serve`. */
export function abandon(control: usize, _scratch: usize): void {
  if (THREADS) atomic.store<i32>(control + FAILED, 1);
}

export function hasFailed(): bool {
  if (!THREADS) return false;
  return controlAt != 0 && atomic.load<i32>(controlAt + FAILED) != 0;
}

/** Reads the control block's address from its global again, see assembly/kernels/jobs.ts `help`. */
function help(): void {
  atomic.add<i32>(controlAt + ACTIVE, 1);
  claim(changetype<Task>(controlAt + 64));
  atomic.sub<i32>(controlAt + ACTIVE, 1);
  atomic.notify(controlAt + ACTIVE, 1);
}

function nextTask(seen: i32): i32 {
  while (atomic.load<i32>(controlAt + PUBLISHED) == seen) waiter(controlAt + PUBLISHED, seen, -1);
  return atomic.load<i32>(controlAt + PUBLISHED);
}
