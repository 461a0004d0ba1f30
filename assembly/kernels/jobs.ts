// Runs a job's units on this thread, or on all threads of one shared memory. Threads claim units from a counter; which
// thread computes a unit changes no bits. Workers spin for a moment before they sleep, and a worker that sleeps through
// a job is not waited for.

import { Job } from "./job";
import { THREADS } from "./lanes";
import { runUnit } from "./units";

// Words of the control block: jobs published so far, next unit to claim, workers inside a job, workers asleep, whether a
// worker has failed.
const PUBLISHED: usize = 0;
const NEXT: usize = 4;
const ACTIVE: usize = 8;
const ASLEEP: usize = 12;
const FAILED: usize = 16;
/** Bytes of the control block; the job stands at +64. */
export const CONTROL_BYTES: i32 = 512;
const CLOSED: i32 = 0x40000000;
const SPINS: i32 = 50000;

// Of this instance; instances share the memory but not their globals.
let controlAt: usize = 0;
let scratchAt: usize = 0;
let workers: i32 = 0;

/** Tells this instance its memory: a zeroed control block, its own scratch, and how many workers serve. */
export function setUp(control: usize, scratch: usize, workerCount: i32): void {
  controlAt = control;
  scratchAt = scratch;
  workers = workerCount;
}

// @ts-ignore: decorator
@inline
export function control(): usize {
  return controlAt;
}

export function runJob(job: Job, parallel: bool): void {
  if (THREADS) {
    if (parallel && workers > 0 && job.units > 1) return runShared(job);
  }
  const units = job.units;
  for (let unit = 0; unit < units; unit++) runUnit(job, unit, scratchAt);
}

function runShared(job: Job): void {
  atomic.store<i32>(controlAt + NEXT, 0);
  atomic.add<i32>(controlAt + PUBLISHED, 1);
  if (atomic.load<i32>(controlAt + ASLEEP) > 0) atomic.notify(controlAt + PUBLISHED, workers);
  claim(job);
  atomic.store<i32>(controlAt + NEXT, CLOSED);
  let spins = 0;
  for (let active = atomic.load<i32>(controlAt + ACTIVE); active > 0; active = atomic.load<i32>(controlAt + ACTIVE)) {
    if (++spins <= SPINS) continue;
    // A worker that trapped stays inside its job for ever: trap too.
    if (hasFailed()) unreachable();
    // The thread that holds the last unit may not be running: let it have this core for 0.1 ms at a time.
    atomic.wait<i32>(controlAt + ACTIVE, active, 100000);
  }
}

function claim(job: Job): void {
  while (true) {
    const unit = atomic.add<i32>(controlAt + NEXT, 1);
    if (unit >= job.units) return;
    runUnit(job, unit, scratchAt);
  }
}

/** The life of a worker: claims units of every job until its thread is stopped. */
export function serve(control: usize, scratch: usize): void {
  if (!THREADS) return;
  controlAt = control;
  scratchAt = scratch;
  let seen = 0;
  while (true) {
    seen = nextJob(seen);
    help();
  }
}

/** Tells the other threads that this worker's `serve` has trapped. Takes the arguments of `serve`. */
export function abandon(control: usize, _scratch: usize): void {
  if (THREADS) atomic.store<i32>(control + FAILED, 1);
}

/** Whether a worker of this instance has trapped: then a job that it was in never ends. */
export function hasFailed(): bool {
  if (!THREADS) return false;
  return controlAt != 0 && atomic.load<i32>(controlAt + FAILED) != 0;
}

/**
 * Takes part in the job that is published. Reads the address of the control block from its global again: in Node 20's
 * baseline compiler a local of `serve` does not survive the atomic.wait, and a job found through it is a wrong one.
 */
function help(): void {
  atomic.add<i32>(controlAt + ACTIVE, 1);
  claim(changetype<Job>(controlAt + 64));
  atomic.sub<i32>(controlAt + ACTIVE, 1);
}

/** Waits until another job than `seen` is published. */
function nextJob(seen: i32): i32 {
  for (let spins = 0; spins < SPINS; spins++) {
    const published = atomic.load<i32>(controlAt + PUBLISHED);
    if (published != seen) return published;
  }
  atomic.add<i32>(controlAt + ASLEEP, 1);
  while (atomic.load<i32>(controlAt + PUBLISHED) == seen) atomic.wait<i32>(controlAt + PUBLISHED, seen, -1);
  atomic.sub<i32>(controlAt + ASLEEP, 1);
  return atomic.load<i32>(controlAt + PUBLISHED);
}
